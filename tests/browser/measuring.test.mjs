// From probabilities to grains: what the figure says against the same chain in Node, and against what is known of the specimens.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { lesson, lying, numberOf, slide } from "./harness/lesson.mjs";
import { ROOT } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const TOLD = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  const texts = (css) => [...root.querySelectorAll(css)].map(({ textContent }) => textContent);
  return {
    facts: Object.fromEntries(texts(".told dt").map((name, i) => [name, texts(".told dd")[i]])),
    bars: root.querySelectorAll(".sizes rect").length,
    rivals: [...root.querySelectorAll(".rivals tbody tr")].map((row) => [...row.children].map(({ textContent }) => textContent)),
    own: root.querySelector(".rivals .own th")?.textContent,
    labels: texts(".chain .label b"),
    done: root.querySelector(".rivals").dataset.done,
  };
};
const open = (browser, state, page) => lesson(browser, "measuring", "measuring", TOLD, state, page, "grains");

let engine;
before(async () => {
  const { createEngine } = await import(join(ROOT, "pkg/kernelscope.mjs"));
  engine = await createEngine({ wasm: readFileSync(join(ROOT, "pkg/kernelscope.wasm")) });
});
after(() => engine.close());

/** The same specimen through the same file of weights, outside of the page. */
async function natively(threshold, clear) {
  const { image, labels } = await engine.specimen("grains", { size: 256, seed: 7 });
  const model = await engine.loadModel(readFileSync(join(ROOT, "www/models/grains.safetensors")));
  const { output } = await model.run(image);
  const map = { data: output.data.slice(256 * 256), shape: [1, 256, 256] };
  const found = await engine.askTensor("grains_of", map, { threshold, clear, least: 20, neck: 0.7 });
  return { told: await engine.ask("regions_measured", found, labels.grains), map, truth: labels.grains };
}

inBrowsers((browser) => {
  test("grains of a specimen: as many, as large, and found again as in Node", async () => {
    const figure = await open(browser(), { picture: "grains", threshold: 0.2, clear: 2 });
    const shown = await figure.until("the numbers", ({ facts }) => facts["mean diameter"]);
    const { told, truth } = await natively(0.2, 2);
    assert.equal(shown.facts.grains, String(told.count));
    assert.equal(shown.facts["mean diameter"], `${((told.mean * 630) / 1000).toFixed(1)} µm`);
    assert.equal(shown.bars, 16);
    // The specimen was drawn with so many grains; its own label says how many lie in the picture.
    const drawn = new Set(truth.data).size;
    assert.ok(Math.abs(told.count - drawn) <= 0.25 * drawn, `${told.count} of ${drawn}`);
    const [found, of] = shown.facts["found again"].split(" of ").map(Number);
    assert.ok(found >= 0.7 * of && Math.abs(of - drawn) <= 0.1 * drawn, shown.facts["found again"]);
    // Nearly everything is a marker's: grains run into one another through the gaps.
    await slide(figure, "threshold", 0.98);
    await slide(figure, "distance of markers", 0);
    await slide(figure, "cut at necks below", 0);
    const few = await figure.until("fewer", ({ facts }) => Number(facts.grains) < told.count / 2);
    assert.ok(Number(few.facts.grains) >= 1);
    await figure.address(/measuring\.clear=0/);
  });

  test("the network is held against the filters, each at its own setting", async () => {
    const figure = await open(browser(), { method: "sobel" });
    const { rivals, own } = await figure.until("all rows", ({ rivals, done }) => rivals.length === 5 && done === "titanium");
    assert.equal(own, "Gaussian + Sobel");
    const f1 = rivals.map((row) => numberOf(row[2]));
    assert.ok(f1[0] > 0.93 && f1[0] > f1[3] && f1[3] > f1[4], f1.join());
    assert.ok(rivals.every((row) => /^\d+ of \d+$/.test(row[3])), rivals.join(" | "));
  });

  test("particles are measured as a phase; a picture without truth is not scored", async () => {
    const figure = await open(browser(), { picture: "nanoparticles" });
    const shown = await figure.until("the phase", ({ facts }) => facts["phase fraction"]);
    assert.deepEqual(shown.labels, ["Picture", "Probability", "Above the threshold", "Particles"]);
    const { labels } = await engine.specimen("nanoparticles", { size: 256, pixelSize: 0.08, particles: 12, diameter: 3, seed: 4 });
    const known = (100 * labels.crystalline.data.reduce((sum, v) => sum + v, 0)) / (256 * 256);
    assert.ok(Math.abs(numberOf(shown.facts["phase fraction"]) - known) < 4, `${shown.facts["phase fraction"]}, drawn ${known}`);
    await figure.choose("picture", "yours");
    const yours = await figure.until("yours", ({ facts }) => facts["found again"] === "the truth is not known");
    assert.match(yours.rivals.join(), /Nobody knows the truth/);
  });

  test("an impossible link keeps the figure alive", async () => {
    const figure = await open(browser(), { picture: "grains", threshold: 7, clear: 99 });
    const { facts } = await figure.until("the numbers", ({ facts }) => facts.grains !== undefined);
    assert.match(facts.grains, /^\d+$/);
  });

  test("a build that lies turns these numbers red", async () => {
    const { told } = await natively(0.2, 2);
    const figure = await open(browser(), { picture: "grains", threshold: 0.2, clear: 2 }, lying());
    const { facts } = await figure.until("the numbers", ({ facts }) => facts["mean diameter"]);
    assert.notDeepEqual([facts.grains, facts["mean diameter"]], [String(told.count), `${((told.mean * 630) / 1000).toFixed(1)} µm`]);
  });
});
