// What a dense layer lacks: counts, shuffled pixels and a moving precipitate, against numbers known from elsewhere.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Key } from "selenium-webdriver";
import { lesson, lying, numberOf, slide } from "./harness/lesson.mjs";
import { reader } from "./harness/reader.mjs";
import { inBrowsers } from "./harness/suite.mjs";

/** The table of counts: one pair of texts for each row. */
const COUNTS = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  return {
    rows: [...root.querySelectorAll("tbody tr")].map((row) => [...row.children].map(({ textContent }) => textContent)),
    ratio: root.querySelector(".ratio").textContent,
    products: [...root.querySelectorAll(".product")].map(({ textContent }) => textContent),
    widths: [...root.querySelectorAll(".track i")].map(({ style }) => parseFloat(style.width)),
  };
};
const counts = (browser, state, page) => lesson(browser, "parameter-count", "parameters", COUNTS, state, page);

/** The lecture's numbers, worked out by hand. */
function first({ rows }) {
  const [weights, biased, memory, products, heart] = rows.map((row) => row.slice(1).map(numberOf));
  assert.deepEqual(weights, [1_048_576_000, 576]);
  assert.deepEqual(biased, [1_048_577_000, 640]);
  assert.deepEqual(memory, [4.19, 2.6]);
  assert.deepEqual(products, [1_048_576_000, 576 * 1024 * 1024]);
  assert.deepEqual(heart, [1_048_577, 10]);
}

const SHUFFLE = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  const notes = [...root.querySelectorAll(".picture .note")].map(({ textContent }) => textContent);
  return { notes, bars: [...root.querySelectorAll(".bars")].map((bars) => [...bars.children].map(({ textContent }) => textContent)), difference: root.querySelector(".difference").textContent };
};
const shuffle = (browser, state, page) => lesson(browser, "pixel-shuffle", "structure", SHUFFLE, state, page);

/** Once all pixels are shuffled, neighbours know nothing of each other: 8064 pairs, three standard errors are 0.033. */
function strangers({ notes }) {
  const [ordered, , mixed, map] = notes.map(numberOf);
  assert.ok(ordered > 0.8, `in order ${ordered}`);
  assert.ok(Math.abs(mixed) < 0.04, `shuffled ${mixed}`);
  // Windows that overlap share pixels: their answers stay a little alike, but nothing like the lines of before.
  assert.ok(map < 0.5, `the map ${map}`);
}

const MOVED = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  const [changed, dense, most, peak] = [...root.querySelectorAll(".fact output")].map(({ textContent }) => textContent);
  return { changed, dense, most, peak };
};
const moved = (browser, state, page) => lesson(browser, "translation", "translation", MOVED, state, page);

