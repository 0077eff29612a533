/** Carries out calls on one instance of the engine, and those of the lessons beside it. Workers and the same-thread engine share it. */
import answering from "virtual:answering";
import createEngineGlue, { type Glue } from "glue:engine";
import createLessonsGlue, { type Glue as Lessons } from "glue:lessons";
import type { Tensor } from "./api";
import { type Call, isKey, type Ref } from "./protocol";

/** A micrograph by its handles. */
interface Made {
  image: number;
  labels: Record<string, number>;
  pixelSize: number;
}

export interface Outcome {
  value: unknown;
  transfer: ArrayBuffer[];
  ms: number;
}

/** The instance is gone: a panic or a trap. Its tensors are lost; a new one has to be made. */
export class Fatal extends Error {}

/** What the engine's instance can be asked; everything else is the lessons'. */
const OWN = new Set(Object.keys(createEngineGlue()));

/** What an instance is taught when a call first needs it. */
export type Subject = Part | "lessons";

/** What was cut off the engine, and becomes part of its instance. */
type Part = "answers" | "onnx";

/** Which of it a call needs. */
export function needs(call: Call): Subject | undefined {
  switch (call.kind) {
    case "load":
      return isOnnx(call.bytes) ? "onnx" : undefined;
    case "specimen":
    case "microscope":
    case "decode":
      return "lessons";
    case "explain":
      return "answers";
    case "ask":
    case "tensor":
    case "model":
    case "trace":
      return answering.includes(call.method) ? "answers" : OWN.has(call.method) ? undefined : "lessons";
    default:
      return undefined;
  }
}

/** As `Onnx::is` in the crate: the first field of a model is its version or a text, and it is no safetensors. */
function isOnnx(bytes: Uint8Array): boolean {
  const safetensors = bytes[8] === 0x7b && bytes[7] === 0 && bytes[6] === 0;
  return [0x08, 0x12, 0x1a, 0x3a, 0x42].includes(bytes[0] ?? 0) && !safetensors;
}

export class Executor {
  protected glue: Glue;
  /** What the engine's parts are tied to. */
  private exports: WebAssembly.Exports;
  private parts = new Set<Part>();
  private lessonsGlue: Lessons | undefined;
  private held = new Map<number, number>();
  /** Copies of held tensors in the lessons' instance, made when a question first names them. */
  private lent = new Map<number, number>();
  private models = new Map<number, number>();
  private traces = new Map<number, number>();
  /** The trace of each model's last run. */
  private newest = new Map<number, number>();
  /** Set by the panic hook with the panic's own words. */
  private static readonly PANIC = "__kernelscope_panic";

  constructor(private module: WebAssembly.Module) {
    this.glue = createEngineGlue();
    this.exports = this.glue.initSync({ module }) as unknown as WebAssembly.Exports;
  }

  get simd(): string {
    return this.glue.simd();
  }

  get memory(): number {
    return this.glue.memory_bytes() + (this.lessonsGlue?.memory_bytes() ?? 0);
  }

  private get lessons(): Lessons {
    if (!this.lessonsGlue) throw new Error("the engine has no lessons loaded");
    return this.lessonsGlue;
  }

  execute(call: Call): Outcome {
    const start = performance.now();
    const failed = this.watch();
    try {
      const outcome = this.carryOut(call);
      return { ...outcome, ms: performance.now() - start };
    } catch (error) {
      throw failed(error);
    }
  }

  /** Before a call: gives what turns an error of that call into `Fatal` if the instance died of it. */
  protected watch(): (error: unknown) => unknown {
    const panics = globalThis as unknown as Record<string, string | undefined>;
    delete panics[Executor.PANIC];
    return (error) => {
      const panic = panics[Executor.PANIC];
      return panic !== undefined || error instanceof WebAssembly.RuntimeError ? new Fatal(panic ?? String(error)) : error;
    };
  }

