/** The public interface of kernelscope. Names, semantics and defaults follow `torch.nn.functional`. */

/** Row-major values; rank 1 to 4; images are (C, H, W) or (N, C, H, W). */
export interface Tensor {
  data: Float32Array;
  shape: number[];
}

/** A tensor that the engine keeps beside its workers, so that many questions about it cost no copies. */
export interface Held extends Tensor {
  readonly key: number;
}

export type Input = Tensor | Held;
/** One number for both axes, or [rows, columns]. */
export type Pair = number | [number, number];
export type PaddingMode = "zeros" | "reflect" | "replicate" | "circular";

export interface EngineOptions {
  /**
   * "auto" (default) starts on the processor and moves networks to a graphics card that has been tried and found right and
   * faster; see `settled`. "webgpu" takes any card, an imitated one too, for operators as well. What a card refuses or fails at,
   * the processor computes, and `reason` says so.
   */
  backend?: "auto" | "cpu" | "webgpu";
  /** "float16": with backend "webgpu", maps are stored in half precision where the card can (2 % of the largest value at most). */
  precision?: "float32" | "float16";
  /** "worker" (default) keeps the page responsive; "here" computes on the calling thread. */
  thread?: "worker" | "here";
  /** Workers that share a network's run on a large picture, 1 (default) to 16. With thread "here" there is only this one. */
  workers?: number;
}

export interface CallOptions {
  /** Receives the result; its length must be the result's. */
  out?: Float32Array;
  /** Hands the inputs' buffers over instead of copying them; they are detached afterwards. */
  transfer?: boolean;
  /** Aborting rejects the call with an `AbortError`. */
  signal?: AbortSignal;
}

export interface Conv2dOptions extends CallOptions {
  stride?: Pair;
  padding?: Pair | "same" | "valid";
  dilation?: Pair;
  groups?: number;
  paddingMode?: PaddingMode;
}

export interface MaxPool2dOptions extends CallOptions {
  kernelSize: Pair;
  /** The kernel's size unless given. */
  stride?: Pair;
  /** At most half the kernel; counts as −∞. */
  padding?: Pair;
  dilation?: Pair;
  /** Rounds the output's size up: a last window may reach beyond the picture. */
  ceilMode?: boolean;
}

export interface AvgPool2dOptions extends Omit<MaxPool2dOptions, "dilation"> {
  /** Whether padding counts as zeros (default) or not at all. */
  countIncludePad?: boolean;
}

export interface ConvTranspose2dOptions extends CallOptions {
  stride?: Pair;
  padding?: Pair;
  outputPadding?: Pair;
  dilation?: Pair;
  groups?: number;
}

export interface InterpolateOptions extends CallOptions {
  size?: Pair;
  scaleFactor?: Pair;
  mode?: "nearest" | "bilinear";
  alignCorners?: boolean;
}

export interface PadOptions extends CallOptions {
  /** [left, right], [left, right, above, below] or more pairs, the last axis first; negative numbers cut off. */
  pad: number[];
  mode?: "constant" | "reflect" | "replicate" | "circular";
  /** What "constant" adds (0). */
  value?: number;
}

export interface Term {
  /** Which input the value `x` comes from. */
  input: string;
  /** Index into that input; for a tap on zero padding, its (perhaps negative) padded coordinates. */
  at: number[];
  x: number;
  w?: number;
  weightAt?: number[];
  product?: number;
  /** True where the tap fell on zero padding. */
  padding?: boolean;
  /** True for the one that a maximum takes. */
  won?: boolean;
}

/** How one output value came to be. */
export interface Explanation {
  value: number;
  reduce: string;
  bias?: number;
  terms: Term[];
  /** For sums: the running sum after each term, before the bias. */
  partials: Float32Array;
  /** For convolutions: what each input channel adds, in order. */
  channelSums?: Float32Array;
}

/** Sizes and coverage of a sliding window, as the crate computes them. */
export interface Geometry {
  output: [number, number];
  padding: { top: number; left: number; bottom: number; right: number };
  stride: [number, number];
  dilation: [number, number];
  /** Rows and columns that the dilated kernel spans. */
  span: [number, number];
  /** For each input row (column): does any window read it? */
  rows: boolean[];
  cols: boolean[];
  /** Input pixels that no window reads. */
  unreached: number;
}

export interface Picture {
  image: Tensor;
  bitDepth: number;
  channels: number;
}

export interface Specimen {
  image: Tensor;
  labels: Record<string, Tensor>;
  /** Nanometres a pixel. */
  pixelSize: number;
}

/** A number that can be set: of a kind of specimen or of the microscope. */
export interface Knob {
  name: string;
  label: string;
  min: number;
  max: number;
  step: number;
  default: number;
}

export interface SpecimenKind {
  name: string;
  label: string;
  about: string;
  options: Knob[];
}

