// Inside a convolutional layer: windows, channels, shapes and shared weights, against sums done by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Key } from "selenium-webdriver";
import { lesson, lying, numberOf, slide } from "./harness/lesson.mjs";
import { reader } from "./harness/reader.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const WINDOWS = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  const text = (css) => [...root.querySelectorAll(css)].map(({ textContent }) => textContent);
  return {
    formula: text(".sizes p"),
    said: root.querySelector(".said").textContent,
    notes: text(".picture .note"),
    bars: ["columns", "rows"].map((name) => root.querySelectorAll(`.brackets.of-${name} rect`).length),
    padding: root.querySelectorAll(".overlay .beyond").length,
    place: /Output (\d+, \d+) looks at rows (-?\d+ to -?\d+), columns (-?\d+ to -?\d+)/.exec(root.querySelector("p.hidden[role=status]").textContent)?.slice(1).join(" | "),
  };
};
const windows = (browser, state, page) => lesson(browser, "geometry", "geometry", WINDOWS, state, page);

const SUM = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  return {
    adds: [...root.querySelectorAll(".sumline span")].map(({ lastChild }) => lastChild.textContent),
    value: root.querySelector(".sumline b")?.textContent ?? "",
    shown: root.querySelector(".parameters").textContent,
    channel: root.querySelector(".answer .note").textContent,
    kernels: [...root.querySelectorAll(".glyph")].map((glyph) => glyph.getAttribute("aria-label").split(": ")[1]),
  };
};
const channels = (browser, state, page) => lesson(browser, "channels", "channels", SUM, state, page);

const WALK = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  return {
    rows: [...root.querySelectorAll(".walk li:not(.first)")].map((row) => ({
      values: [...row.querySelectorAll("input")].map(({ value }) => value),
      states: [...row.querySelectorAll("input")].map(({ className }) => className),
      why: row.querySelector(".why").textContent,
    })),
    score: root.querySelector(".score").textContent,
    volumes: root.querySelectorAll(".volumes g").length,
  };
};
const walk = (browser, state, page) => lesson(browser, "shapes", "shapes", WALK, state, page);

/** 256² through four blocks, by hand: what comes out, and what is learned. */
const BLOCKS = [[64, 256, 256, 640], [64, 128, 128, 0], [128, 128, 128, 73_856], [128, 64, 64, 0], [256, 64, 64, 295_168], [256, 32, 32, 0], [512, 32, 32, 1_180_160], [512, 16, 16, 0]];

const WIRES = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  const [dense, convolution] = root.querySelectorAll(".layer");
  const count = (layer, css) => layer.querySelectorAll(css).length;
  return {
    notes: [...root.querySelectorAll(".layer .note")].map(({ textContent }) => textContent),
    lines: [count(dense, ".wire"), count(convolution, ".wire")],
    lit: [count(dense, ".wire.lit"), count(convolution, ".wire.lit")],
    entries: [count(dense, ".entry:not(.none)"), count(convolution, ".entry:not(.none)")],
    same: root.querySelector(".same").textContent,
  };
};
const wires = (browser, state, page) => lesson(browser, "weight-sharing", "sharing", WIRES, state, page);

