/** What the core offers to the figures, reached through the page's global. */
import type { Kernelscope } from "../core";

export const host = (globalThis as unknown as { kernelscope: Kernelscope }).kernelscope;
