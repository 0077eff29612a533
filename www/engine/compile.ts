/** Inflates and compiles the wasm modules, each once a page, off the main thread where the browser can. */
import fetchAnswers from "virtual:answers";
import engine from "virtual:engine";
import fetchCard from "virtual:gpu";
import fetchLessons from "virtual:lessons";
import fetchOnnx from "virtual:onnx";
import { fromBase64 } from "./base64";
import type { Subject } from "./executor";
import type { Program } from "./transport";

const compiled: Partial<Record<"engine" | Subject, Promise<WebAssembly.Module>>> = {};

/** What computes: operators and networks. */
export function compileEngine(): Promise<WebAssembly.Module> {
  return (compiled.engine ??= made(engine));
}

const SUBJECTS: Record<Subject, () => Promise<string>> = { answers: fetchAnswers, lessons: fetchLessons, onnx: fetchOnnx };

/** What an instance can be taught: to take values apart, the figures' questions (specimens, fields, scores), or to read ONNX. A failed download may be tried again. */
export function compileSubject(subject: Subject): Promise<WebAssembly.Module> {
  return (compiled[subject] ??= SUBJECTS[subject]().then(made).catch((error) => {
    delete compiled[subject];
    throw error;
  }));
}

let card: Promise<{ module: WebAssembly.Module; program: Program }> | undefined;

/** What computes with a graphics card at hand, and the program of its worker. A failed download may be tried again. */
export function compileCard(): Promise<{ module: WebAssembly.Module; program: Program }> {
  return (card ??= fetchCard()
    .then(async ({ module, program }) => ({ module: await made(module), program }))
    .catch((error) => {
      card = undefined;
      throw error;
    }));
}

async function made(base64: string): Promise<WebAssembly.Module> {
  const stream = new Blob([fromBase64(base64)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}
