// ONNX networks through the public interface, against what PyTorch computed before it exported them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { createEngine } from "../../pkg/kernelscope.mjs";
import { safetensors } from "./support/safetensors.mjs";

const url = (name) => new URL(`../golden/onnx/${name}`, import.meta.url);
const bytes = (name) => new Uint8Array(readFileSync(url(name)));
const numbers = safetensors(url("export.safetensors"));

let engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.close());

function close(got, wanted, what) {
  assert.deepEqual(got.shape, wanted.shape, what);
  const off = got.data.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted.data[i])), 0);
  assert.ok(off <= 1e-4, `${what}: differs by ${off}`);
}

test("an export of today with weights in a second file, for several sizes", async () => {
  const name = "unet-padding-itself-dynamo";
  const weights = bytes(`export/${name}.onnx.data`);
  for (const externalData of [weights, weights.buffer, { [`${name}.onnx.data`]: weights }]) {
    const model = await engine.loadModel(bytes(`export/${name}.onnx`), { externalData });
    assert.deepEqual(model.graph[0], { name: "x", op: "input", inputs: [], attributes: { channels: 1 }, parameters: [], count: 0 });
    for (const size of ["24x32", "23x30", "17x19"]) {
      const [x, y] = [numbers[`${name}:x:${size}`], numbers[`${name}:y:${size}`]];
      close((await model.run(x)).output, y, size);
      const single = (tensor) => ({ data: tensor.data, shape: tensor.shape.slice(1) });
      const run = await model.run(single(x), { keep: "all" });
      close(run.output, single(y), `${size}, one picture`);
      const shapes = await model.shapes(single(x).shape);
      for (const [node, { shape }] of Object.entries(run.nodes)) assert.deepEqual(shapes[node], shape, node);
    }
    model.close();
  }
});

test("explanations, gradients and fields of an ONNX network are its own", async () => {
  const model = await engine.loadModel(bytes("export/unet-framed-script.onnx"));
  const size = "23x30";
  const x = { data: numbers[`unet-framed-script:x:${size}`].data, shape: [1, 23, 30] };
  const head = model.graph.filter(({ op }) => op === "conv2d").at(-1).name;
  const run = await model.run(x, { keep: [head] });
  const at = [1, 9, 11];
  const map = run.nodes[head];
  const [, h, w] = map.shape;
  const told = await run.explain(head, at);
  assert.equal(told.value, map.data[(at[0] * h + at[1]) * w + at[2]]);
  assert.equal(told.reduce, "sum");
  const gradient = await run.gradient(head, at);
  const field = await model.receptiveField(head, at.slice(1), x.shape);
  let seen = 0;
  gradient.data.forEach((value, i) => {
    const [row, column] = [Math.floor(i / 30), i % 30];
    const inside = row >= field.top && row <= field.bottom && column >= field.left && column <= field.right;
    assert.ok(inside || value === 0, `(${row}, ${column}) lies outside the field, its gradient is ${value}`);
    seen += value !== 0;
  });
  assert.ok(seen > 20);
  // The gradient says how the value changes.
  const place = gradient.data.reduce((best, value, i) => (Math.abs(value) > Math.abs(gradient.data[best]) ? i : best), 0);
  const changed = { ...x, data: x.data.slice() };
  changed.data[place] += 1e-3;
  const after = await model.run(changed, { keep: [head] });
  const slope = (after.nodes[head].data[(at[0] * h + at[1]) * w + at[2]] - told.value) / 1e-3;
  assert.ok(Math.abs(slope - gradient.data[place]) < 0.05 * Math.abs(slope) + 1e-3, `${slope} by differences, ${gradient.data[place]} by the gradient`);
});

test("refusals say which node, and what to do", async () => {
  const { message } = await engine.loadModel(bytes("node/map_maxpool_1d_default.onnx")).catch((error) => error);
  assert.equal(message, 'onnx: the node "y" (MaxPool) works on a map of shape (1, 3, 32); supported are pictures (N, C, H, W), not signals or volumes');
  await assert.rejects(engine.loadModel(bytes("export/unet-nearest-dynamo.onnx")), /lie in the file "unet-nearest-dynamo.onnx.data" \(none was given\); pass its bytes as externalData/);
  await assert.rejects(engine.loadModel(bytes("export/unet-nearest-dynamo.onnx"), { externalData: new Uint8Array(4) }), /claims .* which has 4; is it the file of another export\?/);
  await assert.rejects(engine.loadModel(bytes("export/unet-nearest-script.onnx"), { externalData: [1, 2] }), /externalData/);
  await assert.rejects(engine.loadModel("x"), /loadModel: expected the bytes of a file/);
  const fixed = await engine.loadModel(bytes("export/classifier-flatten-script.onnx"));
  await assert.rejects(fixed.run({ shape: [1, 8, 8], data: new Float32Array(64) }), /onnx: the picture must have shape \(1, 11, 15\) or \(1, 1, 11, 15\) \(its size was fixed at export; dynamic_shapes leaves it open\); got \(1, 8, 8\)/);
});

test("more sizes than are remembered, and the first again: the same bits, with weights that are still there", async () => {
  const model = await engine.loadModel(bytes("export/unet-padding-itself-dynamo.onnx"), { externalData: bytes("export/unet-padding-itself-dynamo.onnx.data") });
  assert.equal((await model.card()).format, "onnx");
  const picture = (h, w) => ({ data: Float32Array.from({ length: h * w }, (_, i) => Math.sin(i * 0.37)), shape: [1, h, w] });
  const first = await model.run(picture(24, 32));
  for (let size = 25; size < 31; size++) {
    const { output } = await model.run(picture(size, size));
    assert.deepEqual(output.shape.slice(-2), [size, size]);
  }
  const again = await model.run(picture(24, 32));
  assert.deepEqual(again.output, first.output);
  const node = model.graph.find(({ parameters }) => parameters.includes("weight"));
  const weight = await model.parameter(`${node.name}.weight`);
  assert.equal(weight.data.length + (node.parameters.includes("bias") ? weight.shape[0] : 0), node.count);
  assert.ok(new Set(weight.data).size > 4, "the weights are the file's");
  model.close();
  await assert.rejects(engine.loadModel(bytes("export/unet-padding-itself-dynamo.onnx").subarray(0, 900)), /^Error: onnx: /);
  await assert.rejects(engine.loadModel(Uint8Array.of(1, 2, 3)), /^Error: safetensors: /);
});