inBrowsers((browser) => {
  test("the map's size with its floor, and who is left out", async () => {
    const figure = await windows(browser(), {});
    const plain = await figure.until("the formula", ({ formula }) => formula.length === 1 && !formula[0].endsWith("?"));
    assert.equal(plain.formula[0], "⌊(16 + 2·0 − 1·(3 − 1) − 1) / 2⌋ + 1 = ⌊6.5⌋ + 1 = 7");
    assert.equal(plain.said, "31 pixels are read by no window.");
    assert.deepEqual(plain.bars, [7, 7]);
    assert.equal(plain.padding, 0);
    // Rectangular: down ⌊(14 + 4 − 2 − 1)/2⌋ + 1 = 8, across ⌊(20 + 4 − 4 − 1)/3⌋ + 1 = 7; of 20 columns the 19th is never read.
    await figure.browser.run(() => (location.hash = "#geometry?geometry.square=no&geometry.rows=14.3.2.2.1&geometry.columns=20.3.3.2.2&geometry.mode=reflect&geometry.at=1.1"));
    const two = await figure.until("two directions", ({ formula, place }) => formula.length === 2 && place?.startsWith("1, 1"));
    assert.match(two.formula[0], /= ⌊7\.5⌋ \+ 1 = 8$/);
    assert.match(two.formula[1], /= ⌊6\.33⌋ \+ 1 = 7$/);
    assert.equal(two.said, "14 pixels are read by no window.");
    assert.deepEqual(two.bars, [7, 8]);
    assert.equal(two.padding, 4);
    // Output 1 begins at 2·1 − 2 = 0 and at 3·1 − 2 = 1, and spans 3 and 2·2 + 1 pixels.
    assert.equal(two.place, "1, 1 | 0 to 2 | 1 to 5");
    await figure.watchKeys();
    await figure.focus(".result .surface");
    await figure.keys(Key.ARROW_DOWN);
    await figure.until("one down", ({ place }) => place === "2, 1 | 2 to 4 | 1 to 5");
    assert.deepEqual(await figure.keysThatLeft(), []);
  });

  test("a window that does not fit is named", async () => {
    const figure = await windows(browser(), { rows: "4.9.1.0.1" });
    const { alert } = await figure.until("the reason", ({ alert }) => alert !== "");
    assert.match(alert, /4.*9|9.*4/);
  });

  test("what the channels add is the pixel", async () => {
    const figure = await channels(browser(), { at: "40.53" });
    const plain = await figure.until("the sum", ({ adds, value }) => adds.length === 5 && value !== "");
    const total = ({ adds }) => adds.reduce((sum, text) => sum + numberOf(text), 0);
    assert.ok(Math.abs(total(plain) - numberOf(plain.value)) < 0.031, `${plain.adds} ${plain.value}`);
    assert.equal(plain.adds[0], "+0.00", "nickel counts for nothing here");
    // A Gaussian of 3 × 3, by hand: 1, 2, 1 · 2, 4, 2 · 1, 2, 1 over 16; with the other sign for chromium.
    assert.equal(plain.kernels[1], "0.063, 0.125, 0.063, 0.125, 0.250, 0.125, 0.063, 0.125, 0.063");
    assert.equal(plain.kernels[2], plain.kernels[1].replaceAll("0.", "−0."));
    await slide(figure, "bias", 0.5);
    const biased = await figure.until("the bias", ({ adds }) => adds[4] === "+0.50");
    assert.ok(Math.abs(numberOf(biased.value) - numberOf(plain.value) - 0.5) < 0.011);
    await slide(figure, "weight of Cr", 0);
    const without = await figure.until("without chromium", ({ adds }) => adds[2] === "+0.00");
    assert.ok(Math.abs(numberOf(without.value) - (numberOf(biased.value) - numberOf(biased.adds[2]))) < 0.011);
    assert.match(without.shown, /4 · \(4 · 3² \+ 1\) = 148 parameters/);
    await (await figure.element(".kernels:nth-of-type(2)")).click();
    await figure.until("another output channel", ({ channel }) => channel.startsWith("2 of 4"));
  });

  test("a walk filled in by hand is right, a slip is shown with its reason", async () => {
    const filled = BLOCKS.flat();
    filled[8] = 100;
    const figure = await walk(browser(), { filled: filled.join(".") });
    const slip = await figure.until("the walk", ({ rows }) => rows.length === 8);
    assert.match(slip.score, /^31 of 32 right/);
    assert.equal(slip.rows[2].states[0], "wrong");
    assert.equal(slip.rows[2].why, "⌊(128 + 2·1 − 3)/1⌋ + 1 = 128; 128 filters make 128 channels · 128 · (64 · 9 + 1) = 73856");
    const field = await figure.browser.run((css) => document.querySelector(css).shadowRoot.querySelectorAll(".walk li:not(.first)")[2].querySelector("input"), figure.selector);
    await figure.type(field, "128");
    const right = await figure.until("all right", ({ score }) => score.startsWith("32 of 32"));
    // 640 + 73,856 + 295,168 + 1,180,160
    assert.equal(numberOf(right.score.split("In all")[1]), 1_549_824);
    assert.equal(right.volumes, 9);
    await figure.pressWords("Clear");
    const empty = await figure.until("nothing", ({ score }) => score.startsWith("0 of 32"));
    assert.equal(empty.volumes, 1);
    await figure.choose("network", "lenet5");
    await figure.pressWords("Fill in all");
    const lenet = await figure.until("LeNet-5", ({ score }) => score.includes("In all"));
    assert.equal(numberOf(lenet.score.split("In all")[1]), 61_706);
  });

  test("three weights at all their places", async () => {
    const figure = await wires(browser(), { tap: "-1" });
    const plain = await figure.until("the lines", ({ notes, lines }) => lines[0] === 64 && notes[1] === "3 weights");
    // At both ends one tap falls on zeros: 3 · 8 − 2.
    assert.deepEqual(plain.lines, [64, 22]);
    assert.equal(plain.notes[0], "64 weights, each used once");
    assert.match(plain.same, /differ by nothing/);
    await figure.focus(".taps input");
    const lit = await figure.until("the first weight", ({ lit }) => lit[1] > 0);
    assert.deepEqual(lit.lit, [1, 7]);
    await figure.choose("padding", "circular");
    await figure.until("all around", ({ lines, lit }) => lines[1] === 24 && lit[1] === 8);
    await figure.pressWords("matrices");
    const matrices = await figure.until("the matrices", ({ entries }) => entries[0] === 64);
    assert.deepEqual(matrices.entries, [64, 24]);
  });

  test("readers find the four answers", async () => {
    const ask = async (id, choice, answer, first) => {
      const section = await reader(browser(), id, first ? undefined : { page: null });
      if (/Ask me again/.test(await section.text())) await section.press("Ask me again");
      await section.press(choice);
      await section.reads(answer);
    };
    await ask("geometry", "32", /You said 32 It is 31 ⌊\(64 \+ 2·0 − 1·\(3 − 1\) − 1\) \/ 2⌋ \+ 1 = ⌊30\.5⌋ \+ 1 = 31\. .* 127 pixels, are read by no window/, true);
    await ask("channels", /^8.256$/, /It is 73 856 Each of the 128 output channels .* 128 · \(64 · 9 \+ 1\) = 73 856/);
    await ask("shapes", "16 × 16", /Yes, it is 16 × 16 Every stride of 2 halves each side: 256, 128, 64, 32, 16\./);
    await ask("sharing", "64 and 3", /Yes, it is 64 and 3 A dense layer has a weight for every pair: 8 · 8 = 64\./);
  });

  test("a build that lies turns these numbers red", async () => {
    const geometry = await windows(browser(), {}, lying());
    const { formula } = await geometry.until("the formula", ({ formula }) => formula.length === 1 && !formula[0].endsWith("?"));
    assert.doesNotMatch(formula[0], /⌊6\.5⌋/);
    const { shown } = await (await channels(browser(), {}, lying())).until("the count", ({ shown }) => shown.includes("parameters"));
    assert.doesNotMatch(shown, /= 148 parameters/);
    const { score } = await (await walk(browser(), { filled: BLOCKS.flat().join(".") }, lying())).until("the walk", ({ rows }) => rows.length === 8);
    assert.match(score, /^28 of 32/);
    const { same } = await (await wires(browser(), { tap: "-1" }, lying())).until("the lines", ({ lines }) => lines[0] === 64);
    assert.doesNotMatch(same, /differ by nothing/);
  });
});
