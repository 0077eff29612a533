// A figure in somebody else's page: no style sheet of ours, scaled by CSS, and keys that would turn the slide.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Key, Origin } from "selenium-webdriver";
import { SIZES } from "./harness/browsers.mjs";
import { ConvolutionFigure, productIn } from "./harness/convolution.mjs";
import { fromFile } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const SLIDE = fromFile("tests/browser/pages/slide.html");

inBrowsers((browser) => {
  test("attributes set the state", async () => {
    const figure = await ConvolutionFigure.open(browser(), SLIDE);
    const { at, products } = await figure.read();
    assert.deepEqual(at, [20, 30]);
    assert.deepEqual(products.map(({ label }) => productIn(label)[0]), [-1, -2, -1, 0, 0, 0, 1, 2, 1]);
    assert.deepEqual(browser().log.errors, []);
  });

  test("the pointer hits the pixel under it", async () => {
    const figure = await ConvolutionFigure.open(browser(), SLIDE);
    for (const place of [[100, 50], [7, 200], [250, 250], [3, 4]]) {
      const { x, y, pixel } = await figure.pointOf("output", place);
      await browser().driver.actions().move({ x, y, origin: Origin.VIEWPORT, duration: 0 }).press().release().perform();
      // On screen a pixel of the map is smaller than the pointer's own pixel.
      const reach = Math.ceil(0.5 / pixel + 0.5);
      const near = ({ at }) => Math.abs(at[0] - place[0]) <= reach && Math.abs(at[1] - place[1]) <= reach;
      await figure.until(`output pixel ${place} within ${reach}`, near);
    }
  });

  test("dragging moves the window on the input", async () => {
    const figure = await ConvolutionFigure.open(browser(), SLIDE);
    const from = await figure.pointOf("input", [60, 60]);
    const to = await figure.pointOf("input", [120, 180]);
    const actions = browser().driver.actions();
    await actions.move({ x: from.x, y: from.y, duration: 0 }).press().move({ x: to.x, y: to.y, duration: 100 }).release().perform();
    const reach = Math.ceil(0.5 / to.pixel + 0.5) + 1;
    await figure.until("the window around pixel (120, 180)", ({ at }) => Math.abs(at[0] - 119) <= reach && Math.abs(at[1] - 179) <= reach);
  });

  test("its keys do not turn the slide", async () => {
    const figure = await ConvolutionFigure.open(browser(), SLIDE);
    const turned = () => browser().run("return window.turned");
    for (const [css, keys] of [
      [".role-input .surface", [Key.ARROW_RIGHT, Key.ARROW_DOWN, Key.HOME, Key.END, Key.PAGE_DOWN, Key.PAGE_UP]],
      ["input[type=range]", [Key.ARROW_RIGHT, Key.ARROW_LEFT, Key.PAGE_DOWN]],
      [".kernel input", [Key.ARROW_UP, Key.ARROW_LEFT]],
      [".grid.products [tabindex='0']", [Key.ARROW_RIGHT, Key.ARROW_DOWN]],
      ["[aria-label=Play]", [Key.SPACE, Key.SPACE]],
      ["select", [Key.ARROW_DOWN, Key.ARROW_UP]],
    ]) {
      await browser().run((css) => document.querySelector("ks-convolution").shadowRoot.querySelector(css).focus(), css);
      await browser().driver.actions().sendKeys(...keys).perform();
      assert.equal(await turned(), 0, `keys on ${css}`);
    }
    await browser().run(() => document.getElementById("elsewhere").focus());
    await browser().driver.actions().sendKeys(Key.ARROW_RIGHT).perform();
    assert.equal(await turned(), 1, "elsewhere the slide still turns");
    assert.equal((await figure.read()).alert, "");
  });
}, { size: SIZES.desktop });
