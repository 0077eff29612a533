// The shipped ES module, in Node, against what PyTorch computed (tests/golden/, made by training/golden/).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { createEngine } from "../../pkg/kernelscope.mjs";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));
const golden = (name) => JSON.parse(read(`tests/golden/${name}.json`)).cases;
const close = (got, wanted, tolerance, what) =>
  assert.ok(Math.abs(got - wanted) <= tolerance, `${what}: ${got} instead of ${wanted}`);

let engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.close());

test("convolves the micrograph as PyTorch does", async (t) => {
  const { image } = await engine.decode(new Uint8Array(read("www/images/grain_ti_sem.png")));
  for (const { name, kernel, options, output, values, explained } of golden("page")) {
    await t.test(name, async () => {
      const weight = await engine.kernel(kernel);
      const map = await engine.conv2d(image, weight, null, options);
      assert.deepEqual(map.shape, [1, ...output]);
      assert.ok(values.length > 0 && explained.length > 0);
      for (const { at: [m, n], value } of values) close(map.data[m * output[1] + n], value, 4e-6, `(${m}, ${n})`);
      for (const { at, x, products } of explained) {
        const told = await engine.explain("conv2d", [image, weight, null], options, [0, ...at]);
        assert.deepEqual(told.terms.map((term) => term.x), [...Float32Array.from(x)]);
        told.terms.forEach(({ product }, i) => close(product, products[i], 1e-6, `product ${i} at ${at}`));
        close(told.value, map.data[at[0] * output[1] + at[1]], 1e-5, `the sum at ${at}`);
      }
    });
  }
});

test("conv2d in every setting, to the bit where the golden values are exact", async (t) => {
  const tensor = ({ shape, scale, data }) => ({ shape, data: Float32Array.from(data, (value) => value / scale) });
  for (const { name, op, options, x, weight, bias, y, error } of golden("conv2d")) {
    await t.test(name, async () => {
      const result = engine[op](tensor(x), tensor(weight), bias ? tensor(bias) : null, options);
      if (error) return assert.rejects(result, new RegExp(`^Error: ${op}: `));
      const { shape, data } = await result;
      assert.deepEqual(shape, y.shape);
      const wanted = tensor(y).data;
      if (y.scale !== 1) return assert.deepEqual([...data], [...wanted]);
      const reach = Math.max(...wanted.map(Math.abs));
      data.forEach((value, i) => close(value, wanted[i], 4e-6 * reach, `value ${i}`));
    });
  }
});

test("bad input rejects with a sentence that names the operator and both sides", async () => {
  const x = { data: new Float32Array(16), shape: [1, 4, 4] };
  const weight = { data: new Float32Array(9), shape: [1, 1, 3, 3] };
  await assert.rejects(engine.conv2d(x, weight, null, { stride: 0 }), /^Error: conv2d: stride .*at least 1; got 0/);
  await assert.rejects(engine.conv2d(x, { data: new Float32Array(25), shape: [1, 1, 5, 5] }, null), /^Error: conv2d: /);
  await assert.rejects(engine.decode(new Uint8Array([1, 2, 3])), Error);
  const still = await engine.conv2d(x, weight, null, { padding: 1 });
  assert.deepEqual(still.shape, [1, 4, 4], "the engine goes on after bad input");
});
