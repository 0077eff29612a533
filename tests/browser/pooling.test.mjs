// Pooling: the lecture's example, moved and changed by a student; every number against what can be known without the page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Key } from "selenium-webdriver";
import { valuesOf } from "./harness/colours.mjs";
import { MICROGRAPH } from "./harness/golden.mjs";
import { decode } from "./harness/png.mjs";
import { PoolingFigure } from "./harness/pooling.mjs";
import { fromFile, sabotagedRoot } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const PAGE = fromFile("index.html");
/** The worked example: 1 3 2 4 / 5 6 7 8 / 3 2 1 0 / 1 2 3 4 in windows of 2 × 2, and the weights 1 −1 in each row. */
const LECTURE = { max: [6, 8, 3, 4], average: [3.75, 5.25, 2, 2], convolution: [-3, -3, 0, 0] };
const NOTHING = { max: ["", "", "", ""], average: ["", "", "", ""], convolution: ["", "", "", ""] };

const same = (shown, known, what) => {
  assert.equal(shown.length, known.length, `${what}: ${shown}`);
  // The page writes four digits.
  known.forEach((value, i) => assert.ok(Math.abs(shown[i] - value) <= 6e-4 * Math.max(1, Math.abs(value)), `${what}: the page shows ${shown}, known is ${known}`));
};
const sameResults = ({ results }, known) => Object.keys(known).forEach((way) => same(results[way], known[way], way));
const resultsAre = (known) => ({ results }) => Object.keys(known).every((way) => results[way].join() === known[way].join());

