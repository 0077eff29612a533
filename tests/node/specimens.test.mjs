// Specimens under wasm: the same bytes as natively (tests/specimens.rs reads the same file), and fast enough for a slider.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { createEngine } from "../../pkg/kernelscope.mjs";

const { cases } = JSON.parse(readFileSync(new URL("../golden/specimens.json", import.meta.url)));

let engine;
before(async () => {
  engine = await createEngine({ thread: "here" });
});
after(() => engine.close());

test("every committed specimen has the digest it has natively", async (t) => {
  const kinds = await engine.kinds();
  assert.ok(kinds.length >= 10);
  for (const { name } of kinds) assert.ok(cases.some(({ kind }) => kind === name), `${name} has a case`);
  for (const { kind, options, digest } of cases) {
    await t.test(`${kind} ${JSON.stringify(options)}`, async () => {
      assert.equal(await engine.ask("specimen_digest", kind, options), digest);
    });
  }
});

test("a picture under the microscope is what the specimen under it is", async () => {
  const microscope = { dose: 40, drift: 6, pixelSize: 0.08, damage: 0.5 };
  const whole = await engine.specimen("nanoparticles", { size: 96, microscope });
  const parts = await engine.microscope(await engine.specimen("nanoparticles", { size: 96 }), microscope);
  assert.deepEqual(parts.image.shape, [1, 60, 60]);
  assert.equal(parts.pixelSize, 0.08);
  assert.deepEqual(Object.keys(parts.labels).sort(), Object.keys(whole.labels).sort());
  assert.deepEqual(parts.image.data, whole.image.data);
  for (const name of Object.keys(whole.labels)) assert.deepEqual(parts.labels[name], whole.labels[name], name);
});

test("triple points and angles come with grains, and go along", async () => {
  const options = { size: 80, grains: 12 };
  const plain = await engine.specimen("grains", options);
  const seen = await engine.microscope(plain, { drift: 10 });
  for (const { labels } of [plain, seen]) {
    assert.deepEqual(Object.keys(labels), ["grains", "boundaries", "triplePoints", "boundaryAngle"]);
    assert.ok(labels.triplePoints.data.includes(1));
    labels.boundaryAngle.data.forEach((angle, i) => assert.equal(angle >= 0, labels.boundaries.data[i] === 1));
  }
});

test("histogram, spectrum and scale bar answer", async () => {
  const { image, pixelSize } = await engine.specimen("columns", { size: 128 });
  const counts = await engine.histogram(image, 32);
  assert.equal(counts.reduce((a, b) => a + b), 128 * 128);
  const spectrum = await engine.powerSpectrum(image);
  assert.deepEqual(spectrum.shape, [1, 128, 128]);
  assert.equal(Math.max(...spectrum.data), 1);
  assert.deepEqual(await engine.ask("scale_bar", pixelSize, 128), { pixels: 25, label: "500 pm" });
  await assert.rejects(engine.microscope({ image, labels: {}, pixelSize }, { dose: -1 }), /microscope: dose must be a number from 0 to 10000; got -1/);
});
