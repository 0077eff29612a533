/** Four answers to one picture: Sobel x, Sobel y, how steep it is at all, and a Gaussian. */
import type { Engine, Explanation, Held, Tensor } from "../../engine/api";
import type { Source } from "../../figure/sources";

export const FILTERS = ["x", "y", "magnitude", "gaussian"] as const;
export type Filter = (typeof FILTERS)[number];
export type Each<T> = Record<Filter, T>;
export const each = <T>(make: (filter: Filter) => T): Each<T> => Object.fromEntries(FILTERS.map((filter) => [filter, make(filter)])) as Each<T>;

export const PRESETS = { x: "sobel-x", y: "sobel-y", gaussian: "gaussian-3" } as const;
/** Maps as large as the picture; reflected, so that no false edge is drawn around it. */
export const OPTIONS = { padding: "same", paddingMode: "reflect" } as const;

/** Everything about one pixel. */
export interface Told {
  at: [number, number];
  x: Explanation;
  y: Explanation;
}

export class Model {
  about = "";
  image!: Tensor;
  maps!: Each<Tensor>;
  /** (1, 1, 3, 3) each. */
  kernels!: { x: Tensor; y: Tensor; gaussian: Tensor };
  /** What the Sobel kernels look at: the picture, or its smoothed copy. */
  private seen: Held | undefined;
  private pair: Held | undefined;

  constructor(private engine: Engine) {}

  get size(): [number, number] {
    return [this.image.shape[1]!, this.image.shape[2]!];
  }

  show({ image, about }: Source): void {
    [this.image, this.about] = [image, about];
  }

  /** Filters the picture; with `smooth`, the Sobel kernels see the Gaussian's map. */
  async filter(smooth: boolean): Promise<void> {
    const { engine, image } = this;
    this.kernels ??= await this.load();
    const gaussian = await engine.conv2d(image, this.kernels.gaussian, null, OPTIONS);
    const seen = await engine.hold(smooth ? gaussian : image);
    const gradient = await engine.conv2d(seen, this.pair!, null, OPTIONS);
    const magnitude = await engine.askTensor("magnitude", gradient);
    const [height, width] = this.size;
    const part = (i: number): Tensor => ({ data: gradient.data.subarray(i * height * width, (i + 1) * height * width), shape: [1, height, width] });
    this.maps = { x: part(0), y: part(1), magnitude, gaussian };
    if (this.seen) engine.release(this.seen);
    this.seen = seen;
  }

  /** The products behind one pixel of both Sobel maps. */
  async tell(at: [number, number]): Promise<Told> {
    const explain = (channel: number) => this.engine.explain("conv2d", [this.seen!, this.pair!], OPTIONS, [channel, ...at]);
    const [x, y] = await Promise.all([explain(0), explain(1)]);
    return { at, x, y };
  }

  private async load() {
    const [x, y, gaussian] = await Promise.all([PRESETS.x, PRESETS.y, PRESETS.gaussian].map((name) => this.engine.kernel(name)));
    this.pair = await this.engine.hold({ data: Float32Array.of(...x!.data, ...y!.data), shape: [2, 1, 3, 3] });
    return { x: x!, y: y!, gaussian: gaussian! };
  }
}
