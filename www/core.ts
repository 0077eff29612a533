/** The classic script: the global `kernelscope`, and each figure's chunk once such a figure is on the page. */
import tags from "virtual:tags";
import { address, load, provide } from "./engine/chunks";
import { createEngine } from "./engine/client";
import type { Engine } from "./engine/api";

let shared: Promise<Engine> | undefined;

/** The engine that all figures of a page share. */
function engine(): Promise<Engine> {
  // Figures need these soon: their download does not wait for the first question. Who asks will hear if it fails.
  for (const name of ["answers", "lessons"]) load(name).catch(() => undefined);
  shared ??= createEngine().catch((error) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

/** Figures share these modules: the bundler leaves them out of the figures' own chunks. */
const modules: Record<string, unknown> = {};

const asked = new Set<string>();

/**
 * Brings the code of figures, and defines their elements: all at once, so that a page is laid out anew once and not with each
 * chunk. Known figures only; what the page wrote may be anything.
 */
async function define(...names: string[]): Promise<void> {
  const fresh = names.filter((name) => !asked.has(name));
  for (const name of fresh) asked.add(name);
  const unknown = fresh.filter((name) => !tags.includes(name));
  for (const name of unknown) console.error(`there is no figure <${name}>; there are ${tags.map((tag) => `<${tag}>`).join(", ")}`);
  const known = fresh.filter((name) => tags.includes(name));
  if (known.length === 0) return;
  const common = load("figure", { inOrder: true });
  // Without what all have in common no figure's chunk can run, and none would say so.
  const one = async (name: string) => (await Promise.all([load<CustomElementConstructor>(name, { inOrder: true }), common]))[0];
  const loaded = await Promise.allSettled(known.map(one));
  loaded.forEach((result, i) => {
    const name = known[i]!;
    if (result.status === "fulfilled") {
      if (!customElements.get(name)) customElements.define(name, result.value);
      return;
    }
    // The next figure of this kind may try again.
    asked.delete(name);
    console.error((result.reason as Error).message);
  });
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
    // Not one query for a list of names: an unknown one deserves a word to its author.
    const names = [...(root instanceof Element ? [root] : []), ...root.querySelectorAll("*")].map(({ localName }) => localName);
    const figures = new Set(names.filter((name) => name.startsWith("ks-")));
    if (figures.size > 0) void define(...figures);
  };
  look(document);
  new MutationObserver((records) => {
    for (const { addedNodes } of records) for (const node of addedNodes) if (node instanceof Element) look(node);
  }).observe(document, { childList: true, subtree: true });
}
