// Receptive fields: what a student can work out by hand (size += (k − 1) · jump, jump *= stride) is what the page shows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Key } from "selenium-webdriver";
import { ReceptiveFieldFigure } from "./harness/receptive-field.mjs";
import { fromFile } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const PAGE = fromFile("index.html");
const column = (shown, name) => shown.rows.map((row) => row[name]);
/** Ways through three 3 × 3 kernels: (1, 1, 1) convolved with itself twice. */
const PATHS = [1, 3, 6, 7, 6, 3, 1];

inBrowsers((browser) => {
  test("the stacks of the list give the fields that one works out by hand", async () => {
    const figure = await ReceptiveFieldFigure.open(browser(), PAGE);
    const first = await figure.read();
    assert.deepEqual(column(first, "size"), ["3", "5", "7"]);
    assert.deepEqual(column(first, "jump"), ["1", "1", "1"]);
    assert.deepEqual(column(first, "start"), ["0", "0", "0"]);
    assert.deepEqual(column(first, "map"), ["256²", "256²", "256²"]);
    assert.deepEqual(first.origin, { map: "256²", size: "1", jump: "1", start: "0" });
    assert.equal(first.weights, "27 weights for a pair of channels; one kernel of 7 × 7 has 49");
    assert.match(first.fact, /^after layer 3: 7 × 7 pixels = 4\.41 µm; jump 1$/);

    const stack = async (value, size) => {
      await figure.choose("stack", value);
      return figure.until(value, ({ stack, rows }) => stack === value && rows.at(-1).size === size);
    };
    await stack("c7", "7");
    await stack("c3-c3d2-c3d4", "15");
    const blocks = await stack("c3-m2-c3-m2-c3-m2-c3-m2", "46");
    assert.deepEqual(column(blocks, "size"), ["3", "4", "8", "10", "18", "22", "38", "46"]);
    assert.deepEqual(column(blocks, "jump"), ["1", "2", "2", "4", "4", "8", "8", "16"]);
    assert.deepEqual(column(blocks, "start"), ["0", "0.5", "0.5", "1.5", "1.5", "3.5", "3.5", "7.5"]);
    assert.deepEqual(column(blocks, "map"), ["256²", "128²", "128²", "64²", "64²", "32²", "32²", "16²"]);
    // 46 pixels of 0.63 µm.
    assert.equal(blocks.rows.at(-1).nm, "29 µm");
    const lenet = await stack("c5p0-a2-c5p0-a2", "16");
    assert.deepEqual(column(lenet, "size"), ["5", "6", "14", "16"]);
    assert.deepEqual(column(lenet, "start"), ["2", "2.5", "6.5", "7.5"]);
    assert.deepEqual(column(lenet, "map"), ["252²", "126²", "122²", "61²"]);
    const encoder = await stack("c3x2-m2-c3x2-m2-c3x2-m2-c3x2-m2-c3x2", "140");
    assert.deepEqual(column(encoder, "size"), ["5", "6", "14", "16", "32", "36", "68", "76", "140"]);
    assert.deepEqual(column(encoder, "layers"), ["1–2", "3", "4–5", "6", "7–8", "9", "10–11", "12", "13–14"]);
  });

  test("ten nanometres at 0.1 nm a pixel: fifty layers, and not one fewer", async () => {
    const figure = await ReceptiveFieldFigure.open(browser(), PAGE);
    await figure.choose("stack", "c3x50");
    await figure.until("fifty layers", ({ rows }) => rows.length === 1 && rows[0].size === "101");
    await figure.type(await figure.field("nm a pixel"), "0.1");
    await figure.type(await figure.field("to span, nm"), "10");
    const fifty = await figure.until("the verdict", ({ verdict }) => verdict !== "");
    assert.equal(fifty.rows[0].nm, "10.1 nm");
    assert.equal(fifty.verdict, "spans 10 nm: the stack sees 10.1 nm, with 0.1 nm to spare");
    await figure.type(await figure.setting("repeated of layer 1–50"), "49");
    const fewer = await figure.until("49 layers", ({ rows }) => rows[0].size === "99");
    assert.equal(fewer.verdict, "does not span 10 nm: the stack sees 9.9 nm, 0.1 nm are missing");
  });

  test("a stack is built: stride, dilation, another layer, one less", async () => {
    const figure = await ReceptiveFieldFigure.open(browser(), PAGE, { stack: "c3-c3" });
    await figure.type(await figure.setting("stride of layer 1"), "2");
    // 3, then 3 + 2 · 2.
    const strided = await figure.until("the stride", ({ rows }) => rows[1].size === "7");
    assert.deepEqual(column(strided, "jump"), ["2", "2"]);
    assert.deepEqual(column(strided, "map"), ["128²", "128²"]);
    await figure.type(await figure.setting("dilation of layer 2"), "3");
    await figure.until("the dilation: 3 + 3 · 2 · 2", ({ rows }) => rows[1].size === "15");
    await figure.pressWords("pooling");
    const pooled = await figure.until("the pooling: 15 + 2", ({ rows }) => rows.length === 3 && rows[2].size === "17");
    assert.equal(pooled.rows[2].jump, "4");
    await figure.focus(".builder [aria-label='Move layer 3: arrow up or down, or drag']");
    await figure.keys(Key.ARROW_UP);
    // Pooling first: 3, 3 + 2, then 5 + 3 · 2 · 4.
    const moved = await figure.until("the other order", ({ rows }) => rows[2].size === "29");
    assert.deepEqual(column(moved, "kind"), ["conv", "maxpool", "conv"]);
    await figure.press("Remove layer 2");
    await figure.until("two layers", ({ rows }) => rows.length === 2 && rows[1].size === "15");
  });

  test("another place is chosen by pointer and keys; the rim cuts the field", async () => {
    const figure = await ReceptiveFieldFigure.open(browser(), PAGE);
    await figure.point(".picture canvas", [60, 90], { press: true });
    // A pixel of the map may be smaller than one of the screen: the field lies around what was hit, 7 wide.
    const field = ({ spoken }) => (/rows (\d+) to (\d+) and columns (\d+) to (\d+)/.exec(spoken) ?? []).slice(1).map(Number);
    const near = await figure.until("the field around it", (shown) => Math.abs(field(shown)[0] - 57) <= 1 && Math.abs(field(shown)[2] - 87) <= 1);
    const [top, bottom, left, right] = field(near);
    assert.deepEqual([bottom - top, right - left], [6, 6]);
    assert.match(near.spoken, /wholly inside it/);
    await figure.focus(".picture .surface");
    await figure.keys(Key.ARROW_DOWN);
    await figure.until("one row down", (shown) => field(shown).join() === [top + 1, bottom + 1, left, right].join());

    const corner = await ReceptiveFieldFigure.open(browser(), PAGE, { at: "0,0" });
    const cut = await corner.read();
    // Of seven rows around row 0, four lie in the picture.
    assert.match(cut.cut, /the rim cuts it to 4 × 4$/);
    assert.match(cut.fact, /7 × 7 pixels/);
    assert.match(cut.spoken, /rows 0 to 3 and columns 0 to 3 of the picture, cut by the rim/);
    await corner.focus(".picture .surface");
    await corner.keys(Key.ARROW_UP, Key.ARROW_LEFT);
    await corner.keys(Key.ARROW_RIGHT);
    await corner.until("one column on", ({ cut, spoken }) => cut.endsWith("4 × 5") && /columns 0 to 4/.test(spoken));
  });

  test("pooled maps move by their jump", async () => {
    const figure = await ReceptiveFieldFigure.open(browser(), PAGE, { stack: "m2-m2", at: "100,100" });
    await figure.until("the field", ({ spoken }) => /rows 100 to 103 and columns 100 to 103/.test(spoken));
    await figure.focus(".picture .surface");
    await figure.keys(Key.ARROW_RIGHT);
    await figure.until("four columns on", ({ spoken }) => /rows 100 to 103 and columns 104 to 107/.test(spoken));
  });

  test("path counts are the product of 1 3 6 7 6 3 1 with itself", async () => {
    const figure = await ReceptiveFieldFigure.open(browser(), PAGE, { at: "60,90" });
    await figure.choose("show", "weighted");
    const shown = await figure.until("the numbers", ({ digits }) => digits.length > 0);
    assert.deepEqual(shown.digits.map(Number), PATHS.flatMap((y) => PATHS.map((x) => y * x)));
    assert.match(shown.legend, /49 ways$/);
    // The enlargement shows the field with two pixels around it: its middle is the pixel in the middle.
    const near = await browser().run(() => [...document.querySelector("ks-receptive-field").shadowRoot.querySelectorAll(".picture")].at(-1).querySelector("canvas").width);
    assert.equal(near, 11);
    const canvas = "[style*='near'] canvas";
    for (const [dy, dx] of [[0, 0], [-3, -3], [1, -2]]) {
      await figure.point(canvas, [5 + dy, 5 + dx]);
      const ways = PATHS[3 + dy] * PATHS[3 + dx];
      await figure.until(`pixel ${dy}, ${dx}`, ({ hint }) => hint === `pixel (${60 + dy}, ${90 + dx}) reaches the output in ${ways} way${ways === 1 ? "" : "s"}`);
    }
    await figure.point(canvas, [1, 5]);
    await figure.until("a pixel outside", ({ hint }) => hint === "pixel (56, 90) does not reach this output");
    await figure.focus("[style*='near'] .surface");
    // From where the pointer was.
    await figure.keys(Key.ARROW_DOWN);
    await figure.until("the keys' pixel", ({ hint }) => hint === "pixel (57, 90) reaches the output in 7 ways");
  });

  test("it grows layer by layer: steps, slider, play", async () => {
    const figure = await ReceptiveFieldFigure.open(browser(), PAGE);
    await figure.press("One layer back");
    const second = await figure.until("layer 2", ({ place }) => place === "layer 2 of 3");
    assert.match(second.fact, /^after layer 2: 5 × 5 pixels/);
    assert.deepEqual(column(second, "now"), [false, true, false]);
    const slider = await figure.element("input[type=range]");
    await slider.sendKeys(Key.HOME);
    const none = await figure.until("the picture", ({ place }) => place === "layer 0 of 3");
    assert.match(none.fact, /^the picture: 1 × 1 pixels/);
    await slider.sendKeys(Key.ARROW_RIGHT);
    await figure.until("layer 1", ({ fact }) => fact.startsWith("after layer 1: 3 × 3 pixels"));
    await figure.press("Play");
    await figure.until("the end", ({ place, playing }) => place === "layer 3 of 3" && !playing);
  });

  test("what is no number, and what cannot be", async () => {
    const figure = await ReceptiveFieldFigure.open(browser(), PAGE);
    await figure.type(await figure.setting("kernel of layer 2"), "big");
    const wrong = await figure.until("the sentence", ({ alert }) => alert !== "");
    assert.match(wrong.alert, /kernel of layer 2 is “big”, which is no number/);
    assert.deepEqual(wrong.invalid, ["big"]);
    assert.match(wrong.fact, /7 × 7 pixels/, "the last stack stays");
    await figure.type(await figure.setting("kernel of layer 2"), "5");
    await figure.until("the new kernel: 3 + 4 + 2", ({ alert, rows }) => alert === "" && rows[2].size === "9");
    await figure.type(await figure.setting("stride of layer 2"), "0");
    const refused = await figure.until("the refusal", ({ alert }) => alert !== "");
    assert.match(refused.alert, /^layer 2.*stride.*at least 1; got 0/);
    assert.equal(await (await figure.setting("stride of layer 2")).getAttribute("value"), "0", "what was typed stays");
    assert.match(refused.fact, /9 × 9 pixels/);
    await figure.type(await figure.setting("stride of layer 2"), "1");
    await figure.until("the end of the refusal", ({ alert, rows }) => alert === "" && rows[2].size === "9");
    await figure.type(await figure.field("nm a pixel"), "small");
    await figure.until("a sentence about it", ({ alert }) => /pixel size is “small”, which is no number/.test(alert));
    await figure.type(await figure.field("nm a pixel"), "0");
    await figure.until("another", ({ alert }) => /pixel size must be more than 0 nm/.test(alert));
  });

  test("the question is answered by the figure", async () => {
    const figure = await ReceptiveFieldFigure.open(browser(), PAGE);
    await figure.pressWords("10");
    const shown = await figure.until("the answer", ({ question }) => question !== "");
    assert.equal(shown.right, "50");
    // 1 + 2 · 50 and 1 + 2 · 10; five blocks and a convolution: 94 + 2 · 32.
    assert.match(shown.question, /^10 · 50 · 50 layers see 101 pixels, 10\.1 nm; 10 see only 21\..+ see 158 pixels\./);
    await figure.until("the stack", ({ rows, verdict }) => rows[0].size === "101" && verdict.startsWith("spans 10 nm"));
  });

  test("the address carries the state, and a fresh page shows the same from it", async () => {
    const figure = await ReceptiveFieldFigure.open(browser(), PAGE);
    await figure.choose("stack", "c3-m2-c3-m2-c3-m2-c3-m2");
    await figure.until("the blocks", ({ rows }) => rows.length === 8);
    await figure.type(await figure.setting("kernel of layer 1"), "5");
    await figure.until("the kernel", ({ rows }) => rows[7].size === "48");
    await figure.choose("show", "weighted");
    await figure.type(await figure.field("nm a pixel"), "2.5");
    await figure.type(await figure.field("to span, nm"), "100");
    await figure.press("One layer back");
    const here = await figure.until("layer 7", ({ place, spoken, verdict, legend }) => place === "layer 7 of 8" && spoken.startsWith("Layer 7") && verdict !== "" && legend !== "");
    const hash = await figure.address(/stack=c5-m2.*layer=7.*view=weighted.*pixel=2\.5.*target=100/);
    const fresh = await ReceptiveFieldFigure.open(browser(), PAGE, hash);
    const there = await fresh.until("the weighted view", ({ legend, weights }) => legend !== "" && weights === here.weights);
    for (const part of ["rows", "origin", "fact", "verdict", "place", "spoken", "legend", "digits", "stack"]) assert.deepEqual(there[part], here[part], part);
  });

  test("its keys stay in it", async () => {
    const figure = await ReceptiveFieldFigure.open(browser(), PAGE);
    await figure.watchKeys();
    for (const [css, keys] of [
      [".picture .surface", [Key.ARROW_RIGHT, Key.ARROW_DOWN, Key.HOME, Key.END, Key.PAGE_DOWN, Key.PAGE_UP, Key.SPACE, Key.SPACE]],
      ["[style*='near'] .surface", [Key.ARROW_LEFT, Key.ARROW_UP]],
      ["input[type=range]", [Key.ARROW_LEFT, Key.PAGE_DOWN]],
      [".builder input", [Key.ARROW_UP, Key.ARROW_DOWN]],
      [".builder .handle", [Key.ARROW_DOWN, Key.ARROW_UP]],
      ["[aria-label=Play]", [Key.SPACE, Key.SPACE]],
      ["select", [Key.ARROW_DOWN, Key.ARROW_UP]],
    ]) {
      await figure.focus(css);
      await figure.keys(...keys);
      assert.deepEqual(await figure.keysThatLeft(), [], `keys on ${css}`);
    }
    assert.equal((await figure.read()).alert, "");
  });
});
