// Every operator and a whole network on the graphics card of a browser (SwiftShader in Chromium, lavapipe in Firefox) against PyTorch.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { overHttp, ROOT } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

/** How far a value may lie from PyTorch's, as a share of the largest of its map. One number for all operators. */
const TOLERANCE = 1e-4;

let server;
before(async () => {
  server = await overHttp();
});
after(() => server.close());

const read = (name) => JSON.parse(readFileSync(`${ROOT}/tests/golden/${name}.json`, "utf8")).cases;
/** Cases with what PyTorch computed, as an operator's name, its inputs and its options. */
const CASES = ["conv2d", "pool", "operators"].flatMap(read).filter(({ error }) => error === undefined).map(({ name, op, options, inputs, x, weight, bias, y }) => ({
  name, op, options, y, inputs: inputs ?? [x, weight, bias].slice(0, bias ? 3 : weight ? 2 : 1).map((input) => input ?? null),
}));

/** In the page: cases one after the other. Gives for each where it ran and how far it is off. */
const conform = (cases, done) => {
  const METHODS = {
    conv2d: ([x, weight, bias], options) => engine.conv2d(x, weight, bias ?? null, options),
    conv_transpose2d: ([x, weight, bias], options) => engine.convTranspose2d(x, weight, bias ?? null, options),
    linear: ([x, weight, bias], options) => engine.linear(x, weight, bias ?? null, options),
    batch_norm: ([x, mean, variance, weight, bias], options) => engine.batchNorm(x, mean, variance, weight ?? null, bias ?? null, options),
    adaptive_avg_pool2d: ([x], { outputSize }) => engine.adaptiveAvgPool2d(x, outputSize),
    concat: (inputs, options) => engine.concat(inputs, options),
    add: ([a, b]) => engine.add(a, b),
    max_pool2d: ([x], options) => engine.maxPool2d(x, options),
    avg_pool2d: ([x], options) => engine.avgPool2d(x, options),
    leaky_relu: ([x], options) => engine.leakyRelu(x, options),
    interpolate: ([x], options) => engine.interpolate(x, options),
    pad: ([x], options) => engine.pad(x, options),
    softmax: ([x], options) => engine.softmax(x, options),
    argmax: ([x], options) => engine.argmax(x, options),
    sigmoid: ([x]) => engine.sigmoid(x),
    flatten: ([x], options) => engine.flatten(x, options),
  };
  let engine;
  (async () => {
    engine = await kernelscope.createEngine({ backend: "webgpu" });
    if (engine.backend !== "webgpu") return { none: engine.reason };
    const tensor = (json) => json && { data: window.Float32Array.from(json.data, (value) => value / json.scale), shape: [...json.shape] };
    const results = [];
    for (const { name, op, options, inputs, y } of cases) {
      if (!METHODS[op]) {
        results.push({ name, op, missing: true });
        continue;
      }
      const given = inputs.map(tensor);
      const got = await METHODS[op](given, JSON.parse(JSON.stringify(options)));
      const wanted = tensor(y);
      const largest = Math.max(wanted.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0), 1e-6);
      const off = got.data.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted.data[i])), 0) / largest;
      const finite = given.every((input) => !input || input.data.every(Number.isFinite));
      results.push({ name, op, off, finite, shape: String(got.shape) === String(wanted.shape), on: engine.stats().last.backend });
    }
    return { results };
  })()
    .then(done, (error) => done({ error: String(error?.stack ?? error) }))
    .finally(() => engine?.close());
};