inBrowsers((browser) => {
  test("the lecture's counts, and what grows with the picture", async () => {
    const figure = await counts(browser(), {});
    const plain = await figure.until("the counts", ({ rows }) => rows.length === 5 && rows[0][2] !== "?");
    first(plain);
    assert.match(plain.ratio.replaceAll("\u202f", ""), /1820444 times/);
    // The axis is logarithmic, fifteen decades long.
    assert.ok(Math.abs(plain.widths[0] - (100 * Math.log10(1_048_576_000)) / 15) < 0.1);
    await slide(figure, "picture", 8);
    const larger = await figure.until("2048²", ({ products }) => products[0].startsWith("2048²"));
    assert.deepEqual(larger.rows[0].slice(1).map(numberOf), [4_194_304_000, 576]);
    await figure.address(/parameter-count\.size=2048/);
    await figure.pressWords("a whole map");
    await figure.browser.run(() => (location.hash = "#parameters?parameter-count.against=map&parameter-count.size=256"));
    const map = await figure.until("one map", ({ products }) => products[0].startsWith("256² · 256²"));
    assert.deepEqual(map.rows[0].slice(1).map(numberOf), [4_294_967_296, 9]);
  });

  test("a picture too large is named, and nothing is lost", async () => {
    const figure = await counts(browser(), { size: 5000 });
    const shown = await figure.until("the reason", ({ alert }) => alert !== "");
    assert.match(shown.alert, /size.*1 to 4096.*5000/);
    assert.equal(shown.rows.length, 5);
  });

  test("a shuffled dense layer answers as before, a convolution does not", async () => {
    const figure = await shuffle(browser(), {});
    const all = await figure.until("both rows", ({ notes, difference }) => notes.length === 4 && notes[3] !== "" && difference !== "");
    strangers(all);
    assert.deepEqual(all.bars[0], all.bars[1], "eight answers, to three digits");
    const apart = /(?:at most (\d\.\d) · 10⁻([⁴-⁹]|¹\d?)|by nothing)/.exec(all.difference);
    assert.ok(apart, all.difference);
    await slide(figure, "pixels that change places", 0);
    const none = await figure.until("in order again", ({ notes }) => notes[2] === notes[0]);
    assert.equal(none.notes[3], none.notes[1]);
    await slide(figure, "pixels that change places", 0.3);
    // Two neighbours are both in place with a chance of 0.7²: the correlation falls to about half.
    const some = await figure.until("a third", ({ notes }) => numberOf(notes[2]) < numberOf(notes[0]) - 0.2);
    assert.ok(Math.abs(numberOf(some.notes[2]) / numberOf(some.notes[0]) - 0.49) < 0.05, some.notes.join());
  });

  test("the peak moves as the precipitate does; the dense unit does not know it again", async () => {
    const figure = await moved(browser(), { shift: "5.12" });
    const away = await figure.until("the peak", ({ peak }) => peak === "+5, +12");
    assert.equal(away.most, "1.00");
    assert.ok(numberOf(away.dense) < 0.4, away.dense);
    assert.ok(numberOf(away.changed) > 200);
    await figure.watchKeys();
    await figure.focus(".seen .surface");
    await figure.keys(Key.ARROW_LEFT, Key.ARROW_UP);
    await figure.until("one back", ({ peak }) => peak === "+4, +11");
    assert.deepEqual(await figure.keysThatLeft(), []);
    await figure.address(/translation\.shift=4\.11/);
    await figure.pressWords("Back home");
    const home = await figure.until("home", ({ dense }) => dense === "1.00");
    assert.deepEqual([home.changed, home.most, home.peak], ["0", "1.00", "0, 0"]);
  });

  test("readers find the three answers", async () => {
    const parameters = await reader(browser(), "parameters");
    if (/Ask me again/.test(await parameters.text())) await parameters.press("Ask me again");
    await parameters.reads(/convolution 64 · 3² = \?/);
    await parameters.press("about 1.8 million");
    await parameters.reads(/Yes, it is about 1\.8 million Each of the 1000 units .* 64 · 9 = 576, 640 with biases\. That is 1 820 444 times/);
    const structure = await reader(browser(), "structure", { page: null });
    if (/Ask me again/.test(await structure.text())) await structure.press("Ask me again");
    await structure.press("the convolution");
    await structure.reads(/You said the convolution It is the dense layer A sum does not know in which order it was added/);
    const translation = await reader(browser(), "translation", { page: null });
    if (/Ask me again/.test(await translation.text())) await translation.press("Ask me again");
    await translation.press("it moves twelve pixels to the right");
    await translation.reads(/Yes, it is it moves twelve pixels to the right The peak has moved by 0, \+12, exactly as the precipitate did, and is as high as before: 1\.00/);
  });

  test("a build that lies turns these numbers red", async () => {
    const figure = await counts(browser(), {}, lying());
    const shown = await figure.until("the counts", ({ rows }) => rows.length === 5 && rows[0][2] !== "?");
    assert.throws(() => first(shown), { code: "ERR_ASSERTION" });
    const pixels = await shuffle(browser(), {}, lying());
    const mixed = await pixels.until("both rows", ({ notes }) => notes.length === 4 && notes[3] !== "");
    assert.throws(() => strangers(mixed), { code: "ERR_ASSERTION" });
    const precipitate = await moved(browser(), { shift: "5.12" }, lying());
    const { peak } = await precipitate.until("the peak", ({ peak }) => peak !== "?" && peak !== "0, 0");
    assert.notEqual(peak, "+5, +12");
  });
});
