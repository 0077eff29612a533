// The figure against what PyTorch computed for the same micrograph. Fails where any shown number is another.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { numberIn, productIn, sameShown } from "./convolution.mjs";
import { ROOT } from "./site.mjs";

export const MICROGRAPH = join(ROOT, "www/images/grain_ti_sem.png");

/** The cases whose settings the figure's controls can express: one number for both axes. */
export const CASES = JSON.parse(readFileSync(join(ROOT, "tests/golden/page.json"), "utf8")).cases.filter(({ options }) =>
  Object.values(options).every((value) => !Array.isArray(value)),
);

/** Opens the whole micrograph in the figure, as a reader opens a picture of their own. */
export async function openMicrograph(figure) {
  await figure.openPicture(MICROGRAPH);
  await figure.until("the micrograph", ({ size }) => size.join() === "423,708");
}

/** One case: the size, the map's colours at sampled pixels, and single pixels down to their products. */
export async function compare(figure, { kernel, options, output, values, explained }) {
  const { stride, padding, dilation, paddingMode: mode } = options;
  const given = Object.entries({ stride, padding, dilation, mode }).filter(([, value]) => value !== undefined);
  const state = { picture: "own", kernel, ...Object.fromEntries(given), whole: "yes" };

  for (const { at, x, products } of explained) {
    const shown = await figure.go({ ...state, at });
    assert.equal(shown.alert, "");
    assert.deepEqual(shown.size, output[0] === output[1] ? [output[0]] : output);
    assert.equal(shown.products.length, products.length);
    shown.products.forEach(({ label }, i) => {
      const [, pixel, product] = productIn(label);
      sameShown(pixel, x[i], `pixel ${i} under the window at ${at}`);
      sameShown(product, products[i], `product ${i} at ${at}`);
    });
    const sum = products.reduce((total, product) => total + product, 0);
    sameShown(numberIn(shown.sum), sum, `the sum at ${at}`);
    const now = shown.pixels.find(({ classes }) => /\bnow\b/.test(classes));
    sameShown(numberIn(now.label.split(": ")[1]), sum, `the output pixel ${at}`);
  }

  const colours = await figure.valuesAt("output", values.map(({ at }) => at));
  values.forEach(({ at, value }, i) => {
    const { low, high } = colours[i];
    const slack = 1e-5;
    assert.ok(value >= low - slack && value <= high + slack, `the colour at ${at} says ${low} to ${high}, PyTorch ${value}`);
  });
}
