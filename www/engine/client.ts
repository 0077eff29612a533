/** `createEngine`: promises in front of two instances, one that runs and one that answers. */
import type {
  AvgPool2dOptions, Bytes, CallOptions, Conv2dOptions, ConvTranspose2dOptions, Engine, EngineOptions, Explanation, GraphNode, Held, Input, InterpolateOptions, KernelInfo, Knob,
  LoadOptions, MaxPool2dOptions, MicroscopeOptions, Model, PadOptions, Picture, Run, RunOptions, Specimen, SpecimenKind, Stats, Tensor,
} from "./api";
import { Card } from "./card";
import { compileEngine, compileSubject } from "./compile";
import { decide, offer } from "./decide";
import { needs, type Subject } from "./executor";
import { type Call, isKey, type Ref } from "./protocol";
import { into, runTiles, type Strip, type Tiles } from "./tiles";
import { recall, remember } from "./trials";
import { buffersOf, CardLost, HereTransport, InstanceLost, type Reply, type SendOptions, type Transport, WorkerTransport } from "./transport";

/** The runner computes, the answerer never does; helpers compute tiles beside the runner. */
type Role = "runner" | "answerer" | `helper ${number}`;

const MOST_WORKERS = 16;

export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const { backend = "auto", precision = "float32", thread = "worker", workers = 1 } = options;
  if (!["auto", "cpu", "webgpu"].includes(backend)) {
    throw new Error(`createEngine: backend must be "auto", "cpu" or "webgpu"; got ${JSON.stringify(backend)}`);
  }
  if (precision !== "float32" && precision !== "float16") {
    throw new Error(`createEngine: precision must be "float32" or "float16"; got ${JSON.stringify(precision)}`);
  }
  if (precision === "float16" && backend !== "webgpu") {
    throw new Error(`createEngine: precision "float16" is for backend "webgpu"; got backend ${JSON.stringify(backend)}`);
  }
  if (thread !== "worker" && thread !== "here") {
    throw new Error(`createEngine: thread must be "worker" or "here"; got ${JSON.stringify(thread)}`);
  }
  if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
    throw new Error(`createEngine: workers must be a whole number from 1 to ${MOST_WORKERS}; got ${JSON.stringify(workers)}`);
  }
  const module = await compileEngine();
  const core = new Core(module, workers, backend, precision === "float16");
  await core.open(thread === "here" || typeof Worker === "undefined", thread);
  core.settled = core.choose();
  if (backend === "webgpu") await core.settled;
  return core;
}

let keys = 0;

/** Keys of held tensors and models, unlike in all engines of a page: what belongs to another engine is not found. */
const nextKey = (): number => ++keys;

/** A card that fails so often in a row, at calls that the processor can carry out, is given up. */
const MOST_FAILURES = 3;
/** What says nothing about the card: a map larger than it takes, values that are not finite. */
const THIS_TIME = /^webgpu \(this time\): /;

class Core implements Engine {
  settled: Promise<void> = Promise.resolve();
  /** Where the processor computes. */
  private where = "";
  private card: Card | undefined;
  /** Why it computes, or why not. */
  private why = "";
  private failures = 0;
  private losses = 0;
  private transports!: Record<Role, Transport>;
  private restarting: Partial<Record<Role, Promise<void>>> = {};
  /** What instances have been taught, or are being taught. */
  private taught = new Map<Transport, Partial<Record<Subject, Promise<unknown>>>>();
  private held = new Map<number, Tensor>();
  private models = new Map<number, { bytes: Uint8Array; external: (string | Uint8Array)[] }>();
  private closed = false;
  onThisThread = false;
  private last: Stats["last"] = null;
  private gpu: Stats["gpu"] = null;
  private runs = 0;
  private restarts = 0;
  private memoryBytes = 0;

  constructor(private module: WebAssembly.Module, private workers: number, private asked: "auto" | "cpu" | "webgpu", private half: boolean) {}

  get backend(): "cpu" | "webgpu" {
    return this.card ? "webgpu" : "cpu";
  }

  get adapter(): string {
    return this.card?.described.adapter ?? "";
  }

