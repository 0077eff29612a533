/** Numbered regions as colours over a picture. */
import type { Tensor } from "../engine/api";

/** Crimson first, as all masks; then what stays apart from it for colour-blind readers. */
export const CLASSES = [[194, 47, 69], [0, 114, 178], [230, 159, 0], [0, 158, 115], [204, 121, 167], [86, 180, 233], [213, 94, 0]] as const;
/** Neighbouring numbers get colours that are far apart in the list. */
const STRIDE = 3;

/** Paints 1, 2, 3, … in the list's colours, over and over; 0 stays clear. `alpha` from 0 to 255. */
export function paintLabels(canvas: HTMLCanvasElement, { data, shape }: Tensor, alpha: number): void {
  const [, height, width] = shape as [number, number, number];
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d")!;
  const pixels = context.createImageData(width, height);
  data.forEach((id, i) => {
    if (id > 0) pixels.data.set([...CLASSES[(id * STRIDE) % CLASSES.length]!, alpha], 4 * i);
  });
  context.putImageData(pixels, 0, 0);
}
