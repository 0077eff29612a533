// What the tests of `<ks-unet>` compute with: the square of the micrograph that the figures show.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./site.mjs";

const SQUARE = { top: 20, left: 174, size: 256 };

/** The square as a tensor, cut out in Node. */
export async function titaniumSquare(engine) {
  const { image } = await engine.decode(new Uint8Array(readFileSync(join(ROOT, "www/images/grain_ti_sem.png"))));
  const { top, left, size } = SQUARE;
  const data = new Float32Array(size * size);
  for (let y = 0; y < size; y++) data.set(image.data.subarray((top + y) * image.shape[2] + left, (top + y) * image.shape[2] + left + size), y * size);
  return { data, shape: [1, size, size] };
}