  private carryOut(call: Call): { value: unknown; transfer: ArrayBuffer[] } {
    const { glue } = this;
    switch (call.kind) {
      case "answers":
      case "onnx":
        this.join(call.kind, call.module);
        return { value: null, transfer: [] };
      case "lessons":
        if (!this.lessonsGlue) {
          const fresh = createLessonsGlue();
          fresh.initSync({ module: call.module });
          this.lessonsGlue = fresh;
        }
        return { value: null, transfer: [] };
      case "op":
        return this.withInputs(call.inputs, (handles) => this.take(glue.run(call.op, handles, call.options), call.out));
      case "explain":
        return this.withInputs(call.inputs, (handles) => ({
          value: glue.explain(call.op, handles, call.options, Uint32Array.from(call.at)),
          transfer: [],
        }));
      case "ask":
        return this.ask(call.method, call.args);
      case "tensor":
        return this.ask(call.method, call.args, true);
      case "specimen":
        return this.taken(this.lessons.specimen(call.specimen, call.options) as Made);
      case "microscope": {
        const own: number[] = [];
        const { lessons } = this;
        const put = ({ data, shape }: Tensor) => {
          const handle = lessons.put(data, Uint32Array.from(shape));
          own.push(handle);
          return handle;
        };
        try {
          const labels = Object.fromEntries(Object.entries(call.labels).map(([name, map]) => [name, put(map)]));
          const { damage, ...made } = lessons.microscope(put(call.image), labels, call.pixelSize, call.options) as Made & { damage: number };
          if (damage) made.labels.damage = damage;
          return this.taken(made);
        } finally {
          for (const handle of own) lessons.free(handle);
        }
      }
      case "decode": {
        const made = this.lessons.decode(call.bytes) as { image: number; bitDepth: number; channels: number };
        const image = this.take(made.image, undefined, this.lessons);
        return { value: { ...made, image: image.value }, transfer: image.transfer };
      }
      case "load": {
        const model = glue.load_model(call.bytes, call.external);
        this.models.set(call.key, model);
        return { value: glue.model_graph(model), transfer: [] };
      }
      case "unload": {
        const model = this.models.get(call.key);
        if (model !== undefined) glue.free_model(model);
        this.models.delete(call.key);
        this.forget(this.newest.get(call.key) ?? 0);
        this.newest.delete(call.key);
        return { value: null, transfer: [] };
      }
      case "forward":
        return this.forward(call);
      case "strip":
        return this.withInputs([call.input], (handles) =>
          this.take(glue.model_run_rows(this.modelOf(call.model), handles[0]!, call.exact, ...call.rows)),
        );
      case "model":
        return this.ask(call.method, [this.modelOf(call.model), ...call.args], call.method === "model_parameter");
      case "trace": {
        const trace = this.traces.get(call.trace);
        if (trace === undefined) throw new Error("this run of the network is gone; run it again before asking about it");
        return this.ask(call.method, [trace, call.node, call.at], call.method === "trace_gradient");
      }
      case "hold": {
        this.release(call.key);
        this.held.set(call.key, glue.put(call.data, Uint32Array.from(call.shape)));
        return { value: null, transfer: [] };
      }
      case "release":
        this.release(call.key);
        return { value: null, transfer: [] };
      case "open_card":
      case "try_card":
        throw new Error("this instance has no graphics card at hand");
    }
  }

  /** Puts a part of the engine into this instance: it shares its memory, and the engine's functions find it through a table. */
  private join(part: Part, module: WebAssembly.Module): void {
    if (this.parts.has(part)) return;
    // Built apart, they would call each other's functions by numbers that mean something else.
    if (builtFrom(module) !== builtFrom(this.module)) throw new Error(`the file “${part}” of this page is from another version than the rest; load the page anew`);
    new WebAssembly.Instance(module, { engine: this.exports });
    this.parts.add(part);
  }

  /** Moves a micrograph and its labels out of the lessons. */
  private taken(made: Made): { value: unknown; transfer: ArrayBuffer[] } {
    const take = (handle: number) => this.take(handle, undefined, this.lessons);
    const image = take(made.image);
    const labels = Object.entries(made.labels).map(([name, handle]) => [name, take(handle)] as const);
    return {
      value: { ...made, image: image.value, labels: Object.fromEntries(labels.map(([name, { value }]) => [name, value])) },
      transfer: [...image.transfer, ...labels.flatMap(([, { transfer }]) => transfer)],
    };
  }

  /** The kept maps of a run leave. */
  protected maps(made: { output: number; nodes: Record<string, number> }, out?: Float32Array): { value: { output: Tensor; nodes: Record<string, Tensor> }; transfer: ArrayBuffer[] } {
    const output = this.take(made.output, out);
    const nodes = Object.entries(made.nodes).map(([name, handle]) => [name, this.take(handle)] as const);
    return {
      value: { output: output.value, nodes: Object.fromEntries(nodes.map(([name, { value }]) => [name, value])) },
      transfer: [...output.transfer, ...nodes.flatMap(([, { transfer }]) => transfer)],
    };
  }

  /** A network that does little with much, from array to array; it leaves no trace. Null for others. */
  private stream({ model, input, out }: Extract<Call, { kind: "forward" }>): { value: unknown; transfer: ArrayBuffer[] } | null {
    if (input === null || isKey(input)) return null;
    const sizes = Uint32Array.from(input.shape);
    const shape: number[] = Array.from(this.glue.model_light(this.modelOf(model), sizes));
    if (!shape.length) return null;
    const length = shape.reduce((a, b) => a * b, 1);
    // A wrong length is refused where all are.
    const data = out?.length === length && out.buffer !== input.data.buffer ? out : new Float32Array(length);
    this.glue.model_stream(this.modelOf(model), input.data, sizes, data);
    return { value: { output: { data, shape }, nodes: {}, streamed: true }, transfer: data === out ? [] : [data.buffer as ArrayBuffer] };
  }