/** What the microscope's options are: `engine.microscopeOptions()` lists them with units and ranges. */
export interface MicroscopeOptions {
  dose?: number;
  gain?: number;
  readNoise?: number;
  blur?: number;
  defocus?: number;
  drift?: number;
  distortion?: number;
  background?: number;
  invert?: boolean | number;
  gamma?: number;
  pixelSize?: number;
  damage?: number;
  seed?: number;
}

export interface KernelInfo {
  name: string;
  label: string;
  about: string;
  size: number;
}

/** A graphics card, and what its last run cost. */
export interface CardStats {
  adapter: string;
  /** The processor imitates it. */
  software: boolean;
  /** What of it is in use: "float16", "timestamps". */
  features: string[];
  /** Why it is lost, if it is. */
  lost: string | null;
  dispatches: number;
  passes: number;
  submits: number;
  /** Writes from the processor's memory, and their bytes. */
  writes: number;
  uploaded: number;
  /** Bytes read back. */
  readBack: number;
  /** Different pipelines used. */
  pipelines: number;
  /** What was made for this run: nothing, if one like it ran before. */
  buffersCreated: number;
  bindGroupsCreated: number;
  pipelinesCreated: number;
  /** Bytes of weights and tables written for this run. */
  constantsUploaded: number;
  flops: number;
  /** Bytes of its buffers. */
  memory: number;
}

export interface Stats {
  backend: string;
  adapter: string;
  simd: string;
  /** Workers that compute on the processor. */
  workers: number;
  /** The last computation: which operator, where, and its milliseconds inside the engine. */
  last: { op: string; ms: number; backend: "cpu" | "webgpu" } | null;
  /** The card's last run, if there was one. */
  gpu: CardStats | null;
  runs: number;
  restarts: number;
  memoryBytes: number;
}

export interface GraphNode {
  name: string;
  op: string;
  inputs: string[];
  attributes: Record<string, unknown>;
  /** The names of its parameters: "weight", "bias". */
  parameters: string[];
  /** How many values it has learned. */
  count: number;
}

