/** The classic script: the global `kernelscope`, and each figure's chunk once such a figure is on the page. */
import tags from "virtual:tags";
import { address, load, provide } from "./engine/chunks";
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

/** Figures share these modules: the bundler leaves them out of the figures' own chunks. */
const modules: Record<string, unknown> = {};

const asked = new Set<string>();

/** Brings the code of a figure, and defines its element. Known figures only; what the page wrote may be anything. */
async function define(tag: string): Promise<void> {
  if (asked.has(tag)) return;
  asked.add(tag);
  if (!tags.includes(tag)) return console.error(`there is no figure <${tag}>; there are ${tags.map((tag) => `<${tag}>`).join(", ")}`);
  try {
    await load("figure");
    const figure = await load<CustomElementConstructor>(tag);
    if (!customElements.get(tag)) customElements.define(tag, figure);
  } catch (error) {
    // The next figure of this kind may try again.
    asked.delete(tag);
    console.error((error as Error).message);
  }
}

const kernelscope = { createEngine, engine, load, provide, address, define, tags, modules };
export type Kernelscope = typeof kernelscope;

// A deck may bring the core twice, once by hand and once by a shortcode: there is one engine all the same.
if ("kernelscope" in globalThis) console.warn("kernelscope.js is on this page twice; the first one stays");
else {
  Object.assign(globalThis, { kernelscope });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watch);
  else watch();
}

/** Figures are `<ks-…>` elements; their code comes when the first of a kind is there. */
function watch(): void {
  const look = (root: ParentNode) => {
    if (root instanceof Element && root.localName.startsWith("ks-")) void define(root.localName);
    // Not one query for a list of names: an unknown one deserves a word to its author.
    const names = new Set([...root.querySelectorAll("*")].map(({ localName }) => localName).filter((name) => name.startsWith("ks-")));
    for (const name of names) void define(name);
  };
  look(document);
  new MutationObserver((records) => {
    for (const { addedNodes } of records) for (const node of addedNodes) if (node instanceof Element) look(node);
  }).observe(document, { childList: true, subtree: true });
}
