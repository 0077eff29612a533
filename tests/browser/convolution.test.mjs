// The convolution: every number on the page is the one PyTorch computes; stepping, scrubbing and editing are live.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Key, Origin } from "selenium-webdriver";
import { ConvolutionFigure, hashOf, numberIn, productIn, sameShown } from "./harness/convolution.mjs";
import { CASES, compare, openMicrograph } from "./harness/golden.mjs";
import { fromFile } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const PAGE = fromFile("index.html");

inBrowsers((browser) => {
  test("numbers and colours are PyTorch's in every setting", async (t) => {
    assert.ok(CASES.length >= 30, `${CASES.length} golden cases`);
    const figure = await ConvolutionFigure.open(browser(), PAGE);
    await openMicrograph(figure);
    for (const golden of CASES) await t.test(golden.name, () => compare(figure, golden));
  });

  test("the figure steps, plays and scrubs", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE, { at: [10, 20] });
    await figure.press("Step on");
    await figure.until("one pixel on", ({ at }) => at.join() === "10,21");
    await figure.press("Step back");
    await figure.until("one pixel back", ({ at }) => at.join() === "10,20");

    await figure.choose("step by", "product");
    await figure.press("Step on");
    // Nine of nine were shown: the next product is the first of the next pixel.
    const first = await figure.until("the first product", ({ at, sum }) => at.join() === "10,21" && sum.startsWith("so far"));
    assert.equal(first.products.filter(({ label }) => !label.startsWith("not yet")).length, 1);
    sameShown(numberIn(first.sum), productIn(first.products[0].label)[2], "the sum so far");

    await figure.choose("step by", "row");
    await figure.press("Step on");
    await figure.until("one row on", ({ at }) => at.join() === "11,21");

    await figure.choose("speed", "fast");
    await figure.press("Play");
    await figure.until("three rows played", ({ at, playing }) => at[0] >= 14 && playing);
    await figure.press("Pause");
    await figure.until("the pause", ({ playing }) => !playing);
    // The last step's numbers may still be under way.
    const rest = () => new Promise((later) => setTimeout(later, 300));
    await rest();
    const { at } = await figure.read();
    await rest();
    assert.deepEqual((await figure.read()).at, at, "paused, it stays where it is");

    const slider = await figure.element("input[type=range]");
    await slider.sendKeys(Key.HOME);
    await figure.until("the first pixel", ({ at }) => at.join() === "0,0");
    await slider.sendKeys(Key.END);
    await figure.until("the last pixel", ({ at }) => at.join() === "253,253");
  });

  test("the map fills up to the present pixel and no further", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE, { at: [10, 20] });
    const [inside] = await figure.valuesAt("output", [[10, 20]]);
    const { sum } = await figure.read();
    assert.ok(numberIn(sum) >= inside.low - 0.006 && numberIn(sum) <= inside.high + 0.006);
    await assert.rejects(figure.valuesAt("output", [[10, 21]]), /not painted/);
  });

  test("an edited weight changes the sum by what it multiplies", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE, { at: [165, 81] });
    const before = await figure.read();
    const x = before.products.map(({ label }) => productIn(label)[1]);
    const old = productIn(before.products[4].label)[0];
    assert.equal(old, 0, "Sobel's middle weight");
    await figure.type(await figure.weight(4), "2.5");
    const after = await figure.until("the new sum", ({ sum }) => sum !== before.sum);
    assert.equal(after.weights[4], "2.5");
    assert.deepEqual(productIn(after.products[4].label)[0], 2.5);
    assert.ok(Math.abs(numberIn(after.sum) - (numberIn(before.sum) + 2.5 * x[4])) < 0.03, `${before.sum} → ${after.sum}`);
    assert.equal(await (await figure.field("kernel")).getAttribute("value"), "custom");

    await figure.type(await figure.element('[aria-label="Bias"]'), "-0.5");
    const biased = await figure.until("the bias", ({ sum }) => sum !== after.sum);
    assert.ok(Math.abs(numberIn(biased.sum) - (numberIn(after.sum) - 0.5)) < 0.011);

    await figure.press("Reset the figure");
    const again = await figure.until("the first state", ({ sum }) => sum === before.sum);
    assert.deepEqual(again.weights, before.weights);
  });

  test("a weight follows a hand that drags it sideways, each map in the frame of its event", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE, { at: [165, 81], whole: true });
    const cell = await figure.weight(4);
    const hand = () => browser().driver.actions({ async: true });
    // Pointing at a weight has the figure make ready for it.
    await hand().move({ origin: cell, duration: 0 }).perform();
    await figure.until("the uses of the weight", ({ facts }) => /one weight, used/.test(facts));
    await browser().run((cell) => {
      const root = document.querySelector("ks-convolution").shadowRoot;
      const context = root.querySelector(".role-output canvas").getContext("2d");
      const put = context.putImageData.bind(context);
      // Of each event that changes the weight: is the map there before the event is over, and so in its frame?
      const drawn = (window.drawn = []);
      let [value, isDrawn] = [cell.value, false];
      context.putImageData = (...image) => {
        put(...image);
        isDrawn = true;
      };
      root.addEventListener("pointermove", () => (isDrawn = false), true);
      root.addEventListener("pointermove", () => {
        if (cell.value !== value) drawn.push(isDrawn);
        value = cell.value;
      });
    }, cell);
    const drag = hand().press();
    for (let i = 0; i < 20; i++) drag.move({ origin: Origin.POINTER, x: 2, y: i % 2, duration: 30 });
    await drag.release().perform();
    // Sobel's largest weight is 2: a fiftieth of 1 for each of the 40 pixels that the hand went.
    const after = await figure.until("the dragged weight", ({ products }) => productIn(products[4].label)[0] === 0.8);
    assert.deepEqual(after.weights.map(numberIn), [-1, 0, 1, -2, 0.8, 2, -1, 0, 1]);
    assert.equal(await (await figure.field("kernel")).getAttribute("value"), "custom");
    const drawn = await browser().run(() => window.drawn);
    assert.ok(drawn.length >= 10, `${drawn.length} events changed the weight`);
    assert.ok(drawn.every(Boolean), `drawn within their events: ${drawn}`);
    const focused = () => browser().run(() => document.querySelector("ks-convolution").shadowRoot.activeElement?.getAttribute("aria-label") ?? "");
    assert.doesNotMatch(await focused(), /weight/, "a drag opens no field");

    await hand().move({ origin: cell, duration: 0 }).press().release().perform();
    assert.equal(await focused(), "weight, row 2, column 2", "a click does");
    await browser().run((cell) => cell.blur(), cell);

    // The workers' map, in a page that nobody has dragged anything in.
    const hash = await browser().until("the address to follow", () => /weights=[^&]*0\.8/.test(decodeURIComponent(location.hash)) && location.hash);
    const [here, pixels] = [await figure.read(), await figure.pixelsOf("output")];
    const fresh = await ConvolutionFigure.open(browser(), `${PAGE}${hash}`);
    const labels = ({ products }) => products.map(({ label }) => label);
    assert.deepEqual(labels(await fresh.read()), labels(here));
    assert.equal(await fresh.pixelsOf("output"), pixels);
  });

  test("flipping the kernel changes Sobel's sign", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE, { at: [165, 81] });
    const before = await figure.read();
    const flip = await browser().run(() => [...document.querySelector("ks-convolution").shadowRoot.querySelectorAll("button")].find(({ textContent }) => textContent === "flip kernel"));
    await flip.click();
    const after = await figure.until("the turned kernel", ({ sum }) => sum !== before.sum);
    sameShown(numberIn(after.sum), -numberIn(before.sum), "the sum");
  });

  test("the address carries the state, and a fresh page shows the same from it", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE, { at: [30, 40] });
    await figure.choose("picture", "grains-64");
    await figure.until("the small picture", ({ size }) => size[0] === 62);
    await figure.choose("kernel", "gaussian-3");
    await figure.until("the Gaussian", ({ products }) => productIn(products[0].label)[0] === 0.0625);
    await figure.type(await figure.weight(8), "1/3");
    await figure.until("a third", ({ products }) => productIn(products[8].label)[0] === 0.3333);
    await figure.type(await figure.field("padding"), "1");
    await figure.until("the padding", ({ size }) => size[0] === 64);
    await figure.choose("fill", "reflect");
    const hash = await browser().until("the address to follow", () => /mode=reflect/.test(location.hash) && location.hash);
    const here = await figure.read();
    const pixels = await figure.pixelsOf("output");

    const fresh = await ConvolutionFigure.open(browser(), `${PAGE}${hash}`);
    const there = await fresh.read();
    for (const part of ["at", "sum", "size", "products", "window", "pixels", "bias"]) assert.deepEqual(there[part], here[part], part);
    assert.deepEqual(there.weights.map(numberIn), here.weights.map((text) => (text === "1/3" ? 0.3333 : numberIn(text))));
    assert.equal(await fresh.pixelsOf("output"), pixels);
  });

  test("links in the text prepare the figure", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE);
    const links = await browser().run(() => [...document.querySelectorAll('main a[href*="?convolution."]')].map((link) => link.getAttribute("href")));
    assert.ok(links.length >= 2);
    await browser().run(() => document.querySelector('main a[href*="stride=2"]').click());
    const shown = await figure.until("stride 2 on 64 pixels", ({ size }) => size[0] === 31);
    assert.match(shown.facts, /127 pixels \(1 row, 1 column\) are read by no window/);
    assert.equal(hashOf({ at: [1, 2] }), "#convolution?convolution.at=1.2");
  });
});
