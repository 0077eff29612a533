/** Inflates and compiles the inlined module, once a page, off the main thread where the browser can. */
import base64 from "virtual:wasm";

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

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
