/** What callers give, checked and in the form in which it travels. */
import type { CallOptions, Held, Input, LoadOptions } from "./api";
import type { Ref } from "./protocol";
import { buffersOf } from "./transport";

let keys = 0;

/** Keys of held tensors and models, unlike in all engines of a page: what belongs to another engine is not found. */
export const nextKey = (): number => ++keys;

export function bytesOf(what: string, bytes: unknown): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  throw new Error(`loadModel: expected ${what} as a Uint8Array or an ArrayBuffer`);
}

/** The files beside a model as [name, bytes, …]; the name of an only one may be left out. */
export function externalFiles(given: LoadOptions["externalData"]): (string | Uint8Array)[] {
  if (given === undefined || given === null) return [];
  if (given instanceof Uint8Array || given instanceof ArrayBuffer) return ["", bytesOf("externalData", given)];
  if (typeof given !== "object") throw new Error("loadModel: externalData must be bytes, or an object of bytes by the files' names");
  return Object.entries(given).flatMap(([name, bytes]) => [name, bytesOf(`the bytes of externalData "${name}"`, bytes)]);
}

/** What the workers hold travels by its key. */
export const named = (arg: unknown): unknown => (isHeld(arg) ? { key: arg.key } : arg);

function isHeld(input: unknown): input is Held {
  return typeof input === "object" && input !== null && "key" in input;
}

/** A tensor as it travels: checked here, so that a mistake is named before anything is sent. */
export function refOf(op: string, input: Input | null): Ref {
  if (input === null || input === undefined) return null;
  if (isHeld(input)) return { key: input.key };
  const { data, shape } = input;
  if (!(data instanceof Float32Array) || !Array.isArray(shape)) {
    throw new Error(`${op}: a tensor is { data: Float32Array, shape: number[] }`);
  }
  if (!shape.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new Error(`${op}: a shape is a list of whole numbers; got [${shape.join(", ")}]`);
  }
  const count = shape.reduce((a, b) => a * b, 1);
  if (count !== data.length) {
    throw new Error(`${op}: shape ${shape.join("×")} means ${count} values; the data has ${data.length}`);
  }
  return { data, shape };
}

/** A tensor of its own, where the caller's is about to go. */
export const copyOf = (x: Input): Input => (isHeld(x) ? x : { data: x.data.slice(), shape: x.shape });

/** What the caller handed over is gone for him, wherever it was computed. */
export function detach(refs: Ref[]): void {
  const buffers = buffersOf(refs);
  if (buffers.length) structuredClone(null, { transfer: buffers });
}

export function checkOut(op: string, out: unknown): void {
  if (out !== undefined && !(out instanceof Float32Array)) throw new Error(`${op}: out must be a Float32Array`);
}

/** The operator's own options, without those that belong to the call. */
export function plain(options: object): object {
  const { out, transfer, signal, ...rest } = options as CallOptions;
  return rest;
}