inBrowsers((browser) => {
  test("the lecture's numbers, and how each comes about", async () => {
    const figure = await PoolingFigure.open(browser(), PAGE);
    const shown = await figure.until("the first window's words", ({ spoken }) => spoken.startsWith("Window over rows 0 to 1"));
    assert.deepEqual(shown.values.map(Number), [1, 3, 2, 4, 5, 6, 7, 8, 3, 2, 1, 0, 1, 2, 3, 4]);
    sameResults(shown, LECTURE);
    assert.deepEqual(shown.was, NOTHING);
    assert.deepEqual(shown.weights, ["1", "−1", "1", "−1"]);
    assert.deepEqual(shown.sentences, { max: "max(1, 3, 5, 6) = 6", average: "(1 + 3 + 5 + 6) / 4 = 3.75", convolution: "1 − 3 + 5 − 6 = −3" });
    assert.deepEqual(shown.window, [0, 1, 4, 5]);
    assert.match(shown.terms.max[3], /row 1, column 1: 6, the largest/);
    assert.match(shown.terms.average[3], /6 times ¼ is 1\.5/);
    assert.match(shown.terms.convolution[3], /6 times −1 is −6/);
    assert.match(shown.spoken, /columns 0 to 1, output row 0, column 0: the largest of 1, 3, 5, 6 is 6; the mean of 1, 3, 5, 6 is 3\.75; the sum of 1 times 1, 3 times −1, 5 times 1, 6 times −1 is −3\./);
    assert.match(shown.formula, /⌊\(4 \+ 2·0 − 2\) \/ 2⌋ \+ 1 = 2 above/);
  });

  test("the 6 moves inside its window, by keys: only the convolution notices", async () => {
    const figure = await PoolingFigure.open(browser(), PAGE);
    await figure.at(1, 1);
    await figure.shift(Key.ARROW_LEFT);
    const shown = await figure.until("the move", ({ values }) => values[4] === "6");
    const moved = await figure.until("the results", ({ line }) => line.startsWith("6 moved"));
    assert.equal(shown.values[5], "5");
    sameResults(moved, { ...LECTURE, convolution: [-1, -3, 0, 0] });
    assert.deepEqual(moved.was, { ...NOTHING, convolution: ["−3", "", "", ""] });
    assert.equal(moved.line, "6 moved from (1, 1) to (1, 0): max unchanged, average unchanged, convolution −3 → −1.");
    const focused = await browser().run(() => document.querySelector("ks-pooling").shadowRoot.activeElement.ariaLabel);
    assert.equal(focused, "value, row 1, column 0", "the focus goes with the 6");
    await figure.pressWords("undo");
    sameResults(await figure.until("the first numbers", resultsAre(LECTURE)), LECTURE);
  });

  test("the 6 leaves its window: two windows change, in all three ways", async () => {
    const figure = await PoolingFigure.open(browser(), PAGE);
    await figure.at(1, 1);
    await figure.shift(Key.ARROW_DOWN);
    const moved = await figure.until("the results", ({ line }) => line.startsWith("6 moved"));
    sameResults(moved, { max: [5, 8, 6, 4], average: [2.75, 5.25, 3, 2], convolution: [1, -3, -4, 0] });
    assert.deepEqual(moved.was, { max: ["6", "", "3", ""], average: ["3.75", "", "2", ""], convolution: ["−3", "", "0", ""] });
    assert.equal(moved.line, "6 moved from (1, 1) to (2, 1): max 6 → 5, 3 → 6, average 3.75 → 2.75, 2 → 3, convolution −3 → 1, 0 → −4.");
  });

  test("a typed value, and weights", async () => {
    const figure = await PoolingFigure.open(browser(), PAGE);
    await figure.type(await figure.element(".numbers.values input"), "9");
    const typed = await figure.until("the results", ({ results }) => results.max[0] === 9);
    sameResults(typed, { max: [9, 8, 3, 4], average: [5.75, 5.25, 2, 2], convolution: [5, -3, 0, 0] });
    assert.match(typed.line, /^\(0, 0\) was 1 and is 9: max 6 → 9, average 3\.75 → 5\.75, convolution −3 → 5\.$/);
    await figure.type(await figure.element(".numbers.kernel input:nth-child(4)"), "1/2");
    const weighted = await figure.until("the weight", ({ results }) => results.convolution[0] === 14);
    // 9 − 3 + 5 + 6/2, and so on.
    sameResults(weighted, { max: [9, 8, 3, 4], average: [5.75, 5.25, 2, 2], convolution: [9 - 3 + 5 + 3, 2 - 4 + 7 + 4, 3 - 2 + 1 + 1, 1 - 0 + 3 + 2] });
    await figure.press("Reset the figure");
    await figure.until("the first numbers", resultsAre(LECTURE));
  });

  test("what is no number is kept, and said", async () => {
    const figure = await PoolingFigure.open(browser(), PAGE);
    await figure.type(await figure.element(".numbers.values input"), "six");
    const wrong = await figure.until("the sentence", ({ alert }) => alert !== "");
    assert.match(wrong.alert, /value in row 0, column 0 is “six”, which is no number\..+until then 1 stays in use/);
    assert.deepEqual(wrong.invalid, ["six"]);
    sameResults(wrong, LECTURE);
    await figure.type(await figure.element(".numbers.values input"), "1.5");
    // The sentence goes when the number can be read, the results follow.
    const mended = await figure.until("the end of the sentence and other results", ({ alert, invalid, results }) => alert === "" && invalid.length === 0 && results.average[0] !== LECTURE.average[0]);
    same(mended.results.average.slice(0, 1), [3.875], "the mean");

    const padding = await figure.field("padding");
    await figure.type(padding, "2");
    const refused = await figure.until("the refusal", ({ alert }) => alert !== "");
    assert.match(refused.alert, /padding .*at most half the kernel/);
    assert.equal(await padding.getAttribute("value"), "2", "what was typed stays");
    same(refused.results.max, [6, 8, 3, 4], "the last results stay");
    await figure.type(padding, "0");
    await figure.until("the end of the refusal", ({ alert }) => alert === "");
    await figure.type(await figure.field("kernel"), "wide");
    await figure.until("a sentence about the kernel", ({ alert }) => /kernel size is “wide”, which is no number/.test(alert));
  });

  test("kernel, stride, rounding up, padding: known sizes and values", async () => {
    const figure = await PoolingFigure.open(browser(), PAGE);
    await figure.type(await figure.field("kernel"), "3");
    // ⌊(4 − 3)/3⌋ + 1 = 1; the mean of the nine is 30/9, the left column less the right one 9 − 10.
    const three = await figure.until("one window", ({ results }) => results.max.length === 1);
    sameResults(three, { max: [7], average: [30 / 9], convolution: [-1] });
    assert.match(three.formula, /7 of the sixteen are read by no window/);
    await figure.type(await figure.field("stride"), "1");
    sameResults(await figure.until("four windows", ({ results }) => results.max.length === 4), {
      max: [7, 8, 7, 8],
      average: [30 / 9, 33 / 9, 30 / 9, 33 / 9],
      convolution: [1 + 5 + 3 - 2 - 7 - 1, 3 + 6 + 2 - 4 - 8 - 0, 5 + 3 + 1 - 7 - 1 - 3, 6 + 2 + 2 - 8 - 0 - 4],
    });

    await figure.type(await figure.field("stride"), "2");
    await figure.until("one window", ({ results }) => results.max.length === 1);
    await figure.pressWords("round up");
    // Windows beyond the map divide by what lies inside; a convolution has none.
    const up = await figure.until("rounding up", ({ results }) => results.max.length === 4);
    sameResults(up, { max: [7, 8, 3, 4], average: [30 / 9, 22 / 6, 12 / 6, 8 / 4], convolution: [-1] });
    assert.match(up.formula, /⌈\(4 \+ 2·0 − 3\) \/ 2⌉ \+ 1 = 2 above, ⌈\(256 \+ 2·0 − 3\) \/ 2⌉ \+ 1 = 128 below/);
    assert.equal(up.maps.max.size, "128 × 128");
    assert.equal(up.maps.convolution.size, "127 × 127");
    await (await figure.element(".time input[type=range]")).sendKeys(Key.END);
    const last = await figure.until("the last window", ({ sentences }) => sentences.max === "max(1, 0, 3, 4) = 4");
    assert.match(last.sentences.convolution, /no such output: a convolution does not round up/);

    const padded = await PoolingFigure.open(browser(), PAGE, { padding: 1 });
    const zeros = await padded.until("the padding", ({ results }) => results.max.length === 9);
    // (4 + 2 − 2)/2 + 1 = 3: the corners see one value, the rim two, the middle four.
    const sums = [1, 3 + 2, 4, 5 + 3, 6 + 7 + 2 + 1, 8 + 0, 1, 2 + 3, 4];
    sameResults(zeros, { max: [1, 3, 4, 5, 7, 8, 1, 3, 4], average: sums.map((sum) => sum / 4) });
    await padded.pressWords("count padding");
    const without = await padded.until("the other mean", ({ results }) => results.average[0] === 1);
    sameResults(without, { average: sums.map((sum, i) => sum / [1, 2, 1, 2, 4, 2, 1, 2, 1][i]) });
    assert.equal(without.maps.average.size, "129 × 129");
  });

  test("the micrograph: each way's map is what its pixels say", async () => {
    const { width, data } = decode(readFileSync(MICROGRAPH));
    // The square of the micrograph that the figure shows; 8 bits a pixel.
    const pixel = (y, x) => data[(20 + y) * width + 174 + x] / 255;
    const figure = await PoolingFigure.open(browser(), PAGE, { map: "picture", place: "40.50" });
    const shown = await figure.until("the map's words", ({ maps }) => maps.max.sentence.startsWith("max("));
    assert.equal(shown.maps.max.size, "128 × 128");
    const places = [[0, 0], [0, 127], [127, 0], [127, 127], [40, 50], [63, 64], [99, 3]];
    const windows = places.map(([m, n]) => [pixel(2 * m, 2 * n), pixel(2 * m, 2 * n + 1), pixel(2 * m + 1, 2 * n), pixel(2 * m + 1, 2 * n + 1)]);
    const known = {
      max: windows.map((of) => Math.max(...of)),
      average: windows.map((of) => of.reduce((sum, x) => sum + x) / 4),
      convolution: windows.map(([a, b, c, d]) => a - b + c - d),
    };
    for (const [way, values] of Object.entries(known)) {
      const { scale, colours } = await figure.coloursOf(`.map.${way} canvas`, places);
      values.forEach((value, i) => {
        const { low, high } = valuesOf(colours[i], scale);
        assert.ok(value >= low - 1e-5 && value <= high + 1e-5, `${way} at ${places[i]}: its colour says ${low} to ${high}, the pixels ${value}`);
      });
      const told = Number(/= (\S+)$/.exec(shown.maps[way].sentence)[1].replace("−", "-"));
      assert.ok(Math.abs(told - values[4]) <= 0.0051, `${way}: ${shown.maps[way].sentence}, and the pixels say ${values[4]}`);
    }
  });

  test("a shift of the map by a pixel: the largest tolerate it better than the means", async () => {
    const figure = await PoolingFigure.open(browser(), PAGE);
    const still = await figure.read();
    for (const way of ["max", "average", "convolution"]) assert.match(still.maps[way].changed, /^0\.0 % changed: 0 of 16.384$/);
    await figure.focus("input[aria-label='Shift of the map in pixels']");
    await figure.keys(Key.ARROW_RIGHT);
    const one = await figure.until("a pixel's shift", ({ maps }) => !maps.max.changed.startsWith("0.0"));
    const share = (way) => Number.parseFloat(one.maps[way].changed);
    assert.ok(share("max") > 5 && share("max") < share("average"), `max ${share("max")} %, average ${share("average")} %`);
  });

  test("it plays, steps and scrubs", async () => {
    const figure = await PoolingFigure.open(browser(), PAGE);
    await figure.press("Step on");
    await figure.until("the second window", ({ place, sentences }) => place === "window 2 of 4" && sentences.max === "max(2, 4, 7, 8) = 8");
    await figure.press("Step back");
    await figure.until("the first window", ({ place, sentences }) => place === "window 1 of 4" && sentences.max === "max(1, 3, 5, 6) = 6");
    const slider = await figure.element(".time input[type=range]");
    await slider.sendKeys(Key.END);
    await figure.until("the last window", ({ place, window }) => place === "window 4 of 4" && window.join() === "10,11,14,15");
    await figure.choose("speed", "fast");
    await figure.press("Play");
    await figure.until("playing from the start", ({ playing, place }) => playing && place !== "window 4 of 4");
    await figure.until("the end", ({ playing, place }) => !playing && place === "window 4 of 4");
    await figure.press("Play");
    await figure.press("Pause");
    await figure.until("the pause", ({ playing }) => !playing);
  });

  test("a pointed result lights its window, a pointed value says who reads it", async () => {
    const figure = await PoolingFigure.open(browser(), PAGE);
    const cell = await figure.element(".way.average .grid.results .cell:nth-child(2), .way.average .grid.results [role=row]:nth-child(1) .cell:nth-child(2)");
    await browser().driver.actions().move({ origin: cell, duration: 0 }).perform();
    await figure.until("the lit window", ({ lit, hint }) => lit.join() === "2,3,6,7" && hint === "average (0, 1) was made from this window");
    await figure.at(2, 1);
    await figure.until("who reads it", ({ hint }) => hint === "(2, 1) is read by one window");
  });

  test("the question is answered by the figure", async () => {
    const figure = await PoolingFigure.open(browser(), PAGE, { kernel: 3 });
    await figure.pressWords("none of the three");
    const shown = await figure.until("the answer", ({ question }) => question !== "");
    assert.equal(shown.right, "only the convolution");
    assert.match(shown.question, /^none of the three · only the convolution · The largest is still 6 and the mean still 3\.75.+from −3 to −1/);
    sameResults(shown, { ...LECTURE, convolution: [-1, -3, 0, 0] });
    assert.deepEqual(shown.answers, { max: false, average: false, convolution: true });
    await figure.pressWords("only the convolution");
    await figure.until("the praise", ({ question }) => question.startsWith("only the convolution · only the convolution · "));
  });

  test("the address carries the state, and a fresh page shows the same from it", async () => {
    const figure = await PoolingFigure.open(browser(), PAGE, { padding: 1 });
    await figure.at(1, 1);
    await figure.shift(Key.ARROW_RIGHT);
    await figure.until("the move", ({ line }) => line.startsWith("6 moved"));
    await figure.type(await figure.element(".numbers.kernel input"), "0.25");
    await figure.until("the weight", ({ weights }) => weights[0] === "0.25");
    await figure.press("Step on");
    const here = await figure.until("the second window", ({ place }) => place === "window 2 of 9");
    const hash = await figure.address(/moved=1\.1\.1\.2.*weights=0\.25.*at=0\.1/);
    const fresh = await PoolingFigure.open(browser(), PAGE, hash);
    const there = await fresh.until("the second window", ({ place, sentences }) => place === "window 2 of 9" && sentences.max === here.sentences.max);
    for (const part of ["values", "weights", "results", "was", "sentences", "line", "formula", "window"]) assert.deepEqual(there[part], here[part], part);
  });

  test("its keys stay in it", async () => {
    const figure = await PoolingFigure.open(browser(), PAGE);
    await figure.watchKeys();
    for (const [css, keys] of [
      [".numbers.values input", [Key.ARROW_RIGHT, Key.ARROW_DOWN]],
      [".numbers.kernel input", [Key.ARROW_RIGHT, Key.ARROW_UP]],
      [".grid.results [tabindex='0']", [Key.ARROW_RIGHT, Key.ARROW_DOWN]],
      [".whole .surface", [Key.ARROW_RIGHT, Key.ARROW_DOWN, Key.SPACE, Key.SPACE, Key.HOME, Key.END, Key.PAGE_DOWN, Key.PAGE_UP]],
      [".time input[type=range]", [Key.ARROW_RIGHT, Key.PAGE_DOWN]],
      ["[aria-label=Play]", [Key.SPACE, Key.SPACE]],
      ["select", [Key.ARROW_DOWN, Key.ARROW_UP]],
    ]) {
      await figure.focus(css);
      await figure.keys(...keys);
      assert.deepEqual((await figure.keysThatLeft()).filter((key) => key !== "Shift"), [], `keys on ${css}`);
    }
    await figure.at(2, 2);
    await figure.shift(Key.ARROW_UP);
    assert.deepEqual((await figure.keysThatLeft()).filter((key) => key !== "Shift"), [], "a carried value");
    assert.equal((await figure.read()).alert, "");
  });

  test("a build that lies turns these numbers red", async () => {
    const figure = await PoolingFigure.open(browser(), pathToFileURL(join(sabotagedRoot(), "index.html")).href);
    const shown = await figure.read();
    assert.throws(() => sameResults(shown, LECTURE), { code: "ERR_ASSERTION" });
    // By the quarter it lies, in each way: the page shows the engine's numbers, not stored ones.
    const off = (values) => values.map((value) => value + 0.25);
    sameResults(shown, { max: off(LECTURE.max), average: off(LECTURE.average), convolution: off(LECTURE.convolution) });
    assert.match(shown.sentences.max, /= 6\.25$/);
    assert.match(shown.sentences.average, /= 4$/);
  });
});
