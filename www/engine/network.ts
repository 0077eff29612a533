/** A loaded network: where its runs are computed, and who answers questions about them. */
import type { GraphNode, Input, Model, Run, RunOptions, Tensor } from "./api";
import type { Core, Role } from "./client";
import type { Call, Ref } from "./protocol";
import { checkOut, copyOf, detach, nextKey, refOf } from "./refs";
import { into, runTiles, type Strip, type Tiles } from "./tiles";
import { buffersOf } from "./transport";

/** Pictures of fewer pixels are run as a whole: by one worker, and where several could share the work. */
const LARGE_PIXELS = 1 << 20;
const SHARED_PIXELS = 1 << 18;
/** A picture of so many values may be more than a network has to do with each of them: see `Graph::light`. */
const MUCH = 1 << 19;
/** What the maps of all tiles that are under way may take, and what the maps of a picture that cannot be split may take. */
const TILE_BYTES = 1e9;
const WHOLE_BYTES = 3e9;

/** Whether all values are: a product with zero is zero unless one is not. */
function isFinite(values: Float32Array): boolean {
  // Four sums at a time: one alone would wait for itself.
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    a += values[i]! * 0;
    b += values[i + 1]! * 0;
    c += values[i + 2]! * 0;
    d += values[i + 3]! * 0;
  }
  for (let i = whole; i < values.length; i++) a += values[i]! * 0;
  return a + b + c + d === 0;
}

/** A loaded network. One run at a time is remembered; asking about an older one is refused. */
export class Network implements Model {
  /** The run that finished last. */
  private newest = 0;
  /** Where pictures of a size are cut. */
  private tilings = new Map<string, Strip[]>();

  constructor(private core: Core, private key: number, readonly graph: GraphNode[]) {}

  async shapes(inputShape: number[]): Promise<Record<string, number[]>> {
    return (await this.core.send("answerer", { kind: "model", method: "model_shapes", model: this.key, args: [inputShape] })).value as Record<string, number[]>;
  }

  async parameter(name: string): Promise<Tensor> {
    return (await this.core.send("answerer", { kind: "model", method: "model_parameter", model: this.key, args: [name] })).value as Tensor;
  }

  async card(): Promise<Record<string, unknown>> {
    return (await this.core.send("answerer", { kind: "model", method: "model_card", model: this.key, args: [] })).value as Record<string, unknown>;
  }

  async receptiveField(node: string, at: [number, number], inputShape: number[]) {
    const call: Call = { kind: "model", method: "model_receptive_field", model: this.key, args: [node, at, inputShape] };
    return (await this.core.send("answerer", call)).value as Awaited<ReturnType<Model["receptiveField"]>>;
  }

  async run(x: Input, options: RunOptions = {}): Promise<Run> {
    const { keep = "output", exact = keep !== "output", out, transfer, signal, progress } = options;
    if (typeof exact !== "boolean") throw new Error(`run: exact must be true or false; got ${JSON.stringify(exact)}`);
    checkOut("run", out);
    const input = refOf("run", x);
    let failed: Error | undefined;
    if (this.core.cards.takes(options.exact, keep)) {
      const trace = nextKey();
      const call: Call = { kind: "forward", model: this.key, input, keep, exact: false, trace, timed: options.timed };
      const tried = await this.core.cards.carryOut(call, signal);
      if (!(tried instanceof Error)) {
        this.core.note("network", tried.ms, "webgpu");
        const { output, nodes, times } = tried.value as Pick<Run, "output" | "nodes" | "times">;
        const given = { output: into("run", output, out), nodes, ...(times && { times }) };
        const answers = this.later(given, transfer ? copyOf(x) : x);
        if (transfer) detach([input]);
        return answers;
      }
      failed = tried;
    }
    const run = await this.onProcessor(x, input, keep, exact, { out, transfer, signal, progress });
    if (failed) this.core.cards.failed(failed);
    return run;
  }

