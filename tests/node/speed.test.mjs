// What speed must not cost: memory, the caller's array, equality of runs in tiles and as a whole, cancellation.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { onnx, picture, WORKLOADS } from "../../bench/workloads.mjs";
import { createEngine } from "../../pkg/kernelscope.mjs";

let engine;
before(async () => {
  engine = await createEngine({ thread: "here" });
});
after(() => engine.close());

const net = WORKLOADS.W6();
const x = { data: picture(net), shape: net.input };

test("memory is the same after the 10th and the 110th run, and the result lies in the caller's array", async () => {
  const model = await engine.loadModel(onnx(net));
  const out = new Float32Array(net.output.reduce((a, b) => a * b));
  const sizes = [];
  for (let i = 1; i <= 110; i++) {
    const run = await model.run(x, { out });
    assert.equal(run.output.data, out);
    if (i === 10 || i === 110) sizes.push(engine.stats().memoryBytes);
  }
  assert.equal(sizes[1], sizes[0]);
  assert.ok(out.every((value, i) => Math.abs(value + out[(i + out.length / 2) % out.length] - 1) < 1e-5), "two shares of 1 everywhere");
  await assert.rejects(model.run(x, { out: new Float32Array(3) }), /out/);
  model.close();
});

test("a run for its output alone differs from an exact one in the last digits only; an exact one is its explanation", async () => {
  const model = await engine.loadModel(onnx(net));
  const fast = (await model.run(x)).output.data;
  const run = await model.run(x, { exact: true });
  const exact = run.output.data;
  const far = fast.reduce((far, value, i) => Math.max(far, Math.abs(value - exact[i])), 0);
  assert.ok(far > 0 && far < 1e-5, `${far}`);
  const kept = await model.run(x, { keep: "all" });
  assert.deepEqual(kept.output.data, exact, "what is kept to be looked at is exact without being asked");
  const name = model.graph.findLast(({ op }) => op === "conv2d").name;
  const [, c, h, w] = kept.nodes[name].shape;
  for (const at of [[0, 0, 0, 0], [0, c - 1, 100, 31], [0, 0, h - 1, w - 1]]) {
    const { value } = await kept.explain(name, at);
    assert.equal(value, kept.nodes[name].data[(at[1] * h + at[2]) * w + at[3]]);
  }
  await assert.rejects(model.run(x, { exact: "yes" }), /exact must be true or false/);
  model.close();
});

test("a picture too large for the memory is run in tiles, with progress; cancelling stops between them", async () => {
  const model = await engine.loadModel(onnx(net, true));
  const [h, w] = [3072, 2048];
  const large = { data: Float32Array.from({ length: h * w }, (_, i) => x.data[i % x.data.length]), shape: [1, 1, h, w] };
  const seen = [];
  const { output, explain } = await model.run(large, { progress: (done, total) => seen.push([done, total]) });
  const tiles = seen.length;
  assert.ok(tiles > 1, "it was split");
  assert.deepEqual(seen, Array.from({ length: tiles }, (_, i) => [i + 1, tiles]));
  assert.deepEqual(output.shape, [1, 2, h, w]);
  const told = await explain(model.graph.at(-1).name, [0, 1, 1000, 500]);
  assert.ok(Math.abs(told.value - output.data[(h + 1000) * w + 500]) < 1e-5);
  // A part far from every cut sees the same: rows 256…767 of the picture, of which those in the middle know nothing else.
  const part = await model.run({ data: large.data.slice(256 * w, 768 * w), shape: [1, 1, 512, w] });
  for (const c of [0, 1]) {
    const whole = output.data.subarray((c * h + 256 + 128) * w, (c * h + 256 + 384) * w);
    assert.deepEqual(whole, part.output.data.subarray((c * 512 + 128) * w, (c * 512 + 384) * w));
  }
  const control = new AbortController();
  let done = 0;
  const stopped = model.run(large, { signal: control.signal, progress: () => ++done === 1 && control.abort() });
  await assert.rejects(stopped, { name: "AbortError" });
  assert.equal(done, 1);
  model.close();
});

test("workers must be a number that makes sense", async () => {
  await assert.rejects(createEngine({ workers: 0 }), /workers must be a whole number from 1 to 16; got 0/);
  await assert.rejects(createEngine({ workers: 1.5 }), /workers/);
});
