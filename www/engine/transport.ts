/** Two ways to reach an instance: a worker made from a blob, or the calling thread. */
import program from "virtual:program";
import type { Executor } from "./executor";
import type { Call, CardStats, FromWorker, Ref, ToWorker } from "./protocol";

export interface Reply {
  value: unknown;
  ms: number;
  memory: number;
  /** The graphics card's counts, from the instance that has one. */
  card?: CardStats;
}

export interface SendOptions {
  transfer?: ArrayBuffer[];
  signal?: AbortSignal;
}

export interface Transport {
  readonly simd: string;
  send(call: Call, options?: SendOptions): Promise<Reply>;
  close(): void;
}

/** A graphics card is gone: lost, or silent. */
export class CardLost extends Error {}

/** An instance died. `message` is the panic's own words. */
export class InstanceLost extends Error {}

const START_MS = 15_000;

/** What a program answers behind: a worker, or a port of this thread. */
interface End {
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
  onerror?: ((event: ErrorEvent) => void) | null;
  postMessage(message: ToWorker, transfer: ArrayBuffer[]): void;
}

/** A program that serves whoever writes to it: a worker is started with its text. */
export type Program = () => { serve(port: MessagePort): void };

/** The program's parts on this thread. */
export const own = program();

export class WorkerTransport implements Transport {
  simd = "";
  /** Called at every word from the other end, also about calls that nobody waits for any more. */
  heard: (() => void) | undefined;
  private ids = 0;
  private pending = new Map<number, { resolve(reply: Reply): void; reject(error: Error): void }>();

  private constructor(private worker: End, private end: () => void) {}

  /** Resolves when the instance runs in a worker of this program; rejects where workers are refused. */
  static async start(module: WebAssembly.Module, run: Program = program): Promise<WorkerTransport> {
    const url = URL.createObjectURL(new Blob([`(${run})().serve(self);`], { type: "text/javascript" }));
    const worker = new Worker(url);
    const end = () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    };
    return WorkerTransport.begin(new WorkerTransport(worker, end), () => worker.postMessage({ type: "start", module } satisfies ToWorker));
  }

  /** The same on this thread. The module is handed over: Chromium lets no page from a file send one through a port. */
  static async beside(module: WebAssembly.Module, run: Program): Promise<WorkerTransport> {
    const { port1, port2 } = new MessageChannel();
    run().serve(port2);
    const start = new MessageEvent<ToWorker>("message", { data: { type: "start", module } });
    return WorkerTransport.begin(new WorkerTransport(port1, () => port1.close()), () => port2.onmessage?.(start));
  }

  private static async begin(transport: WorkerTransport, start: () => void): Promise<WorkerTransport> {
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("the worker did not answer")), START_MS);
      transport.worker.onerror = (event) => {
        clearTimeout(late);
        reject(new Error(event.message || "the browser refused the worker"));
      };
      transport.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (data.type !== "ready") return;
        clearTimeout(late);
        transport.simd = data.simd;
        resolve();
      };
      start();
    }).catch((error) => {
      transport.close();
      throw error;
    });
    transport.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => transport.receive(data);
    transport.worker.onerror = (event) => transport.lose(new InstanceLost(event.message || "the worker stopped"));
    return transport;
  }

  send(call: Call, { transfer = [], signal }: SendOptions = {}): Promise<Reply> {
    const id = ++this.ids;
    return new Promise<Reply>((resolve, reject) => {
      const abort = () => {
        this.pending.delete(id);
        this.post({ type: "cancel", id });
        reject(abortError(signal));
      };
      if (signal?.aborted) return reject(abortError(signal));
      signal?.addEventListener("abort", abort, { once: true });
      const settle = () => signal?.removeEventListener("abort", abort);
      this.pending.set(id, {
        resolve: (reply) => (settle(), resolve(reply)),
        reject: (error) => (settle(), reject(error)),
      });
      this.post({ type: "call", id, call }, transfer);
    });
  }

  close(): void {
    this.end();
    this.lose(new Error("the engine was closed"));
  }

  private post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  private receive(message: FromWorker): void {
    this.heard?.();
    if (message.type === "ready") return;
    const waiting = this.pending.get(message.id);
    this.pending.delete(message.id);
    if (message.type === "done") return waiting?.resolve(message);
    if (message.lost) return waiting?.reject(new CardLost(message.message));
    if (!message.fatal) return waiting?.reject(new Error(message.message));
    waiting?.reject(new InstanceLost(message.message));
    this.lose(new InstanceLost(message.message));
  }

  private lose(error: Error): void {
    const waiting = [...this.pending.values()];
    this.pending.clear();
    for (const { reject } of waiting) reject(error);
  }
}

export class HereTransport implements Transport {
  private executor: Executor;
  private closed = false;

  constructor(module: WebAssembly.Module) {
    this.executor = new own.Executor(module);
  }

  get simd(): string {
    return this.executor.simd;
  }

  async send(call: Call, { signal }: SendOptions = {}): Promise<Reply> {
    if (this.closed) throw new Error("the engine was closed");
    if (signal?.aborted) throw abortError(signal);
    try {
      const { value, ms } = this.executor.execute(call);
      return { value, ms, memory: this.executor.memory };
    } catch (error) {
      if (error instanceof own.Fatal) throw new InstanceLost(error.message);
      throw error;
    }
  }

  close(): void {
    this.closed = true;
  }
}

function abortError(signal?: AbortSignal): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new DOMException("the call was aborted", "AbortError");
}

/** The buffers behind the tensors of a call, each once. */
export function buffersOf(refs: Ref[]): ArrayBuffer[] {
  const buffers = refs.flatMap((ref) => (ref && "data" in ref ? [ref.data.buffer as ArrayBuffer] : []));
  return [...new Set(buffers)];
}
