// Kernels as detectors: closed forms for directions and sums, a sign flip, scores of the challenge.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lesson, lying, numberOf } from "./harness/lesson.mjs";
import { reader } from "./harness/reader.mjs";
import { ROOT } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const LAB = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  const note = (label) => [...root.querySelectorAll(".picture .label")].find(({ firstChild }) => firstChild.textContent === label)?.querySelector(".note").textContent ?? "";
  return {
    weights: [...root.querySelectorAll(".kernel input")].map(({ value }) => value),
    angles: root.querySelector(".polar").getAttribute("aria-label") ?? "",
    offset: root.querySelector(".offset").textContent,
    map: note("Feature map"),
    found: note("Found"),
    pins: [...root.querySelectorAll(".pin button:first-of-type")].map(({ textContent }) => textContent),
    scores: [...root.querySelectorAll(".score")].map((row) => [row.querySelector(".who").textContent, row.querySelector("b").textContent, row.querySelector("small").textContent]),
    busy: root.querySelector(".progress").textContent,
    past: [...root.querySelectorAll(".past li")].map(({ textContent }) => textContent),
  };
};
const open = (browser, state, page) => lesson(browser, "kernel-lab", "detectors", LAB, state, page);
const at = (angles, degrees) => numberOf(new RegExp(`[ ,]${degrees}° ([−+]\\d+\\.\\d+)`).exec(angles)?.[1]);

/**
 * Sobel x under a straight step through its middle, by areas: at 0° the right column counts 1 + 2 + 1, the middle one nothing; at 45° one tap of the
 * middle row and one of the outer rows stand clear; at 90° left and right cancel.
 */
function sobel({ angles, offset }) {
  assert.deepEqual([0, 45, 90, 135, 180].map((degrees) => at(angles, degrees)), [4, 3, 0, -3, -4]);
  assert.match(offset, /^\+0\.00Flat regions stay silent/);
}

inBrowsers((browser) => {
  test("Sobel x by direction, a mean on flat ground, a line under a second derivative", async () => {
    const figure = await open(browser(), { kernel: "sobel-x" });
    sobel(await figure.until("the plots", ({ weights, angles }) => weights.length === 9 && angles !== ""));
    await figure.choose("kernel", "gaussian-3");
    const mean = await figure.until("the Gaussian", ({ offset }) => offset.startsWith("+1.00"));
    assert.match(mean.offset, /Keeps the mean/);
    await figure.choose("kernel", "second-0");
    await figure.choose("shown to it", "line");
    // A bright line of one pixel down the middle column: −2 three times; across it 1 − 2 + 1.
    const line = await figure.until("the line", ({ angles }) => angles.includes("a bright line"));
    assert.deepEqual([at(line.angles, 0), Math.abs(at(line.angles, 90))], [-6, 0]);
  });

  test("a kernel is edited, enlarged, turned over and kept beside others", async () => {
    const figure = await open(browser(), { kernel: "sobel-x", picture: "two-grains" });
    const before = await figure.until("the kernel", ({ weights }) => weights.length === 9);
    await figure.pressWords("Flip the sign");
    const after = await figure.until("turned over", ({ weights }) => weights[2] === "−1");
    const [low, high] = before.map.split(" to ").map(numberOf);
    const [less, more] = after.map.split(" to ").map(numberOf);
    assert.deepEqual([less, more], [-high, -low]);
    await figure.choose("size", "5");
    const large = await figure.until("5 × 5", ({ weights }) => weights.length === 25);
    assert.equal(large.map, after.map, "zeros around it change nothing");
    const middle = await figure.element(".kernel input:nth-child(13)");
    await figure.type(middle, "1/4");
    await figure.until("the sum", ({ offset }) => offset.startsWith("+0.25"));
    await figure.address(/kernel-lab\.kernel=own&kernel-lab\.weights=0,0,0/);
    await figure.choose("kernel", "learned-2");
    await figure.pressWords("Keep beside");
    await figure.until("kept", ({ pins }) => pins.join() === "learned 2");
  });

  test("the challenge scores as the crate does, and the network wins the race", async () => {
    const figure = await open(browser(), { mode: "challenge", task: "columns", kernel: "gaussian-3" });
    await figure.until("the specimen", ({ found }) => found.startsWith("IoU"));
    await figure.pressWords("Score on hidden specimens");
    const { scores, past } = await figure.until("all scores", ({ scores, busy }) => scores.length === 2 && busy === "");
    const { createEngine } = await import(join(ROOT, "pkg/kernelscope.mjs"));
    const engine = await createEngine({ wasm: readFileSync(join(ROOT, "pkg/kernelscope.wasm")) });
    const own = await engine.ask("challenge_score", "columns", await engine.kernel("gaussian-3"), true);
    engine.close();
    assert.equal(scores[0][1], own.iou.toFixed(3));
    assert.match(scores[0][2], /^9 weights/);
    assert.ok(numberOf(scores[1][1]) >= numberOf(scores[0][1]), "the best preset is at least as good as this one");
    assert.match(past[0], /with 9 weights 0\.0625 0\.125/);
    await figure.pressWords("race the network");
    await figure.pressWords("Score on hidden specimens");
    const race = await figure.until("the race", ({ scores, busy }) => scores.length === 3 && busy === "");
    assert.ok(numberOf(race.scores[2][1]) > numberOf(race.scores[1][1]) + 0.1, `network ${race.scores[2][1]}, best preset ${race.scores[1][1]}`);
    assert.match(race.scores[2][2], /^121978 weights/);
  });

  test("a kernel of another size, a task that is none: named, and nothing is lost", async () => {
    const figure = await open(browser(), { kernel: "own", weights: "1,2,3,4" });
    assert.match((await figure.until("the reason", ({ alert }) => alert !== "")).alert, /3 × 3, 5 × 5 or 7 × 7 weights; got 4/);
    await figure.press("Reset the figure");
    await figure.until("mended", ({ alert, weights }) => alert === "" && weights.length === 9);
  });

  test("a reader finds out what a sign flip does", async () => {
    const section = await reader(browser(), "detectors");
    if (/Ask me again/.test(await section.text())) await section.press("Ask me again");
    await section.press("nothing: an edge is an edge");
    await section.reads(/It is every value changes its sign The map ran from −(\d\.\d+) to \+(\d\.\d+); now it runs from −\2 to \+\1\./);
  });

  test("a build that lies turns these numbers red", async () => {
    const figure = await open(browser(), { kernel: "sobel-x" }, lying());
    const shown = await figure.until("the plots", ({ weights, angles }) => weights.length === 9 && angles !== "");
    assert.throws(() => sobel(shown), { code: "ERR_ASSERTION" });
  });
});
