/** `createEngine`: promises in front of two instances, one that runs and one that answers. */
import type {
  AvgPool2dOptions, Bytes, CallOptions, Conv2dOptions, ConvTranspose2dOptions, Engine, EngineOptions, Explanation, GraphNode, Held, Input, InterpolateOptions, KernelInfo, Knob,
  LoadOptions, MaxPool2dOptions, MicroscopeOptions, Model, PadOptions, Picture, Specimen, SpecimenKind, Stats, Tensor,
} from "./api";
import { Cards, type Holdings } from "./cards";
import { compileEngine, compileSubject } from "./compile";
import type { Subject } from "./executor";
import { Network } from "./network";
import type { Call } from "./protocol";
import { bytesOf, checkOut, detach, externalFiles, named, nextKey, plain, refOf } from "./refs";
import { into } from "./tiles";
import { buffersOf, HereTransport, InstanceLost, own, type Reply, type SendOptions, type Transport, WorkerTransport } from "./transport";

/** The runner computes, the answerer never does; helpers compute tiles beside the runner. */
export type Role = "runner" | "answerer" | `helper ${number}`;

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
  const core = new Core(module, workers, (holdings) => new Cards(backend, precision === "float16", holdings));
  await core.open(thread === "here" || typeof Worker === "undefined", thread);
  core.cards.choose(core.onThisThread);
  if (backend === "webgpu") await core.settled;
  return core;
}

export class Core implements Engine {
  /** Where the processor computes. */
  private where = "";
  readonly cards: Cards;
  private transports!: Record<Role, Transport>;
  private restarting: Partial<Record<Role, Promise<void>>> = {};
  /** What instances have been taught, or are being taught. */
  private taught = new Map<Transport, Partial<Record<Subject, Promise<unknown>>>>();
  private held: Holdings["held"] = new Map();
  private models: Holdings["models"] = new Map();
  private closed = false;
  onThisThread = false;
  private last: Stats["last"] = null;
  private runs = 0;
  private restarts = 0;
  private memoryBytes = 0;

  constructor(private module: WebAssembly.Module, private workers: number, cards: (holdings: Holdings) => Cards) {
    this.cards = cards({ held: this.held, models: this.models });
  }

  get backend(): "cpu" | "webgpu" {
    return this.cards.computes ? "webgpu" : "cpu";
  }

  get adapter(): string {
    return this.cards.adapter;
  }

  get reason(): string {
    return this.cards.reason(this.where);
  }

  get settled(): Promise<void> {
    return this.cards.settled;
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
    this.cards.take("load", key);
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
    this.cards.take("hold", held.key);
    this.both({ kind: "release", key: held.key }).catch(() => undefined);
  }

  async ask<T>(method: string, ...args: unknown[]): Promise<T> {
    return (await this.send("answerer", { kind: "ask", method, args: args.map(named) })).value as T;
  }

  async askTensor(method: string, ...args: unknown[]): Promise<Tensor> {
    return (await this.send("answerer", { kind: "tensor", method, args: args.map(named) })).value as Tensor;
  }

  stats(): Stats {
    const { last, runs, restarts, memoryBytes, backend, adapter, simd, cards } = this;
    return { backend, adapter, simd, workers: this.crew.length, last, gpu: cards.stats, runs, restarts, memoryBytes };
  }

  close(): void {
    this.closed = true;
    this.held.clear();
    this.models.clear();
    for (const transport of Object.values(this.transports)) transport.close();
    this.cards.close();
  }

  private async run(op: string, inputs: (Input | null)[], options: CallOptions): Promise<Tensor> {
    const { out, transfer, signal } = options;
    checkOut(op, out);
    const refs = inputs.map((input) => refOf(op, input));
    const call: Call = { kind: "op", op, inputs: refs, options: plain(options) };
    const tried = this.cards.takesOperators && !this.closed ? await this.cards.carryOut(call, signal) : null;
    if (tried && !(tried instanceof Error)) {
      this.note(op, tried.ms, "webgpu");
      if (transfer) detach(refs);
      return into(op, tried.value as Tensor, out);
    }
    if (out && this.onThisThread) call.out = out;
    const reply = await this.send("runner", call, { signal, transfer: transfer ? buffersOf(refs) : [] }).catch((error: Error) => {
      throw error.message.startsWith("out must") ? new Error(`${op}: ${error.message}`) : error;
    });
    if (tried) this.cards.failed(tried);
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
    // One instance that plays all parts is restarted for all of them.
    if (this.onThisThread) role = "runner";
    const transport = await this.ready(role, call);
    try {
      const reply = await transport.send(call, options);
      this.memoryBytes = Math.max(this.memoryBytes, reply.memory);
      return reply;
    } catch (error) {
      if (error instanceof InstanceLost && !this.closed) await this.replace(role, transport);
      throw error;
    }
  }

  /** The instance that plays a part, taught what a call needs: its successor, where it dies of another call meanwhile. */
  private async ready(role: Role, call: Call): Promise<Transport> {
    for (;;) {
      await this.restarting[role];
      // Somebody may have closed the engine between the call and now.
      this.mustBeOpen();
      const transport = this.transports[role];
      const failed = await this.prepare(transport, call).then(() => undefined, (error: Error) => error);
      this.mustBeOpen();
      if (this.transports[role] !== transport) continue;
      if (failed) throw failed;
      return transport;
    }
  }

  private mustBeOpen(): void {
    if (this.closed) throw new Error("the engine was closed");
  }

  /** Teaches an instance what a call needs, once; a failed download may be tried again. */
  private async prepare(transport: Transport, call: Call): Promise<void> {
    let taught = this.taught.get(transport);
    if (!taught) this.taught.set(transport, (taught = {}));
    const subject = own.needs(call);
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

