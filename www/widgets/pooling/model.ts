/** What the figure computes: three ways to make one number of a window, on the example and on a whole map. */
import type { Engine, Explanation, Geometry, Held, Input, Rectangle, Tensor } from "../../engine/api";
import type { Source } from "../../figure/sources";

export const WAYS = ["max", "average", "convolution"] as const;
export type Way = (typeof WAYS)[number];
export type Each<T> = Record<Way, T>;

const OPS: Each<string> = { max: "max_pool2d", average: "avg_pool2d", convolution: "conv2d" };

export interface Settings {
  kernel: number;
  /** `undefined`: the kernel's size. */
  stride: number | undefined;
  padding: number;
  ceil: boolean;
  count: boolean;
  /** The convolution's weights, asked for once the size is known to be possible. */
  weights(): number[];
}

/** Three results of one map. A convolution cannot round up, so its map may be smaller. */
export interface Pooled {
  input: Input;
  size: [number, number];
  outputs: Each<Tensor>;
  geometry: Each<Geometry>;
}

/** Everything about one output position; `null` where a way has no such output. */
export interface Look {
  at: [number, number];
  rect: Rectangle;
  told: Each<Explanation | null>;
}

/** Settings as the operators take them. */
interface Plan {
  options: Each<object>;
  kernel: [number, number];
  weight: Tensor;
}

export class Model {
  example: Pooled | undefined;
  /** The example before the last change of its values. */
  before: Pooled | undefined;
  map: Pooled | undefined;
  /** The same after the map was shifted; the map itself without a shift. */
  shifted: Pooled | undefined;
  about = "";
  private plan: Plan | undefined;
  private held: Held | undefined;
  private moved: Held | undefined;

  constructor(private engine: Engine) {}

  /** Takes a picture, as it is or as the map of its vertical edges. */
  async show({ image: picture, about }: Source, edges: boolean): Promise<void> {
    const { engine } = this;
    let image = picture;
    if (edges) {
      const weight = await engine.kernel("sobel-x");
      // "reflect" keeps the size and draws no false edge around the picture.
      image = await engine.relu(await engine.conv2d(image, weight, null, { padding: 1, paddingMode: "reflect" }));
    }
    const old = this.held;
    this.held = await engine.hold(image);
    if (old) engine.release(old);
    this.about = about;
  }

  /** Cells a side of the window in use. */
  get kernel(): number {
    return this.plan!.kernel[0];
  }

  /** The convolution's weights in use. */
  get weights(): number[] {
    return Array.from(this.plan!.weight.data);
  }

  /** Both scales with these settings. Throws on settings that cannot be computed and then leaves everything as it was. */
  async compute(settings: Settings, values: number[], before: number[] | undefined, shift: number): Promise<void> {
    const { max } = optionsOf(settings);
    const sides: [number, number][] = [sizeOf(grid(values)), sizeOf(this.held!)];
    for (const size of sides) await this.engine.ask("geometry", max, size, [settings.kernel, settings.kernel]);
    const plan = planOf(settings);
    const example = await this.three(grid(values), plan);
    const earlier = before && (await this.three(grid(before), plan));
    const map = await this.three(this.held!, plan);
    const shifted = shift === 0 ? map : await this.three(await this.shift(shift), plan);
    Object.assign(this, { plan, example, map, shifted, before: earlier });
  }

  /** The example alone, with new values. */
  async revalue(values: number[], before: number[] | undefined): Promise<void> {
    const plan = this.plan!;
    const [example, earlier] = [await this.three(grid(values), plan), before && (await this.three(grid(before), plan))];
    Object.assign(this, { example, before: earlier });
  }

  async look(pooled: Pooled, at: [number, number]): Promise<Look> {
    const { options, kernel, weight } = this.plan!;
    const explain = (way: Way): Promise<Explanation> | null => {
      const [height, width] = pooled.geometry[way].output;
      if (at[0] >= height || at[1] >= width) return null;
      const inputs = way === "convolution" ? [pooled.input, weight, null] : [pooled.input];
      return this.engine.explain(OPS[way], inputs, options[way], [0, ...at]);
    };
    const [rect, ...told] = await Promise.all([
      this.engine.ask<Rectangle>("window_rect", options.max, pooled.size, kernel, at),
      ...WAYS.map(explain),
    ]);
    return { at, rect, told: each((way) => told[WAYS.indexOf(way)]!) };
  }

