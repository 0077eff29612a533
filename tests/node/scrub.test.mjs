// Numbers that are dragged move by steps a person would write down.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dice } from "./support/random.mjs";
import { page } from "./support/typescript.mjs";

const { stepFor } = await page("figure/scrub.ts");

test("a step is 1, 2 or 5 times a power of ten, and 60 to 150 of them make the whole", () => {
  assert.deepEqual([2, 1, 8, 0.25, 0.0625, 6].map(stepFor), [0.02, 0.01, 0.1, 0.002, 0.001, 0.1]);
  const next = dice(3);
  for (let i = 0; i < 2000; i++) {
    const reach = 10 ** (next() * 12 - 6);
    const step = stepFor(reach);
    assert.match(step.toPrecision(9), /^(0\.0*)?[125][.0]*(e[-+]\d+)?$/, `${reach}: ${step}`);
    assert.ok(reach / step >= 60 - 1e-9 && reach / step < 150.000001, `${reach}: ${step}`);
  }
});
