/** What the figure computes: one convolution of one picture, and the story of one output pixel. */
import type { Engine, Explanation, Geometry, Held, PaddingMode, Tensor } from "../../engine/api";
import type { Rect } from "../../figure/picture";
import type { Source } from "../../figure/sources";

export interface Settings {
  stride: number;
  padding: number | "same" | "valid";
  dilation: number;
  paddingMode: PaddingMode;
}

/** A crop in padded coordinates; `source` is the pixel's index, -1 on zero padding, -2 outside. */
export interface Crop {
  values: Float32Array;
  source: Int32Array;
  top: number;
  left: number;
  side: number;
}

/** Everything about one output position. */
export interface Look {
  at: [number, number];
  explanation: Explanation;
  /** The window, in padded coordinates. */
  rect: Rect;
  crop: Crop;
}

export interface Reach {
  at: [number, number];
  tap: [number, number];
}

export interface Uses {
  start: [number, number];
  step: [number, number];
  count: [number, number];
}

interface Current {
  weight: Held;
  bias: Held;
  kernel: [number, number];
  options: Settings;
  geometry: Geometry;
  output: Tensor;
}

export class Model {
  image: Held | undefined;
  about = "";
  current: Current | undefined;
  private shown: Source | undefined;

  constructor(readonly engine: Engine) {}

  get input(): [number, number] {
    const [, height, width] = this.image!.shape as [number, number, number];
    return [height, width];
  }

  async show(source: Source): Promise<void> {
    if (source === this.shown) return;
    const { image, about } = source;
    const old = this.image;
    this.image = await this.engine.hold(image);
    this.about = about;
    this.shown = source;
    if (old) this.engine.release(old);
  }

  /** Convolves the picture. Throws on bad input and then leaves the last good result in place. */
  async convolve(kernel: Tensor, bias: number, flipped: boolean, options: Settings): Promise<Current> {
    const { engine } = this;
    const used = flipped ? await engine.flip(kernel) : kernel;
    const size = kernel.shape.slice(2) as [number, number];
    const offset: Tensor = { data: Float32Array.of(bias), shape: [1] };
    // All at once: one way to the workers and back is what a dragged weight has time for.
    const holding = [engine.hold(used), engine.hold(offset)] as const;
    try {
      const [output, geometry, weight, heldBias] = await Promise.all([
        engine.conv2d(this.image!, used, offset, options),
        engine.ask<Geometry>("geometry", options, this.input, size),
        ...holding,
      ]);
      const old = this.current;
      this.current = { weight, bias: heldBias, kernel: size, options, geometry, output };
      if (old) [old.weight, old.bias].forEach((held) => engine.release(held));
      return this.current;
    } catch (error) {
      for (const held of holding) held.then((held) => engine.release(held)).catch(() => undefined);
      throw error;
    }
  }

  async look(at: [number, number], side: number): Promise<Look> {
    const { engine, image } = this;
    const { weight, bias, kernel, options } = this.current!;
    const rect = await engine.ask<Rect>("window_rect", options, this.input, kernel, at);
    const top = Math.floor((rect.top + rect.bottom) / 2) - (side >> 1);
    const left = Math.floor((rect.left + rect.right) / 2) - (side >> 1);
    const [explanation, crop] = await Promise.all([
      engine.explain("conv2d", [image!, weight, bias], options, [0, ...at]),
      engine.ask<Pick<Crop, "values" | "source">>("crop", image, 0, top, left, side, side, options, kernel),
    ]);
    return { at, explanation, rect, crop: { ...crop, top, left, side } };
  }

  windowOf(at: [number, number]): Promise<Rect> {
    const { options, kernel } = this.current!;
    return this.engine.ask<Rect>("window_rect", options, this.input, kernel, at);
  }

  reachOf(pixel: [number, number]): Promise<Reach[]> {
    const { options, kernel } = this.current!;
    return this.engine.ask<Reach[]>("reach", options, this.input, kernel, pixel);
  }

  usesOf(tap: [number, number]): Promise<Uses> {
    const { options, kernel } = this.current!;
    return this.engine.ask<Uses>("uses", options, this.input, kernel, tap);
  }
}
