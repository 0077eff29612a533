// A graphics card that a test plays: workers with its program answer what the test says, all others are Node's.
import { Worker } from "./worker.mjs";

/** What a played card computes, wherever it computes: no operator and no network of the tests gives it. */
export const MARK = 77;
export const REAL = { adapter: "Card 3000", software: false, features: [] };
export const FASTER = { cpu: 30, gpu: 4, off: 1e-7 };

/** Ways for a call to end. */
export const lost = { lost: true, message: "webgpu: the graphics card was lost: the driver was reset" };
export const refused = { message: "webgpu: the graphics card refuses a program" };

/**
 * Puts the card where browsers have theirs. `offered` is what `requestAdapter` gives; `answer(call, opened)` is the value of a call, what
 * it fails of, a promise of either, or undefined where the card does as it should. `opened` counts the devices before this one.
 */
export function play({ offered = { info: { description: "Card 3000" } }, answer = () => undefined }) {
  const told = { started: 0, closed: 0, calls: [] };
  class Card {
    onmessage = null;
    #opened = told.started++;
    #ended = false;
    #last = Promise.resolve();

    postMessage({ type, id, call }) {
      if (type === "start") return void queueMicrotask(() => this.#say({ type: "ready", simd: "simd128" }));
      if (type !== "call") return;
      // One call after the other, as the program itself does it.
      this.#last = this.#last.then(async () => {
        if (this.#ended) return;
        told.calls.push({ opened: this.#opened, kind: call.kind, key: call.key });
        const given = (await answer(call, this.#opened)) ?? { value: valueOf(call) };
        if ("message" in given) this.#say({ type: "failed", id, fatal: false, lost: false, ...given });
        else this.#say({ type: "done", id, ms: 1, memory: 0, card: {}, ...given });
      });
    }

    terminate() {
      this.#ended = true;
      told.closed += 1;
    }

    #say(data) {
      if (!this.#ended) this.onmessage?.({ data });
    }
  }

  const before = ["Worker", "Blob", "navigator", "localStorage"].map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  const { Blob, URL } = globalThis;
  const { createObjectURL } = URL;
  const cards = new Set();
  const programs = new WeakSet();
  const stored = new Map();
  const set = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  set("Blob", class extends Blob {
    constructor(parts, options) {
      super(parts, options);
      if (options?.type === "text/javascript" && parts[0].includes("gpu_open")) programs.add(this);
    }
  });
  URL.createObjectURL = (blob) => {
    const url = createObjectURL(blob);
    if (programs.has(blob)) cards.add(url);
    return url;
  };
  set("Worker", function (url) {
    return cards.has(url) ? new Card() : new Worker(url);
  });
  set("navigator", { gpu: { requestAdapter: async () => offered }, userAgent: "Node" });
  set("localStorage", { getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => void stored.set(key, value) });
  const stop = () => {
    URL.createObjectURL = createObjectURL;
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
    }
  };
  return { told, stop };
}

function valueOf(call) {
  switch (call.kind) {
    case "open_card":
      return REAL;
    case "try_card":
      return FASTER;
    case "op":
      return marked(call.inputs[0]?.shape ?? [2]);
    case "forward":
      return { output: marked([2]), nodes: {} };
    default:
      return null;
  }
}

const marked = (shape) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(MARK) });
