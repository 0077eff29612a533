// The engine's other half: nobody who only computes loads it, it comes into the instance that computes, and halves of two versions never meet.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { deflateRawSync, gzipSync, inflateRawSync } from "node:zlib";

const PKG = fileURLToPath(new URL("../../pkg/", import.meta.url));
const CORE = "kernelscope.mjs";
const HALF = "kernelscope-answers.mjs";
const folders = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** The engine of a copy of pkg/ with the other half as `half` gives it, or without. */
async function engineBeside(half) {
  const folder = mkdtempSync(join(tmpdir(), "halves-"));
  folders.push(folder);
  cpSync(join(PKG, CORE), join(folder, CORE));
  if (half !== undefined) writeFileSync(join(folder, HALF), half);
  const { createEngine } = await import(join(folder, CORE));
  return createEngine({ thread: "here" });
}

const x = { data: Float32Array.from({ length: 25 }, (_, i) => i), shape: [1, 5, 5] };
const weight = { data: new Float32Array(9).fill(1), shape: [1, 1, 3, 3] };
const grains = readFileSync(new URL("../../www/models/grains.safetensors", import.meta.url));
const picture = { data: new Float32Array(64 * 64).map((_, i) => Math.sin(i)), shape: [1, 64, 64] };

test("what computes is downloaded in 200 KB", () => {
  for (const name of [CORE, "kernelscope.js"]) {
    const bytes = gzipSync(readFileSync(join(PKG, name)), { level: 9 }).length;
    assert.ok(bytes <= 200_000, `${name}: ${bytes} bytes`);
  }
});

test("operators and networks run without the other half", async () => {
  const engine = await engineBeside();
  const { data } = await engine.conv2d(x, weight, null);
  assert.equal(data[0], 54);
  const model = await engine.loadModel(grains);
  const run = await model.run(picture);
  assert.deepEqual(run.output.shape, [2, 64, 64]);
  // A question cannot be answered, and costs nothing but the answer.
  await assert.rejects(engine.explain("conv2d", [x, weight, null], {}, [0, 0, 0]), /kernelscope-answers/);
  assert.deepEqual((await engine.conv2d(x, weight, null)).data, data);
  engine.close();
});

test("with it, the same instance answers about tensors, networks and runs that were there before", async () => {
  const engine = await engineBeside(readFileSync(join(PKG, HALF)));
  const held = await engine.hold(x);
  const model = await engine.loadModel(grains);
  const { output, explain } = await model.run(picture);
  const { value } = await engine.explain("conv2d", [held, weight, null], {}, [0, 0, 0]);
  assert.equal(value, 54);
  const taken = await explain(model.graph.at(-1).name, [1, 20, 30]);
  assert.ok(Math.abs(taken.value - output.data[64 * 64 + 20 * 64 + 30]) < 1e-5);
  assert.equal(engine.stats().restarts, 0);
  engine.close();
});

test("a half of another version is refused in words, and computing goes on", async () => {
  const script = readFileSync(join(PKG, HALF), "utf8");
  const [, base64] = /"([A-Za-z0-9+/=]+)"/.exec(script);
  const bytes = inflateRawSync(Buffer.from(base64, "base64"));
  const [hash] = WebAssembly.Module.customSections(await WebAssembly.compile(bytes), "kernelscope-sources");
  const place = bytes.indexOf(Buffer.from(hash));
  bytes[place] = bytes[place] === 0x30 ? 0x31 : 0x30;
  const engine = await engineBeside(script.replace(base64, deflateRawSync(bytes).toString("base64")));
  await assert.rejects(engine.explain("conv2d", [x, weight, null], {}, [0, 0, 0]), /“answers” of this page is from another version than the rest; load the page anew/);
  assert.equal((await engine.conv2d(x, weight, null)).data[0], 54);
  engine.close();
});
