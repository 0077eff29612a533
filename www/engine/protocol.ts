/** What the page and a worker say to each other. Everything here survives structured cloning. */
import type { CardStats, Tensor } from "./api";

export type { CardStats };

/** A tensor in a message: sent along, or named by the key under which the worker already holds it. */
export type Ref = { data: Float32Array; shape: number[] } | { key: number } | null;

export type Call =
  | { kind: "answers" | "lessons" | "onnx"; module: WebAssembly.Module }
  | { kind: "op"; op: string; inputs: Ref[]; options: object; out?: Float32Array }
  | { kind: "explain"; op: string; inputs: Ref[]; options: object; at: number[] }
  | { kind: "ask"; method: string; args: unknown[] }
  | { kind: "tensor"; method: string; args: unknown[] }
  | { kind: "specimen"; specimen: string; options: object }
  | { kind: "microscope"; image: Tensor; labels: Record<string, Tensor>; pixelSize: number; options: object }
  | { kind: "decode"; bytes: Uint8Array }
  | { kind: "load"; key: number; bytes: Uint8Array; external: (string | Uint8Array)[] }
  | { kind: "unload"; key: number }
  | { kind: "forward"; model: number; input: Ref; keep: string[] | "output" | "all"; exact: boolean; trace: number; out?: Float32Array; timed?: boolean; light?: boolean }
  | { kind: "strip"; model: number; input: Ref; exact: boolean; rows: [number, number] }
  | { kind: "model"; method: "model_shapes" | "model_receptive_field" | "model_parameter" | "model_card" | "model_tiling"; model: number; args: unknown[] }
  | { kind: "trace"; method: "trace_explain" | "trace_shares" | "trace_gradient"; trace: number; node: string; at: number[] }
  | { kind: "hold"; key: number; data: Float32Array; shape: number[] }
  | { kind: "release"; key: number }
  | { kind: "open_card"; half: boolean }
  | { kind: "try_card" };

export type ToWorker =
  | { type: "start"; module: WebAssembly.Module }
  | { type: "call"; id: number; call: Call }
  | { type: "cancel"; id: number };

export type FromWorker =
  | { type: "ready"; simd: string }
  | { type: "done"; id: number; value: unknown; ms: number; memory: number; card?: CardStats }
  | { type: "failed"; id: number; message: string; fatal: boolean; lost?: boolean };

/** An instance's end of the line: a worker's global, or a port. */
export interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer: ArrayBuffer[]): void;
}

/** A reference in an argument list of `ask`: replaced by the instance's handle. */
export const isKey = (value: unknown): value is { key: number } =>
  typeof value === "object" && value !== null && typeof (value as { key?: unknown }).key === "number";