/** In the page: the shipped network, all maps, and shapes that are hard to cover; against the processor. */
const compare = (done) => {
  (async () => {
    const card = await kernelscope.createEngine({ backend: "webgpu" });
    if (card.backend !== "webgpu") return { none: card.reason };
    const plain = await kernelscope.createEngine({ backend: "cpu" });
    const wave = (shape) => ({ data: window.Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * 0.37) + Math.cos(i * 0.011)), shape });
    const off = (a, b) => {
      const largest = b.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b.data[i])), 0) / largest;
    };
    const told = { nodes: {}, shapes: {} };
    const bytes = window.Uint8Array.from(atob(await kernelscope.load("model-grains")), (character) => character.charCodeAt(0));
    const x = wave([1, 61, 83]);
    const runs = [];
    for (const engine of [card, plain]) runs.push((await (await engine.loadModel(bytes)).run(x, { keep: "all" })).nodes);
    told.network = card.stats().last.backend;
    for (const node of Object.keys(runs[1])) told.nodes[node] = off(runs[0][node], runs[1][node]);
    for (const [label, shape, out, size, padding] of [
      ["one pixel", [1, 1, 1], 3, 1, 0],
      ["tails", [5, 33, 17], 9, 3, 1],
      ["a row", [7, 1, 129], 5, 3, 1],
      ["2048 × 2048, more groups than an axis takes", [1, 2048, 2048], 1, 3, 1],
    ]) {
      const weight = wave([out, shape[0], size, size]);
      const [a, b] = [await card.conv2d(wave(shape), weight, null, { padding }), await plain.conv2d(wave(shape), weight, null, { padding })];
      told.shapes[label] = { off: off(a, b), last: Math.abs(a.data.at(-1) - b.data.at(-1)), on: card.stats().last.backend };
    }
    const half = await kernelscope.createEngine({ backend: "webgpu", precision: "float16" });
    const weight = wave([8, 4, 3, 3]);
    const rounded = await half.conv2d(wave([4, 40, 40]), weight, null, { padding: 1 });
    told.half = { off: off(rounded, await plain.conv2d(wave([4, 40, 40]), weight, null, { padding: 1 })), reason: half.reason, features: half.stats().gpu.features, refused: await kernelscope.createEngine({ precision: "float16" }).catch((error) => error.message) };
    half.close();
    card.close();
    plain.close();
    return told;
  })().then(done, (error) => done({ error: String(error?.stack ?? error) }));
};

inBrowsers(
  (browser, name) => {
    const inPage = async (context, script, ...given) => {
      const { driver } = browser();
      await browser().open(`${server.url}tests/browser/pages/empty.html`);
      await browser().until("the engine's script", () => typeof kernelscope === "object");
      await driver.manage().setTimeouts({ script: 280_000 });
      const told = await driver.executeAsyncScript(script, ...given);
      assert.equal(told.error, undefined);
      // Chromium brings its own imitation; Firefox has a card only where a driver suits it.
      if (told.none && name === "firefox") {
        context.skip(told.none);
        return undefined;
      }
      assert.equal(told.none, undefined);
      return told;
    };

    test("every operator is PyTorch's", async (context) => {
      const told = await inPage(context, conform, CASES);
      if (!told) return;
      assert.equal(told.results.length, CASES.length);
      const asked = told.results.filter(({ missing }) => !missing);
      const left = [...new Set(told.results.filter(({ missing }) => missing).map(({ op }) => op))];
      assert.deepEqual(left.sort(), ["permute", "reshape"], "operators of networks alone");
      assert.ok(asked.length > 300, `only ${asked.length} cases`);
      for (const { name, off, finite, shape, on } of asked) {
        assert.equal(shape, true, `${name}: another shape`);
        assert.equal(on, finite ? "webgpu" : "cpu", `${name}: ran elsewhere`);
        if (finite) assert.ok(off <= TOLERANCE, `${name}: off by ${off}`);
      }
    });

    test("every map of the shipped network, tails, last pixels, many groups", async (context) => {
      const told = await inPage(context, compare);
      if (!told) return;
      assert.equal(told.network, "webgpu");
      assert.ok(Object.keys(told.nodes).length > 30);
      for (const [node, off] of Object.entries(told.nodes)) assert.ok(off <= TOLERANCE, `${node}: off by ${off}`);
      const { off: rounding, reason, features, refused } = told.half;
      if (features.includes("float16")) assert.ok(rounding > 1e-6 && rounding <= 2e-2, `half precision is off by ${rounding}`);
      else assert.match(reason, /which has no half precision$/);
      assert.ok(rounding <= (features.includes("float16") ? 2e-2 : TOLERANCE));
      assert.match(refused, /precision "float16" is for backend "webgpu"; got backend "auto"/);
      for (const [label, { off, last, on }] of Object.entries(told.shapes)) {
        assert.equal(on, "webgpu", label);
        assert.ok(off <= TOLERANCE && last <= TOLERANCE, `${label}: off by ${off}, the last pixel by ${last}`);
      }
    });
  },
  { webgpu: true },
);