  /** Runs a network; the trace stays here for questions, the kept maps leave. */
  private forward(call: Extract<Call, { kind: "forward" }>): { value: unknown; transfer: ArrayBuffer[] } {
    const streamed = call.light ? this.stream(call) : null;
    if (streamed) return streamed;
    return this.withInputs([call.input], (handles) => {
      const made = this.glue.model_run(this.modelOf(call.model), handles[0]!, call.keep, call.exact) as {
        trace: number;
        output: number;
        nodes: Record<string, number>;
      };
      // A model's newest run takes the place of the one before.
      this.forget(this.newest.get(call.model) ?? 0);
      this.newest.set(call.model, call.trace);
      this.traces.set(call.trace, made.trace);
      return this.maps(made, call.out);
    });
  }

  protected modelOf(key: number): number {
    const model = this.models.get(key);
    if (model === undefined) throw new Error("this network was closed; load it again before using it");
    return model;
  }

  private forget(key: number): void {
    const trace = this.traces.get(key);
    if (trace !== undefined) this.glue.free_trace(trace);
    this.traces.delete(key);
  }

  private release(key: number): void {
    const handle = this.held.get(key);
    if (handle !== undefined) this.glue.free(handle);
    this.held.delete(key);
    const copy = this.lent.get(key);
    if (copy !== undefined) this.lessons.free(copy);
    this.lent.delete(key);
  }

  private handleOf(key: number): number {
    const handle = this.held.get(key);
    if (handle === undefined) throw new Error("this tensor was released; hold it again before using it");
    return handle;
  }

  /** A held tensor's handle in the lessons. */
  private copyOf(key: number): number {
    const handle = this.handleOf(key);
    let copy = this.lent.get(key);
    if (copy === undefined) {
      copy = this.lessons.put(this.glue.read(handle), this.glue.shape_of(handle));
      this.lent.set(key, copy);
    }
    return copy;
  }

  /** Uploads what came with the message; `free` gives it back. */
  protected lend(refs: Ref[]): { handles: Uint32Array; free(): void } {
    const own: number[] = [];
    const free = () => {
      for (const handle of own) this.glue.free(handle);
    };
    try {
      const handles = refs.map((ref) => {
        if (ref === null) return 0;
        if (isKey(ref)) return this.handleOf(ref.key);
        const handle = this.glue.put(ref.data, Uint32Array.from(ref.shape));
        own.push(handle);
        return handle;
      });
      return { handles: Uint32Array.from(handles), free };
    } catch (error) {
      free();
      throw error;
    }
  }

  /** The same for as long as `use` takes, whatever happens. */
  private withInputs<T>(refs: Ref[], use: (handles: Uint32Array) => T): T {
    const { handles, free } = this.lend(refs);
    try {
      return use(handles);
    } finally {
      free();
    }
  }

  /** Moves a tensor out of the instance, into `out` where the caller gave one. */
  protected take(handle: number, out?: Float32Array, from: Glue | Lessons = this.glue): { value: { data: Float32Array; shape: number[] }; transfer: ArrayBuffer[] } {
    try {
      const shape: number[] = Array.from(from.shape_of(handle));
      if (out) {
        from.read_into(handle, out);
        return { value: { data: out, shape }, transfer: [] };
      }
      const data = from.read(handle);
      return { value: { data, shape }, transfer: [data.buffer as ArrayBuffer] };
    } finally {
      from.free(handle);
    }
  }

  /** A function of either instance by its name; keys become handles, lists of numbers unsigned arrays. */
  private ask(method: string, args: unknown[], tensor = false): { value: unknown; transfer: ArrayBuffer[] } {
    const from = OWN.has(method) ? this.glue : this.lessons;
    const target = (from as unknown as Record<string, unknown>)[method];
    if (typeof target !== "function") throw new Error(`the engine knows no question “${method}”`);
    const own: number[] = [];
    try {
      const given = args.map((arg) => {
        if (isKey(arg)) return from === this.glue ? this.handleOf(arg.key) : this.copyOf(arg.key);
        if (isNumbers(arg)) return Uint32Array.from(arg);
        if (isTensor(arg)) {
          const handle = from.put(arg.data, Uint32Array.from(arg.shape));
          own.push(handle);
          return handle;
        }
        return arg;
      });
      const value = (target as (...given: unknown[]) => unknown)(...given);
      return tensor ? this.take(value as number, undefined, from) : { value, transfer: [] };
    } finally {
      for (const handle of own) from.free(handle);
    }
  }
}

/** Which sources a module says that it was built from. */
function builtFrom(module: WebAssembly.Module): string {
  return WebAssembly.Module.customSections(module, "kernelscope-sources").map((section) => new TextDecoder().decode(section)).join();
}

/** An empty list may as well be one of objects: it stays as it is. */
const isNumbers = (arg: unknown): arg is number[] => Array.isArray(arg) && arg.length > 0 && arg.every((item) => typeof item === "number");

const isTensor = (arg: unknown): arg is { data: Float32Array; shape: number[] } =>
  typeof arg === "object" && arg !== null && "data" in arg && arg.data instanceof Float32Array && "shape" in arg && isNumbers(arg.shape);
