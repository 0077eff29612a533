/** Inflates and compiles the inlined module, once a page, off the main thread where the browser can. */
import base64 from "virtual:wasm";
import { fromBase64 } from "./base64";

let compiled: Promise<WebAssembly.Module> | undefined;

export function compile(): Promise<WebAssembly.Module> {
  compiled ??= inflate(base64).then((bytes) => WebAssembly.compile(bytes));
  return compiled;
}

async function inflate(text: string): Promise<ArrayBuffer> {
  const bytes = fromBase64(text);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).arrayBuffer();
}
