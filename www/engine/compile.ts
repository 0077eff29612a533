/** Inflates and compiles the wasm modules, each once a page, off the main thread where the browser can. */
import engine from "virtual:engine";
import fetchLessons from "virtual:lessons";
import { fromBase64 } from "./base64";

const compiled: Partial<Record<"engine" | "lessons", Promise<WebAssembly.Module>>> = {};

/** What computes: operators and networks. */
export function compileEngine(): Promise<WebAssembly.Module> {
  return (compiled.engine ??= made(engine));
}

/** What the figures ask besides: specimens, fields, scores. A failed download may be tried again. */
export function compileLessons(): Promise<WebAssembly.Module> {
  return (compiled.lessons ??= fetchLessons().then(made).catch((error) => {
    delete compiled.lessons;
    throw error;
  }));
}

async function made(base64: string): Promise<WebAssembly.Module> {
  const stream = new Blob([fromBase64(base64)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}
