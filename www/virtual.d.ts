/** Modules that the bundler makes. */

declare module "virtual:wasm" {
  /** The optimised WebAssembly module: deflated (raw), in base64. */
  const base64: string;
  export default base64;
}

declare module "virtual:worker" {
  /** The worker's program as text, to be started from a blob (a file:// page may not load it from a file). */
  const text: string;
  export default text;
}

declare module "kernelscope-wasm" {
  /** wasm-bindgen's glue; each call gives glue for an instance of its own. */
  export type Glue = typeof import("../target/bindgen/kernelscope");
  export default function createGlue(): Glue;
}

declare module "*.css" {
  const text: string;
  export default text;
}

declare module "virtual:tags" {
  /** The names of all figures. */
  const tags: readonly string[];
  export default tags;
}