  private async onProcessor(x: Input, input: Ref, keep: NonNullable<RunOptions["keep"]>, exact: boolean, { out, transfer, signal, progress }: RunOptions): Promise<Run> {
    const { shape } = x;
    if (keep === "output" && shape.length >= 3 && this.isLarge(shape)) {
      let strips = await this.tiling(shape, exact);
      if (strips.length && !exact && !isFinite(x.data)) {
        // As a whole such a picture is summed in reading order. Its strips must not decide that one by one.
        exact = true;
        strips = await this.tiling(shape, exact);
      }
      if (strips.length) {
        const send: Tiles<Role>["send"] = (role, call, options) => this.core.send(role, call, options);
        const job: Tiles<Role> = { send, crew: this.core.crew, model: this.key, exact, strips, x, out, signal, progress };
        const output = await runTiles(job);
        this.core.note("network", job.ms ?? 0);
        return this.later({ output, nodes: {} }, x);
      }
    }
    const trace = nextKey();
    const call: Call = { kind: "forward", model: this.key, input, keep, exact, trace };
    if (out && this.core.onThisThread) call.out = out;
    call.light = keep === "output" && !transfer && x.data.length >= MUCH;
    const reply = await this.core.send("runner", call, { signal, transfer: transfer ? buffersOf([input]) : [] });
    this.core.note("network", reply.ms);
    const value = reply.value as Pick<Run, "output" | "nodes"> & { streamed?: boolean };
    if (value.streamed) return this.later({ output: into("run", value.output, out), nodes: {} }, x);
    return this.answers({ output: into("run", value.output, out), nodes: value.nodes }, trace);
  }

  close(): void {
    this.core.unload(this.key);
  }

  /** Small pictures gain nothing from strips, and a question to the answerer would be a large part of their time. */
  private isLarge(shape: number[]): boolean {
    return shape.slice(-2).reduce((a, b) => a * b, 1) >= (this.core.crew.length > 1 ? SHARED_PIXELS : LARGE_PIXELS);
  }

  /** The strips that a picture is run in, none if it is run as a whole. */
  private async tiling(shape: number[], exact: boolean): Promise<Strip[]> {
    const workers = this.core.crew.length;
    const size = `${shape} ${exact}`;
    const known = this.tilings.get(size);
    if (known) return known;
    const call: Call = { kind: "model", method: "model_tiling", model: this.key, args: [shape, exact, workers, TILE_BYTES / workers, WHOLE_BYTES] };
    const { strips } = (await this.core.send("answerer", call)).value as { strips: Strip[] };
    this.tilings.set(size, strips);
    return strips;
  }

  /**
   * Whoever asks about a value of a run that left nothing behind (in tiles, on a card) needs the picture's maps after all: once,
   * on demand, by the processor, and in the order of `explain`.
   */
  private later(maps: Pick<Run, "output" | "nodes" | "times">, x: Input): Run {
    const own = (this.newest = nextKey());
    let whole: Promise<Run> | undefined;
    const asked = () => {
      if (own !== this.newest && !whole) throw new Error("this network has run again since; ask the newer run");
      return (whole ??= this.whole(x));
    };
    return {
      ...maps,
      explain: async (node, at) => (await asked()).explain(node, at),
      shares: async (node, at) => (await asked()).shares(node, at),
      gradient: async (node, at) => (await asked()).gradient(node, at),
    };
  }

  /** A run of the whole picture, for questions about one that left nothing behind. */
  private async whole(x: Input): Promise<Run> {
    const trace = nextKey();
    const call: Call = { kind: "forward", model: this.key, input: refOf("run", x), keep: "output", exact: true, trace };
    const reply = await this.core.send("runner", call);
    return this.answers(reply.value as Pick<Run, "output" | "nodes">, trace);
  }

  /** From now on this run is the one that may be asked about. */
  private answers(maps: Pick<Run, "output" | "nodes">, trace: number): Run {
    this.newest = trace;
    const about = async <T>(method: Extract<Call, { kind: "trace" }>["method"], node: string, at: number[]): Promise<T> => {
      if (trace !== this.newest) throw new Error("this network has run again since; ask the newer run");
      return (await this.core.send("runner", { kind: "trace", method, trace, node, at })).value as T;
    };
    return {
      ...maps,
      explain: (node, at) => about("trace_explain", node, at),
      shares: (node, at) => about("trace_shares", node, at),
      gradient: (node, at) => about("trace_gradient", node, at),
    };
  }
}
