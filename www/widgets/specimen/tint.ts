/** Labels over a picture: colours for classes, grains and angles. */
import type { Tensor } from "../../engine/api";
import { CLASSES } from "../../draw/labels";

export function tint(canvas: HTMLCanvasElement, { data, shape }: Tensor, name: string): void {
  const [, height, width] = shape as [number, number, number];
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d")!;
  const pixels = context.createImageData(width, height);
  const angle = name === "boundaryAngle";
  // Where every pixel has a class, the first is the ground and stays as it is.
  const ground = !angle && data.every((value) => value >= 1) ? 1 : 0;
  const classes = data.reduce((most, value) => Math.max(most, value), 0) - ground;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]! - ground;
    if (angle ? value < 0 : value <= 0 && classes <= 6) continue;
    const [r, g, b] = angle ? around(value / 180) : CLASSES[(Math.max(0, value - (classes <= 6 ? 1 : 0)) * 5) % CLASSES.length]!;
    pixels.data.set([r!, g!, b!, angle ? 235 : classes > 6 ? 105 : 100], i * 4);
  }
  context.putImageData(pixels, 0, 0);
}

/** A colour around the circle, for directions: 0 and 180° are the same. */
function around(turn: number): number[] {
  return [0, 1, 2].map((k) => Math.round(140 + 115 * Math.cos(2 * Math.PI * (turn - k / 3))));
}
