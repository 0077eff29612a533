/** A network on a large picture, strip by strip, on as many workers as there are. The crate says where to cut. */
import type { Input, Tensor } from "./api";
import type { Call } from "./protocol";
import type { Reply, SendOptions } from "./transport";

/** Rows from..to of the picture give rows top..bottom of the output, which start at row `skip` of the strip's own output. */
export interface Strip {
  from: number;
  to: number;
  top: number;
  bottom: number;
  skip: number;
}

export interface Tiles<Role extends string = never> {
  send(role: Role, call: Call, options: SendOptions): Promise<Reply>;
  crew: Role[];
  model: number;
  exact: boolean;
  strips: Strip[];
  x: Input;
  out?: Float32Array;
  signal?: AbortSignal;
  progress?: (done: number, total: number) => void;
  /** How long the workers computed, added up: set by `runTiles`. */
  ms?: number;
}

/** A cancelled run starts no further strip. */
export async function runTiles<Role extends string>(job: Tiles<Role>): Promise<Tensor> {
  const { crew, strips } = job;
  let result: Tensor | undefined;
  let next = 0;
  let done = 0;
  let failed = false;
  job.ms = 0;
  const work = async (role: Role): Promise<void> => {
    while (next < strips.length && !failed) {
      const strip = strips[next++]!;
      const input = rowsOf(job.x, strip);
      const rows: [number, number] = [strip.skip, strip.skip + strip.bottom - strip.top];
      const call: Call = { kind: "strip", model: job.model, input, exact: job.exact, rows };
      // The strip was cut out for this call alone: it may go.
      const { value, ms } = await job.send(role, call, { signal: job.signal, transfer: [input.data.buffer as ArrayBuffer] });
      const output = value as Tensor;
      result ??= into("run", emptied(output, strips[strips.length - 1]!.bottom), job.out, false);
      paste(output, strip, result);
      job.ms! += ms;
      done += 1;
      job.progress?.(done, strips.length);
    }
  };
  await Promise.all(
    crew.map((role) =>
      work(role).catch((error) => {
        failed = true;
        throw error;
      }),
    ),
  );
  return result!;
}

/** Rows from..to of every channel. */
function rowsOf({ data, shape }: Input, { from, to }: Strip): Tensor {
  const [h, w] = shape.slice(-2) as [number, number];
  const rows = to - from;
  const planes = data.length / (h * w);
  const part = new Float32Array(planes * rows * w);
  for (let c = 0; c < planes; c++) part.set(data.subarray((c * h + from) * w, (c * h + to) * w), c * rows * w);
  return { data: part, shape: [...shape.slice(0, -2), rows, w] };
}

/** A tensor like a strip's output, of the whole picture's height. */
function emptied({ data, shape }: Tensor, height: number): Tensor {
  const [h, w] = shape.slice(-2) as [number, number];
  return { data: new Float32Array((data.length / h) * height), shape: [...shape.slice(0, -2), height, w] };
}

function paste(part: Tensor, { top }: Strip, whole: Tensor): void {
  const [rows, w] = part.shape.slice(-2) as [number, number];
  const height = whole.shape[whole.shape.length - 2]!;
  const planes = part.data.length / (rows * w);
  for (let c = 0; c < planes; c++) {
    whole.data.set(part.data.subarray(c * rows * w, (c + 1) * rows * w), (c * height + top) * w);
  }
}

/** A result in the array that the caller gave for it, if one was given; `copy` unless it is still empty. */
export function into(op: string, result: Tensor, out?: Float32Array, copy = true): Tensor {
  if (!out || result.data === out) return result;
  if (out.length !== result.data.length) {
    throw new Error(`${op}: out must hold the ${result.data.length} values of the shape (${result.shape.join(", ")}); got ${out.length}`);
  }
  if (copy) out.set(result.data);
  return { data: out, shape: result.shape };
}