  get reason(): string {
    if (!this.card) return this.why ? `${this.where}; ${this.why}` : this.where;
    const { adapter, software } = this.card.described;
    const what = software ? "on an imitation of a graphics card by the processor" : "on the graphics card";
    return [adapter ? `${what} (${adapter})` : what, this.why].filter(Boolean).join(", ");
  }

  /** Those who compute. */
  get crew(): Role[] {
    return (Object.keys(this.transports) as Role[]).filter((role) => role !== "answerer");
  }

  get simd(): string {
    return this.transports.runner.simd;
  }

  async open(here: boolean, asked: string): Promise<void> {
    if (!here) {
      try {
        const roles: Role[] = ["runner", "answerer", ...Array.from({ length: this.workers - 1 }, (_, i) => `helper ${i + 1}` as const)];
        const started = await Promise.all(roles.map(() => WorkerTransport.start(this.module)));
        this.transports = Object.fromEntries(roles.map((role, i) => [role, started[i]!])) as unknown as Record<Role, Transport>;
        this.where = this.workers > 1 ? `on the processor, in ${this.workers} workers` : "on the processor, in a worker";
        return;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.where = `on the processor, on the page's own thread, since the browser refused a worker (${why})`;
      }
    } else {
      this.where = asked === "here" ? "on the processor, on the calling thread" : "on the processor; this place has no workers";
    }
    this.onThisThread = true;
    const both = new HereTransport(this.module);
    this.transports = { runner: both, answerer: both };
  }

  /** Finds a graphics card, if one is wanted, and whether it shall compute. Never rejects: the processor is always there. */
  async choose(): Promise<void> {
    try {
      if (this.asked === "webgpu") await this.openCard();
      else if (this.asked === "auto") await this.tryCard();
    } catch (error) {
      this.why = error instanceof Error ? error.message.replace(/^webgpu: /, "") : String(error);
    }
  }

  private async openCard(): Promise<Card> {
    const card = await Card.open(this.half, this.onThisThread);
    if (this.closed) {
      card.close();
      throw new Error("the engine was closed");
    }
    this.card = card;
    this.why = this.half && !card.described.features.includes("float16") ? "which has no half precision" : "";
    return card;
  }

  private async tryCard(): Promise<void> {
    // Who asks for the calling thread wants everything there.
    if (this.onThisThread) return;
    const offered = await offer();
    const first = decide(offered);
    this.why = first.why;
    if (typeof offered === "string" || offered.software) return;
    const card = await Card.open(false, false);
    let trial = recall(card.described);
    if (!trial && !card.described.software) {
      trial = await card.trial().catch((error: Error) => error.message);
      remember(card.described, trial);
    }
    const { use, why } = decide(card.described, trial);
    this.why = why;
    if (use && !this.closed) this.card = card;
    else card.close();
  }