/** A rectangle of pixels, inclusive. */
export interface Rectangle {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

/** Where a value comes from, with what ReLU and max pooling did for this picture taken as given: `value = constant + Σ paths`. */
export interface Shares {
  value: number;
  /** What passes through each map of a cut across the network: the skip connections and the bottleneck. */
  paths: { input: string; value: number }[];
  /** What the biases behind the cut add. */
  constant: number;
}

export interface Run {
  output: Tensor;
  /** The nodes that were asked for. */
  nodes: Record<string, Tensor>;
  /** How one value of any node came to be. `at` is (c, y, x). */
  explain(node: string, at: number[]): Promise<Explanation>;
  /** The gradient of one value of any node with respect to the input picture. */
  gradient(node: string, at: number[]): Promise<Tensor>;
  shares(node: string, at: number[]): Promise<Shares>;
  /** Each node's milliseconds, if they were asked for and a graphics card told them. */
  times?: { node: string; ms: number }[];
}

/** The bytes of a file. */
export type Bytes = Uint8Array | ArrayBuffer;

export interface LoadOptions {
  /** The files beside an ONNX file that hold its weights: by their names, or the bytes of the only one. */
  externalData?: Bytes | Record<string, Bytes>;
}

export interface RunOptions extends CallOptions {
  keep?: "output" | "all" | string[];
  /**
   * Whether convolutions add their products in the order of `explain`, so that every value equals its explanation to the bit.
   * By default they do where maps between are kept, to be looked at; a run for its output alone takes the fastest order, which
   * differs in the last digits. An exact run is the processor's, whatever the backend.
   */
  exact?: boolean;
  /** Asks a graphics card for the time of each node. */
  timed?: boolean;
  /** Called after each tile of a picture that is run in tiles, with how many are done and how many there are. */
  progress?: (done: number, total: number) => void;
}

export interface Model {
  readonly graph: GraphNode[];
  shapes(inputShape: number[]): Promise<Record<string, number[]>>;
  /** A learned tensor by its full name, "conv1.weight". */
  parameter(name: string): Promise<Tensor>;
  /** What the file says about itself: task, classes, threshold, what it was trained on. */
  card(): Promise<Record<string, unknown>>;
  /** Everything that one position of a node can see: exact, inclusive, clipped to the picture. */
  receptiveField(node: string, at: [number, number], inputShape: number[]): Promise<Rectangle>;
  run(x: Input, options?: RunOptions): Promise<Run>;
  close(): void;
}

/**
 * The engine. Every call returns a promise, and what it refuses it refuses by rejecting: nothing throws where it is called.
 *
 * - **Concurrent calls** need no waiting for each other. They are carried out one by one in the order in which they were made
 *   and do not see each other; a refused call leaves the others as they are. Of several runs of one `Model` the last one
 *   started is the one that answers questions; asking an older `Run` rejects and says so. Its maps stay valid.
 * - **`signal`**: an aborted call rejects at once with the signal's reason (by default an `AbortError`). `out` is left as it
 *   was, and the engine goes on with the next call. A signal that is aborted already sends nothing.
 * - **`out`** of another length than the result's rejects and stays unchanged. `out` may be an input's own data.
 * - **`close()`** rejects every call under way and every later one with "the engine was closed", its models' and runs' too.
 *   Tensors that were returned stay valid. Closing again does nothing.
 * - **Several engines** on a page share the compiled module and nothing else: their tensors, models and failures are their own.
 *   A `Held` tensor or a `Model` belongs to the engine that made it.
 */
export interface Engine {
  readonly backend: "cpu" | "webgpu";
  readonly adapter: string;
  readonly simd: string;
  /** Why this backend and this thread, in a person's words. It changes when the backend does. */
  readonly reason: string;
  /** Resolves when it has been decided which backend computes; again a pending one while a lost card is opened once more. */
  readonly settled: Promise<void>;
  conv2d(x: Input, weight: Input, bias: Input | null, options?: Conv2dOptions): Promise<Tensor>;
  relu(x: Input, options?: CallOptions): Promise<Tensor>;
  maxPool2d(x: Input, options: MaxPool2dOptions): Promise<Tensor>;
  avgPool2d(x: Input, options: AvgPool2dOptions): Promise<Tensor>;
  adaptiveAvgPool2d(x: Input, outputSize: number | [number | null, number | null], options?: CallOptions): Promise<Tensor>;
  convTranspose2d(x: Input, weight: Input, bias: Input | null, options?: ConvTranspose2dOptions): Promise<Tensor>;
  interpolate(x: Input, options: InterpolateOptions): Promise<Tensor>;
  leakyRelu(x: Input, options?: CallOptions & { negativeSlope?: number }): Promise<Tensor>;
  sigmoid(x: Input, options?: CallOptions): Promise<Tensor>;
  softmax(x: Input, options: CallOptions & { dim: number }): Promise<Tensor>;
  batchNorm(x: Input, mean: Input, variance: Input, weight: Input | null, bias: Input | null, options?: CallOptions & { eps?: number }): Promise<Tensor>;
  linear(x: Input, weight: Input, bias: Input | null, options?: CallOptions): Promise<Tensor>;
  add(a: Input, b: Input, options?: CallOptions): Promise<Tensor>;
  concat(inputs: Input[], options: CallOptions & { dim: number }): Promise<Tensor>;
  flatten(x: Input, options?: CallOptions & { startDim?: number; endDim?: number }): Promise<Tensor>;
  argmax(x: Input, options: CallOptions & { dim: number }): Promise<Tensor>;
  pad(x: Input, options: PadOptions): Promise<Tensor>;
  explain(op: string, inputs: (Input | null)[], options: object, at: number[]): Promise<Explanation>;
  /** A synthetic micrograph; `options.microscope` puts it under the microscope. */
  specimen(kind: string, options?: object): Promise<Specimen>;
  /** The kinds of specimens, and what can be set. */
  kinds(): Promise<SpecimenKind[]>;
  /** Takes any picture with its labels under the microscope; labels move with it. */
  microscope(specimen: Specimen, options?: MicroscopeOptions): Promise<Specimen>;
  microscopeOptions(): Promise<Knob[]>;
  /** How many pixels of the first channel fall into each of `bins` equal parts of 0 to 1. */
  histogram(image: Input, bins: number): Promise<Uint32Array>;
  /** The logarithmic power spectrum of the first channel, (1, n, n), 0 to 1, frequency 0 in the middle. */
  powerSpectrum(image: Input): Promise<Tensor>;
  /** Decodes a PNG file of 8 or 16 bits to values between 0 and 1. */
  decode(bytes: Uint8Array): Promise<Picture>;
  /** The kernel presets, and one of them as a weight of shape (1, 1, k, k). */
  kernels(): Promise<KernelInfo[]>;
  kernel(name: string): Promise<Tensor>;
  /** A weight turned by 180° in its last two axes: true convolution is cross-correlation with it. */
  flip(weight: Tensor): Promise<Tensor>;
  /**
   * A network from the bytes of a file: safetensors with the graph in its metadata, or ONNX. An ONNX network takes its input
   * as it is, (C, H, W) or (N, C, H, W), and is made for each size of picture when it first meets it.
   */
  loadModel(bytes: Uint8Array | ArrayBuffer, options?: LoadOptions): Promise<Model>;
  /** Keeps a copy of a tensor beside the workers until `release`. */
  hold(tensor: Tensor): Promise<Held>;
  release(held: Held): void;
  /** A question about geometry, answered by an instance that no long run can delay. */
  ask<T>(method: string, ...args: unknown[]): Promise<T>;
  /** A question whose answer is a tensor. */
  askTensor(method: string, ...args: unknown[]): Promise<Tensor>;
  stats(): Stats;
  close(): void;
}

export declare function createEngine(options?: EngineOptions): Promise<Engine>;
