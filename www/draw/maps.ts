/** Channels of a tensor as small pictures. */
import type { Tensor } from "../engine/api";
import { type Scale, scaleFor } from "./colormaps";
import { type Field, paint } from "./heatmap";

/** One channel of a (C, H, W) tensor; shares the memory. */
export function channel({ data, shape }: Tensor, index: number): Field {
  const [, height, width] = shape as [number, number, number];
  return { data: data.subarray(index * height * width, (index + 1) * height * width), height, width };
}

/** Activations wear cividis from zero up; signed maps the diverging map. */
export function activationScale(data: Float32Array, dark: boolean): Scale {
  const scale = scaleFor(data, dark);
  return scale.min < 0 ? scale : { ...scale, map: "cividis", min: Math.min(0, scale.min) };
}

export function paintChannel(canvas: HTMLCanvasElement, tensor: Tensor, index: number, dark: boolean, shared?: Scale): Scale {
  const field = channel(tensor, index);
  const scale = shared ?? activationScale(sample(field.data), dark);
  paint(canvas, field, scale);
  return scale;
}

/** Enough values to judge a map's range by: sorting all of every map would take longer than computing them. */
function sample(data: Float32Array): Float32Array {
  const stride = Math.floor(data.length / 4096);
  return stride < 2 ? data : data.filter((_, i) => i % stride === 0);
}