  windowOf(pooled: Pooled, way: Way, at: [number, number]): Promise<Rectangle> {
    const { options, kernel } = this.plan!;
    return this.engine.ask<Rectangle>("window_rect", options[way], pooled.size, kernel, at);
  }

  /** All outputs that read one input, for each way. */
  async reachOf(pooled: Pooled, pixel: [number, number]): Promise<Each<[number, number][]>> {
    const { options, kernel } = this.plan!;
    const found = await Promise.all(
      WAYS.map((way) => this.engine.ask<{ at: [number, number] }[]>("reach", options[way], pooled.size, kernel, pixel)),
    );
    return each((way) => found[WAYS.indexOf(way)]!.map(({ at }) => at));
  }

  private async three(input: Input, plan: Plan): Promise<Pooled> {
    const { engine } = this;
    const { options, kernel, weight } = plan;
    const size = sizeOf(input);
    const outputs = await Promise.all([
      engine.maxPool2d(input, options.max as never),
      engine.avgPool2d(input, options.average as never),
      engine.conv2d(input, weight, null, options.convolution),
    ]);
    const geometry = await Promise.all(WAYS.map((way) => engine.ask<Geometry>("geometry", options[way], size, kernel)));
    return { input, size, outputs: each((way) => outputs[WAYS.indexOf(way)]!), geometry: each((way) => geometry[WAYS.indexOf(way)]!) };
  }

  /** The map moved right by whole pixels; what leaves on the right comes in on the left. Copies, computes nothing. */
  private async shift(by: number): Promise<Held> {
    const { data, shape } = this.held!;
    const [, height, width] = shape as [number, number, number];
    const step = ((by % width) + width) % width;
    const out = new Float32Array(data.length);
    for (let y = 0; y < height; y++) {
      out.set(data.subarray(y * width, (y + 1) * width - step), y * width + step);
      out.set(data.subarray((y + 1) * width - step, (y + 1) * width), y * width);
    }
    const old = this.moved;
    this.moved = await this.engine.hold({ data: out, shape });
    if (old) this.engine.release(old);
    return this.moved;
  }
}

export const each = <T>(make: (way: Way) => T): Each<T> => ({ max: make("max"), average: make("average"), convolution: make("convolution") });

function optionsOf({ kernel, stride, padding, ceil, count }: Settings): Each<object> {
  const pool = { kernelSize: kernel, ...(stride === undefined ? {} : { stride }), padding, ceilMode: ceil };
  return { max: pool, average: { ...pool, countIncludePad: count }, convolution: { stride: stride ?? kernel, padding } };
}

function planOf(settings: Settings): Plan {
  const { kernel } = settings;
  return {
    kernel: [kernel, kernel],
    weight: { data: Float32Array.from(settings.weights()), shape: [1, 1, kernel, kernel] },
    options: optionsOf(settings),
  };
}

const sizeOf = ({ shape }: Input): [number, number] => shape.slice(-2) as [number, number];

function grid(values: number[]): Tensor {
  const side = Math.sqrt(values.length);
  return { data: Float32Array.from(values), shape: [1, side, side] };
}

/** Sums in another order may differ in their last bits; that is no change. */
const ROUNDING = 1e-6;

export const differs = (a: number, b: number, limit = 0): boolean =>
  Math.abs(a - b) > Math.max(limit, ROUNDING * Math.max(1, Math.abs(a), Math.abs(b)));

/** How many of the values of two maps of one size differ, by more than `limit`. */
export function changes(a: Tensor, b: Tensor, limit: number): number {
  let found = 0;
  a.data.forEach((value, i) => {
    if (differs(value, b.data[i]!, limit)) found += 1;
  });
  return found;
}
