// What is cut off the engine: nobody who only computes loads it, it comes into the instance that computes, and builds never mix.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { deflateRawSync, gzipSync, inflateRawSync } from "node:zlib";
import { onnx, picture as pictureOf, WORKLOADS } from "../../bench/workloads.mjs";

const PKG = fileURLToPath(new URL("../../pkg/", import.meta.url));
const CORE = "kernelscope.mjs";
const PARTS = ["answers", "onnx"];
const scriptOf = (part) => `kernelscope-${part}.mjs`;
const read = (name) => readFileSync(join(PKG, name), "utf8");
const folders = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** The engine of a copy of pkg/ with these parts as they are given, and no others. */
async function engineWith(parts = {}) {
  const folder = mkdtempSync(join(tmpdir(), "parts-"));
  folders.push(folder);
  cpSync(join(PKG, CORE), join(folder, CORE));
  for (const [part, script] of Object.entries(parts)) writeFileSync(join(folder, scriptOf(part)), script);
  const { createEngine } = await import(join(folder, CORE));
  return createEngine({ thread: "here" });
}

/** A part as another version of the sources would have it. */
async function ofAnotherVersion(part) {
  const script = read(scriptOf(part));
  const [, base64] = /"([A-Za-z0-9+/=]+)"/.exec(script);
  const bytes = inflateRawSync(Buffer.from(base64, "base64"));
  const [hash] = WebAssembly.Module.customSections(await WebAssembly.compile(bytes), "kernelscope-sources");
  const place = bytes.indexOf(Buffer.from(hash));
  bytes[place] = bytes[place] === 0x30 ? 0x31 : 0x30;
  return script.replace(base64, deflateRawSync(bytes).toString("base64"));
}

const x = { data: Float32Array.from({ length: 25 }, (_, i) => i), shape: [1, 5, 5] };
const weight = { data: new Float32Array(9).fill(1), shape: [1, 1, 3, 3] };
const grains = readFileSync(new URL("../../www/models/grains.safetensors", import.meta.url));
const picture = { data: new Float32Array(64 * 64).map((_, i) => Math.sin(i)), shape: [1, 64, 64] };
const net = WORKLOADS.W3();
const explained = (engine, of = x) => engine.explain("conv2d", [of, weight, null], {}, [0, 0, 0]);
const computes = async (engine) => assert.equal((await engine.conv2d(x, weight, null)).data[0], 54);

test("what computes is downloaded in 200 KB", () => {
  for (const name of [CORE, "kernelscope.js"]) {
    const bytes = gzipSync(read(name), { level: 9 }).length;
    assert.ok(bytes <= 200_000, `${name}: ${bytes} bytes`);
  }
});

test("operators and networks run without any part", async () => {
  const engine = await engineWith();
  await computes(engine);
  const model = await engine.loadModel(grains);
  assert.deepEqual((await model.run(picture)).output.shape, [2, 64, 64]);
  // What needs a part fails, and costs nothing else.
  await assert.rejects(explained(engine), /kernelscope-answers/);
  await assert.rejects(engine.loadModel(onnx(net)), /kernelscope-onnx/);
  await computes(engine);
  engine.close();
});

test("the part that answers comes into the instance with its tensors, networks and runs", async () => {
  const engine = await engineWith({ answers: read(scriptOf("answers")) });
  const held = await engine.hold(x);
  const model = await engine.loadModel(grains);
  const { output, explain } = await model.run(picture);
  assert.equal((await explained(engine, held)).value, 54);
  const taken = await explain(model.graph.at(-1).name, [1, 20, 30]);
  assert.ok(Math.abs(taken.value - output.data[64 * 64 + 20 * 64 + 30]) < 1e-5);
  assert.equal(engine.stats().restarts, 0);
  engine.close();
});

test("the part that reads ONNX needs no other, and both work in one instance in either order", async () => {
  const input = { data: pictureOf(net), shape: net.input };
  const at = [0, 3, 100, 100];
  const values = [];
  for (const order of [["onnx"], ["onnx", "answers"], ["answers", "onnx"]]) {
    const engine = await engineWith(Object.fromEntries(order.map((part) => [part, read(scriptOf(part))])));
    if (order[0] === "answers") await explained(engine);
    const model = await engine.loadModel(onnx(net));
    const run = await model.run(input);
    values.push(run.output.data[(3 * 256 + 100) * 256 + 100]);
    if (order.includes("answers")) {
      const { value } = await run.explain(model.graph.at(-1).name, at);
      assert.ok(Math.abs(value - values[0]) < 1e-4, `${value} beside ${values[0]}`);
    }
    engine.close();
  }
  assert.deepEqual(values, values.map(() => values[0]));
});

for (const part of PARTS) {
  test(`“${part}” of another version is refused in words, and computing goes on`, async () => {
    const engine = await engineWith({ [part]: await ofAnotherVersion(part) });
    const asked = part === "answers" ? explained(engine) : engine.loadModel(onnx(net));
    await assert.rejects(asked, new RegExp(`the file “${part}” of this page is from another version than the rest; load the page anew`));
    await computes(engine);
    engine.close();
  });
}
