// The engine compiled with vectors and without: the same bits, operator by operator and through a network in either order of summation.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { dice } from "./support/random.mjs";

const at = (path) => new URL(`../../${path}`, import.meta.url);
async function start(glue, wasm) {
  const module = await import(at(glue));
  module.initSync({ module: new WebAssembly.Module(readFileSync(at(wasm))) });
  return module;
}
const vectors = await start("target/bindgen/engine.js", "target/web/optimised-engine.wasm");
const scalar = await start("target/scalar/bindgen/engine.js", "target/scalar/bindgen/engine_bg.wasm");

const next = dice(1);
const random = () => next() * 2 - 1;
/** Values as they come, and such as cancel, vanish or are next to nothing. */
const values = (n, hard) => Float32Array.from({ length: n }, (_, i) => (hard ? random() * 10 ** (((i * 7) % 13) - 6) * (i % 5 ? 1 : 0) : random()));
const tensor = (shape, hard = false) => ({ shape, data: values(shape.reduce((a, b) => a * b, 1), hard) });

function result(engine, op, inputs, options) {
  const handles = inputs.map((input) => (input ? engine.put(input.data, Uint32Array.from(input.shape)) : 0));
  const made = engine.run(op, Uint32Array.from(handles), options);
  const told = { shape: [...engine.shape_of(made)], bits: new Uint32Array(engine.read(made).buffer) };
  [...handles, made].forEach((handle) => engine.free(handle));
  return told;
}

function same(op, inputs, options) {
  const [a, b] = [vectors, scalar].map((engine) => result(engine, op, inputs, options));
  assert.deepEqual(a.shape, b.shape);
  const wrong = a.bits.findIndex((bits, i) => bits !== b.bits[i]);
  assert.equal(wrong, -1, `value ${wrong} of ${a.bits.length}: ${a.bits[wrong]?.toString(16)} with vectors, ${b.bits[wrong]?.toString(16)} without`);
  assert.ok(a.bits.some((bits) => bits !== a.bits[0]) || a.bits.length === 1, "the values differ among themselves");
}

test("one build has vectors, the other has none", () => assert.deepEqual([vectors.simd(), scalar.simd()], ["simd128", "scalar"]));

for (const hard of [false, true]) {
  for (const [ci, co, h, w, k, options] of [
    [1, 1, 37, 41, 3, {}], [1, 1, 40, 70, 15, { padding: 7 }], [1, 3, 9, 9, 5, { paddingMode: "reflect", padding: 2 }], [3, 1, 20, 33, 3, { padding: "same" }],
    [4, 4, 24, 24, 3, { padding: 1 }], [5, 7, 19, 35, 3, { stride: 2, padding: 1, dilation: 2 }], [8, 6, 12, 13, 1, {}], [6, 6, 15, 17, 3, { groups: 3 }],
    [2, 2, 64, 64, 4, { stride: 3, paddingMode: "circular", padding: 1 }], [16, 16, 33, 34, 3, { padding: 1, paddingMode: "replicate" }],
  ]) {
    test(`conv2d ${ci}→${co}, ${k} × ${k}, ${JSON.stringify(options)}${hard ? ", hard values" : ""}`, () => {
      same("conv2d", [tensor([ci, h, w], hard), tensor([co, ci / (options.groups ?? 1), k, k], hard), tensor([co], hard)], options);
    });
  }
  for (const [op, shapes, options] of [
    ["max_pool2d", [[3, 33, 47]], { kernelSize: 2 }], ["max_pool2d", [[3, 33, 47]], { kernelSize: 3, stride: 2, padding: 1 }], ["avg_pool2d", [[3, 33, 47]], { kernelSize: 3, padding: 1 }],
    ["adaptive_avg_pool2d", [[3, 33, 47]], { outputSize: 5 }], ["conv_transpose2d", [[4, 9, 11], [4, 3, 2, 2], [3]], { stride: 2 }], ["interpolate", [[3, 9, 11]], { scaleFactor: 2 }],
    ["interpolate", [[3, 9, 11]], { size: [20, 31], mode: "bilinear", alignCorners: true }], ["relu", [[3, 17, 19]], {}], ["leaky_relu", [[3, 17, 19]], { negativeSlope: 0.1 }],
    ["sigmoid", [[3, 17, 19]], {}], ["softmax", [[3, 17, 19]], { dim: 0 }], ["add", [[3, 17, 19], [3, 17, 19]], {}], ["linear", [[7, 33], [5, 33], [5]], {}], ["concat", [[3, 7, 9], [2, 7, 9]], { dim: 0 }],
  ]) {
    test(`${op} ${JSON.stringify(options)}${hard ? ", hard values" : ""}`, () => same(op, shapes.map((shape) => tensor(shape, hard)), options));
  }
}

test("a network, every map in reading order and its output in free order", () => {
  const file = new Uint8Array(readFileSync(at("www/models/grains.safetensors")));
  const picture = values(72 * 88).map((value) => 0.5 + value / 2);
  const runs = [vectors, scalar].map((engine) => {
    const model = engine.load_model(file, []);
    const x = engine.put(picture, Uint32Array.of(1, 72, 88));
    const exact = engine.model_run(model, x, "all", true);
    const free = engine.model_run(model, x, "output", false);
    const maps = { ...exact.nodes, "free order": free.output };
    return Object.fromEntries(Object.entries(maps).map(([name, handle]) => [name, new Uint32Array(engine.read(handle).buffer)]));
  });
  assert.ok(Object.keys(runs[0]).length > 20);
  for (const [name, bits] of Object.entries(runs[0])) assert.deepEqual(bits, runs[1][name], name);
  const last = Object.keys(runs[0]).at(-2);
  assert.notDeepEqual(runs[0][last], runs[0]["free order"], "the free order is another one");
});
