/** Modules that the bundler makes. */

declare module "virtual:engine" {
  /** The optimised module that computes: deflated (raw), in base64. */
  const base64: string;
  export default base64;
}

declare module "virtual:answers" {
  /** Fetches the part of the engine that takes values apart, in the same form. */
  export default function fetchAnswers(): Promise<string>;
}

declare module "virtual:answering" {
  /** The functions of the engine that are in that part. */
  const names: readonly string[];
  export default names;
}

declare module "virtual:lessons" {
  /** Fetches the module that the figures need besides, in the same form. */
  export default function fetchLessons(): Promise<string>;
}

declare module "virtual:onnx" {
  /** Fetches the part of the engine that reads ONNX files, in the same form. */
  export default function fetchOnnx(): Promise<string>;
}

declare module "virtual:gpu" {
  /** Fetches the module that computes with a graphics card at hand, in the same form, and the program of its worker. */
  export default function fetchCard(): Promise<{ module: string; program: () => typeof import("./engine/card-worker") }>;
}

declare module "virtual:program" {
  /**
   * What an instance needs around its module. A function, so that its text is a worker's program, to be started from a blob: a
   * file:// page may not load one from a file.
   */
  export default function program(): typeof import("./engine/program");
}

declare module "glue:engine" {
  /** wasm-bindgen's glue; each call gives glue for an instance of its own. */
  export type Glue = typeof import("../target/bindgen/engine");
  export default function createGlue(): Glue;
}

declare module "glue:lessons" {
  export type Glue = typeof import("../target/bindgen/lessons");
  export default function createGlue(): Glue;
}

declare module "glue:gpu" {
  export type Glue = typeof import("../target/bindgen/gpu");
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
