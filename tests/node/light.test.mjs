// Networks that do little with much run from array to array, strip by strip: the bits of the operators, and answers all the same.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { onnx, picture, WORKLOADS } from "../../bench/workloads.mjs";
import { createEngine } from "../../pkg/kernelscope.mjs";

let engine;
before(async () => {
  engine = await createEngine({ backend: "cpu" });
});
after(() => engine.close());

for (const name of ["W1", "W5"]) {
  test(`${name}: the operator's bits, in the caller's array or a new one, and what explains them`, async () => {
    const net = WORKLOADS[name]();
    const x = { data: picture(net), shape: net.input };
    const model = await engine.loadModel(onnx(net));
    const [layer] = net.layers;
    const wanted =
      name === "W5"
        ? await engine.maxPool2d(x, { kernelSize: 2 })
        : await engine.conv2d(x, { data: Float32Array.from(layer.weight), shape: [layer.co, layer.ci, layer.k, layer.k] }, layer.bias ? { data: Float32Array.from(layer.bias), shape: [layer.co] } : null, { padding: "same" });
    const out = new Float32Array(wanted.data.length).fill(7);
    for (const options of [{}, { out }, { keep: "all" }]) {
      const run = await model.run(x, options);
      assert.deepEqual(run.output.shape, wanted.shape);
      assert.equal(run.output.data.findIndex((value, i) => !Object.is(value, wanted.data[i])), -1);
      if (options.out) assert.equal(run.output.data, out);
      const at = wanted.shape.length === 4 ? [0, 0, 100, 31] : [0, 100, 31];
      const node = model.graph.at(-1).name;
      const index = 100 * wanted.shape.at(-1) + 31;
      assert.equal((await run.explain(node, at)).value, wanted.data[index]);
    }
    await assert.rejects(model.run(x, { out: new Float32Array(3) }), /out must hold/);
    // The picture may be its own output's place.
    if (name === "W1") {
      const own = { data: x.data.slice(), shape: x.shape };
      const { output } = await model.run(own, { out: own.data });
      assert.equal(output.data.findIndex((value, i) => !Object.is(value, wanted.data[i])), -1);
    }
    model.close();
  });
}
