/** A map of values onto a canvas, one pixel a value. */
import { indexOf, type Scale, table } from "./colormaps";

export interface Field {
  data: Float32Array;
  height: number;
  width: number;
}

/** Paints all values; from the linear index `until` on, pixels stay transparent (not computed yet). */
export function paint(canvas: HTMLCanvasElement, { data, height, width }: Field, scale: Scale, until = data.length): void {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = table(scale.map);
  const end = Math.min(until, data.length);
  for (let i = 0; i < end; i++) {
    const index = indexOf(scale, data[i]!);
    if (index >= 0) pixels[i] = colours[index]!;
  }
  context.putImageData(image, 0, 0);
}
