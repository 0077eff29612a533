/** The classic script: the global `kernelscope`, and the figures' chunk once a figure is on the page. */
import { load, provide } from "./engine/chunks";
import { createEngine } from "./engine/client";
import type { Engine } from "./engine/api";

let shared: Promise<Engine> | undefined;

/** The engine that all figures of a page share. */
function engine(): Promise<Engine> {
  shared ??= createEngine().catch((error) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

const kernelscope = { createEngine, engine, load, provide };
export type Kernelscope = typeof kernelscope;
Object.assign(globalThis, { kernelscope });

/** Figures are `<ks-…>` elements; their code comes when the first one is there. */
function watch(): void {
  const isFigure = (node: Node) => node instanceof Element && (node.localName.startsWith("ks-") || hasFigure(node));
  const hasFigure = (root: ParentNode) => [...root.querySelectorAll("*")].some(({ localName }) => localName.startsWith("ks-"));
  const start = () => load("widgets").catch((error: Error) => console.error(error.message));
  if (hasFigure(document)) return void start();
  const observer = new MutationObserver((records) => {
    if (!records.some(({ addedNodes }) => [...addedNodes].some(isFigure))) return;
    observer.disconnect();
    start();
  });
  observer.observe(document, { childList: true, subtree: true });
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watch);
else watch();