  /**
   * A call on the graphics card: its reply, or why it failed, or null where no card computes. Whoever gets an error lets the
   * processor carry the call out, and says with `cardFailed` that it could.
   */
  async onCard(call: Call, signal?: AbortSignal): Promise<Reply | Error | null> {
    const { card } = this;
    if (!card || this.closed) return null;
    try {
      if (call.kind === "forward") {
        const files = this.models.get(call.model);
        if (!files) return null;
        await card.give("load", call.model, () => ({ kind: "load", key: call.model, ...files }));
      }
      for (const ref of call.kind === "op" ? call.inputs : call.kind === "forward" ? [call.input] : []) {
        const held = isKey(ref) ? this.held.get(ref.key) : undefined;
        if (held) await card.give("hold", (ref as { key: number }).key, () => ({ kind: "hold", key: (ref as { key: number }).key, ...held }));
      }
      const reply = await card.send(call, { signal });
      this.failures = 0;
      this.gpu = reply.card ?? null;
      return reply;
    } catch (error) {
      if (signal?.aborted || this.closed) throw error;
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** The processor could, so the card was at fault: a lost one is opened again once; one that keeps failing is given up. */
  cardFailed(error: Error): void {
    const { card } = this;
    if (!card) return;
    if (THIS_TIME.test(error.message)) return;
    const words = error.message.replace(/^webgpu: /, "");
    const lost = error instanceof CardLost || error instanceof InstanceLost;
    this.failures += 1;
    if (!lost && this.failures < MOST_FAILURES) return;
    this.card = undefined;
    card.close();
    if (!lost) {
      this.why = `the graphics card failed ${MOST_FAILURES} times in a row: ${words}`;
      return;
    }
    this.losses += 1;
    this.why = words;
    if (this.losses > 1) {
      this.why = `the graphics card was lost twice: ${words}`;
      return;
    }
    this.settled = this.openCard().then(
      () => void (this.why = "opened again after it was lost"),
      (again: Error) => void (this.why = `${words}, and could not be opened again: ${again.message.replace(/^webgpu: /, "")}`),
    );
  }

  /** Whether a run of a network with these wishes is the card's. "auto" leaves it what nobody looks into. */
  cardTakes(exact: boolean | undefined, keep: NonNullable<RunOptions["keep"]>): boolean {
    if (!this.card || exact === true) return false;
    return this.asked === "webgpu" || keep === "output";
  }

  conv2d(x: Input, weight: Input, bias: Input | null, options: Conv2dOptions = {}): Promise<Tensor> {
    return this.run("conv2d", [x, weight, bias], options);
  }

  relu(x: Input, options: CallOptions = {}): Promise<Tensor> {
    return this.run("relu", [x], options);
  }

  maxPool2d(x: Input, options: MaxPool2dOptions): Promise<Tensor> {
    return this.run("max_pool2d", [x], options);
  }

  avgPool2d(x: Input, options: AvgPool2dOptions): Promise<Tensor> {
    return this.run("avg_pool2d", [x], options);
  }

  adaptiveAvgPool2d(x: Input, outputSize: Parameters<Engine["adaptiveAvgPool2d"]>[1], options: CallOptions = {}): Promise<Tensor> {
    return this.run("adaptive_avg_pool2d", [x], { ...options, outputSize } as CallOptions);
  }

  convTranspose2d(x: Input, weight: Input, bias: Input | null, options: ConvTranspose2dOptions = {}): Promise<Tensor> {
    return this.run("conv_transpose2d", [x, weight, bias], options);
  }

  interpolate(x: Input, options: InterpolateOptions): Promise<Tensor> {
    return this.run("interpolate", [x], options);
  }

  leakyRelu(x: Input, options: CallOptions = {}): Promise<Tensor> {
    return this.run("leaky_relu", [x], options);
  }

  sigmoid(x: Input, options: CallOptions = {}): Promise<Tensor> {
    return this.run("sigmoid", [x], options);
  }

  softmax(x: Input, options: CallOptions): Promise<Tensor> {
    return this.run("softmax", [x], options);
  }

  batchNorm(x: Input, mean: Input, variance: Input, weight: Input | null, bias: Input | null, options: CallOptions = {}): Promise<Tensor> {
    return this.run("batch_norm", [x, mean, variance, weight, bias], options);
  }

  linear(x: Input, weight: Input, bias: Input | null, options: CallOptions = {}): Promise<Tensor> {
    return this.run("linear", [x, weight, bias], options);
  }

  add(a: Input, b: Input, options: CallOptions = {}): Promise<Tensor> {
    return this.run("add", [a, b], options);
  }

  concat(inputs: Input[], options: CallOptions): Promise<Tensor> {
    return this.run("concat", inputs, options);
  }

  flatten(x: Input, options: CallOptions = {}): Promise<Tensor> {
    return this.run("flatten", [x], options);
  }

  pad(x: Input, options: PadOptions): Promise<Tensor> {
    return this.run("pad", [x], options);
  }

  argmax(x: Input, options: CallOptions): Promise<Tensor> {
    return this.run("argmax", [x], options);
  }

  async explain(op: string, inputs: (Input | null)[], options: object, at: number[]): Promise<Explanation> {
    const call: Call = { kind: "explain", op, inputs: inputs.map((input) => refOf(op, input)), options: plain(options), at };
    return (await this.send("answerer", call)).value as Explanation;
  }

  async specimen(kind: string, options: object = {}): Promise<Specimen> {
    const reply = await this.send("runner", { kind: "specimen", specimen: kind, options });
    this.note("specimen", reply.ms);
    return reply.value as Specimen;
  }

  kinds(): Promise<SpecimenKind[]> {
    return this.ask<SpecimenKind[]>("kinds");
  }

  async microscope({ image, labels, pixelSize }: Specimen, options: MicroscopeOptions = {}): Promise<Specimen> {
    const maps = Object.entries(labels).map(([name, map]) => [name, refOf("microscope", map) as Tensor] as const);
    const call: Call = { kind: "microscope", image: refOf("microscope", image) as Tensor, labels: Object.fromEntries(maps), pixelSize, options };
    const reply = await this.send("runner", call);
    this.note("microscope", reply.ms);
    return reply.value as Specimen;
  }

  microscopeOptions(): Promise<Knob[]> {
    return this.ask<Knob[]>("microscope_options");
  }

  async histogram(image: Input, bins: number): Promise<Uint32Array> {
    return this.ask<Uint32Array>("histogram", refOf("histogram", image), bins);
  }

  async powerSpectrum(image: Input): Promise<Tensor> {
    return (await this.send("answerer", { kind: "tensor", method: "power_spectrum", args: [refOf("powerSpectrum", image)] })).value as Tensor;
  }

  async decode(bytes: Uint8Array): Promise<Picture> {
    if (!(bytes instanceof Uint8Array)) throw new Error("decode: expected the bytes of a file as a Uint8Array");
    return (await this.send("runner", { kind: "decode", bytes })).value as Picture;
  }

  kernels(): Promise<KernelInfo[]> {
    return this.ask<KernelInfo[]>("kernels");
  }

  async kernel(name: string): Promise<Tensor> {
    return (await this.send("answerer", { kind: "tensor", method: "kernel", args: [name] })).value as Tensor;
  }

  async flip(weight: Tensor): Promise<Tensor> {
    return (await this.send("answerer", { kind: "tensor", method: "flip", args: [refOf("flip", weight)] })).value as Tensor;
  }

  async loadModel(bytes: Bytes, { externalData }: LoadOptions = {}): Promise<Model> {
    // Copies: a dead instance's successor reads them again, whatever the caller has done with his by then.
    const file = bytesOf("the bytes of a file", bytes).slice();
    const external = externalFiles(externalData).map((part) => (typeof part === "string" ? part : part.slice()));
    const key = nextKey();
    const [{ value }] = await this.each(["runner", "answerer", ...this.crew.slice(1)], { kind: "load", key, bytes: file, external });
    this.models.set(key, { bytes: file, external });
    return new Network(this, key, value as GraphNode[]);
  }

  unload(key: number): void {
    if (!this.models.delete(key) || this.closed) return;
    this.card?.take("load", key);
    this.each(["runner", "answerer", ...this.crew.slice(1)], { kind: "unload", key }).catch(() => undefined);
  }

  async hold(tensor: Tensor): Promise<Held> {
    const { data, shape } = refOf("hold", tensor) as Tensor;
    const key = nextKey();
    this.held.set(key, { data, shape });
    await this.both({ kind: "hold", key, data, shape });
    return { key, data, shape };
  }

  release(held: Held): void {
    if (!this.held.delete(held.key) || this.closed) return;
    this.card?.take("hold", held.key);
    this.both({ kind: "release", key: held.key }).catch(() => undefined);
  }

  async ask<T>(method: string, ...args: unknown[]): Promise<T> {
    return (await this.send("answerer", { kind: "ask", method, args: args.map(named) })).value as T;
  }

  async askTensor(method: string, ...args: unknown[]): Promise<Tensor> {
    return (await this.send("answerer", { kind: "tensor", method, args: args.map(named) })).value as Tensor;
  }

  stats(): Stats {
    const { last, gpu, runs, restarts, memoryBytes, backend, adapter, simd } = this;
    return { backend, adapter, simd, workers: this.crew.length, last, gpu, runs, restarts, memoryBytes };
  }

  close(): void {
    this.closed = true;
    this.held.clear();
    this.models.clear();
    for (const transport of Object.values(this.transports)) transport.close();
    this.card?.close();
  }

  private async run(op: string, inputs: (Input | null)[], options: CallOptions): Promise<Tensor> {
    const { out, transfer, signal } = options;
    checkOut(op, out);
    const refs = inputs.map((input) => refOf(op, input));
    const call: Call = { kind: "op", op, inputs: refs, options: plain(options) };
    // A single operator is less work than its way to a card and back: "auto" keeps it here.
    const tried = this.asked === "webgpu" ? await this.onCard(call, signal) : null;
    if (tried && !(tried instanceof Error)) {
      this.note(op, tried.ms, "webgpu");
      if (transfer) detach(refs);
      return into(op, tried.value as Tensor, out);
    }
    if (out && this.onThisThread) call.out = out;
    const reply = await this.send("runner", call, { signal, transfer: transfer ? buffersOf(refs) : [] }).catch((error: Error) => {
      throw error.message.startsWith("out must") ? new Error(`${op}: ${error.message}`) : error;
    });
    if (tried) this.cardFailed(tried);
    this.note(op, reply.ms);
    return into(op, reply.value as Tensor, out);
  }

  private both(call: Call): Promise<[Reply, ...Reply[]]> {
    return this.each(["runner", "answerer"], call);
  }

  /** The same call to each instance, once where one plays several parts. */
  private async each(roles: Role[], call: Call): Promise<[Reply, ...Reply[]]> {
    const once = roles.filter((role, i) => roles.findIndex((other) => this.transports[other] === this.transports[role]) === i);
    return (await Promise.all(once.map((role) => this.send(role, call)))) as [Reply, ...Reply[]];
  }

  /** Remembers what the last computation was and how long it took. */
  note(op: string, ms: number, backend: "cpu" | "webgpu" = "cpu"): void {
    this.last = { op, ms, backend };
    this.runs += 1;
  }

  async send(role: Role, call: Call, options?: SendOptions): Promise<Reply> {
    if (this.closed) throw new Error("the engine was closed");
    await this.restarting[role];
    // Somebody may have closed the engine between the call and now.
    if (this.closed) throw new Error("the engine was closed");
    const transport = this.transports[role];
    await this.prepare(transport, call);
    if (this.closed) throw new Error("the engine was closed");
    try {
      const reply = await transport.send(call, options);
      this.memoryBytes = Math.max(this.memoryBytes, reply.memory);
      return reply;
    } catch (error) {
      if (error instanceof InstanceLost && !this.closed) await this.replace(role, transport);
      throw error;
    }
  }

  /** Teaches an instance what a call needs, once; a failed download may be tried again. */
  private async prepare(transport: Transport, call: Call): Promise<void> {
    let taught = this.taught.get(transport);
    if (!taught) this.taught.set(transport, (taught = {}));
    const subject = needs(call);
    if (subject && !taught[subject]) {
      const lesson = compileSubject(subject).then((module) => transport.send({ kind: subject, module }));
      taught[subject] = lesson;
      lesson.catch(() => delete taught[subject]);
    }
    // While something is on its way, later calls wait too: the order of calls is a promise.
    const wanted = subject && taught[subject];
    await Promise.all(Object.values(taught).map((lesson) => (lesson === wanted ? lesson : lesson.catch(() => undefined))));
  }

  private async load(fresh: Transport, call: Call): Promise<void> {
    await this.prepare(fresh, call);
    await fresh.send(call);
  }

  /** A dead instance is replaced, and what it held is given to its successor. */
  private replace(role: Role, dead: Transport): Promise<void> {
    if (this.transports[role] !== dead) return this.restarting[role] ?? Promise.resolve();
    this.restarting[role] ??= this.revive(role, dead).finally(() => delete this.restarting[role]);
    return this.restarting[role];
  }

  private async revive(role: Role, dead: Transport): Promise<void> {
    dead.close();
    this.taught.delete(dead);
    const fresh = this.onThisThread ? new HereTransport(this.module) : await WorkerTransport.start(this.module);
    if (this.onThisThread) this.transports = { runner: fresh, answerer: fresh };
    else this.transports[role] = fresh;
    this.restarts += 1;
    const held = role.startsWith("helper") ? [] : [...this.held];
    await Promise.all([
      ...held.map(([key, { data, shape }]) => fresh.send({ kind: "hold", key, data, shape })),
      ...[...this.models].map(([key, files]) => this.load(fresh, { kind: "load", key, ...files })),
    ]);
  }
}

/** Pictures of fewer pixels are run as a whole: by one worker, and where several could share the work. */
const LARGE_PIXELS = 1 << 20;
const SHARED_PIXELS = 1 << 18;
/** What the maps of all tiles that are under way may take, and what the maps of a picture that cannot be split may take. */
const TILE_BYTES = 1e9;
const WHOLE_BYTES = 3e9;

/** A loaded network. One run at a time is remembered; asking about an older one is refused. */
class Network implements Model {
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
    if (this.core.cardTakes(options.exact, keep)) {
      const trace = nextKey();
      const call: Call = { kind: "forward", model: this.key, input, keep, exact: false, trace, timed: options.timed };
      const tried = await this.core.onCard(call, signal);
      if (tried && !(tried instanceof Error)) {
        this.core.note("network", tried.ms, "webgpu");
        const { output, nodes, times } = tried.value as Pick<Run, "output" | "nodes" | "times">;
        const given = { output: into("run", output, out), nodes, ...(times && { times }) };
        const answers = this.later(given, transfer ? copyOf(x) : x);
        if (transfer) detach([input]);
        return answers;
      }
      failed = tried ?? undefined;
    }
    const run = await this.onProcessor(x, input, keep, exact, { out, transfer, signal, progress });
    if (failed) this.core.cardFailed(failed);
    return run;
  }

  private async onProcessor(x: Input, input: Ref, keep: NonNullable<RunOptions["keep"]>, exact: boolean, { out, transfer, signal, progress }: RunOptions): Promise<Run> {
    const { shape } = x;
    if (keep === "output" && shape.length >= 3) {
      const strips = await this.tiling(shape, exact);
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
    const reply = await this.core.send("runner", call, { signal, transfer: transfer ? buffersOf([input]) : [] });
    this.core.note("network", reply.ms);
    const value = reply.value as Pick<Run, "output" | "nodes">;
    return this.answers({ output: into("run", value.output, out), nodes: value.nodes }, trace);
  }

  close(): void {
    this.core.unload(this.key);
  }

  /** The strips that a picture is run in, none if it is run as a whole. */
  private async tiling(shape: number[], exact: boolean): Promise<Strip[]> {
    const workers = this.core.crew.length;
    const pixels = shape.slice(-2).reduce((a, b) => a * b, 1);
    // Small pictures gain nothing, and a question to the answerer would be a large part of their time.
    if (pixels < (workers > 1 ? SHARED_PIXELS : LARGE_PIXELS)) return [];
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

function bytesOf(what: string, bytes: unknown): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  throw new Error(`loadModel: expected ${what} as a Uint8Array or an ArrayBuffer`);
}

/** The files beside a model as [name, bytes, …]; the name of an only one may be left out. */
function externalFiles(given: LoadOptions["externalData"]): (string | Uint8Array)[] {
  if (given === undefined || given === null) return [];
  if (given instanceof Uint8Array || given instanceof ArrayBuffer) return ["", bytesOf("externalData", given)];
  if (typeof given !== "object") throw new Error("loadModel: externalData must be bytes, or an object of bytes by the files' names");
  return Object.entries(given).flatMap(([name, bytes]) => [name, bytesOf(`the bytes of externalData "${name}"`, bytes)]);
}

/** What the workers hold travels by its key. */
const named = (arg: unknown): unknown => (isHeld(arg) ? { key: arg.key } : arg);

function isHeld(input: unknown): input is Held {
  return typeof input === "object" && input !== null && "key" in input;
}

/** A tensor as it travels: checked here, so that a mistake is named before anything is sent. */
function refOf(op: string, input: Input | null): Ref {
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
const copyOf = (x: Input): Input => (isHeld(x) ? x : { data: x.data.slice(), shape: x.shape });

/** What the caller handed over is gone for him, wherever it was computed. */
function detach(refs: Ref[]): void {
  const buffers = buffersOf(refs);
  if (buffers.length) structuredClone(null, { transfer: buffers });
}

function checkOut(op: string, out: unknown): void {
  if (out !== undefined && !(out instanceof Float32Array)) throw new Error(`${op}: out must be a Float32Array`);
}

/** The operator's own options, without those that belong to the call. */
function plain(options: object): object {
  const { out, transfer, signal, ...rest } = options as CallOptions;
  return rest;
}
