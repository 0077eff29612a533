// Sobel x, Sobel y, magnitude and Gaussian of one picture: their numbers against sums done by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { Key } from "selenium-webdriver";
import { FigureOnPage } from "./harness/figure.mjs";
import { reader } from "./harness/reader.mjs";
import { fromFile, sabotagedRoot } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const PAGE = fromFile("index.html");

/** What stands in the figure. */
const OWN = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  const number = (text) => Number((/[−+]?\d+\.\d+/.exec(text ?? "") ?? ["NaN"])[0].replace("−", "-"));
  const picture = (name) => root.querySelector(`.of-${name} .note`)?.textContent;
  const grid = (name) => [...root.querySelectorAll(`.products.of-${name} .cell`)].map((cell) => {
    const [, w, x, product] = /weight (\S+) times pixel (\S+) is (\S+)/.exec(cell.getAttribute("aria-description") ?? cell.getAttribute("aria-label")).map((text) => Number(text.replace("−", "-")));
    return { w, x, product };
  });
  return {
    x: number(picture("x")),
    y: number(picture("y")),
    magnitude: number(picture("magnitude")),
    gaussian: number(picture("gaussian")),
    products: { x: grid("x"), y: grid("y") },
    sums: [...root.querySelectorAll(".story .sum")].map(({ textContent }) => number(textContent)),
    locked: root.querySelector(".stories").hidden,
    row: root.querySelector(".profile b").textContent,
    noise: !root.querySelector(".noise").hidden,
    apart: root.querySelector(".apart").hidden ? "" : root.querySelector(".apart").getAttribute("href"),
  };
};

const open = async (browser, state = {}, page = PAGE) => {
  const figure = new FigureOnPage(browser, "filters", OWN);
  // The figure stands in another section than its own name.
  const parts = Object.entries(state).map(([name, value]) => `filters.${name}=${value}`).join("&");
  await figure.open(page, `#grains${parts ? `?${parts}` : ""}`);
  return figure;
};

/** Two grains of 0.25 and 0.75 without noise; the lower right one begins at row 25 of 64 and column 32. */
const SHARP = { noise: 0 };
const SOBEL_X = [-1, 0, 1, -2, 0, 2, -1, 0, 1];
const SOBEL_Y = [-1, -2, -1, 0, 0, 0, 1, 2, 1];

/** The figure's own products against kernels and sums from a textbook. */
function consistent({ products, sums, x, y, magnitude }) {
  for (const [name, kernel, value, i] of [["x", SOBEL_X, x, 0], ["y", SOBEL_Y, y, 1]]) {
    assert.deepEqual(products[name].map(({ w }) => w), kernel);
    const sum = products[name].reduce((sum, { w, x }) => sum + w * x, 0);
    // Nine shown pixels, each rounded by up to 0.005, with weights of 8 in all.
    assert.ok(Math.abs(sum - value) < 0.05, `${name}: ${sum} by hand, ${value} shown`);
    assert.equal(sums[i], value);
  }
  assert.ok(Math.abs(Math.hypot(x, y) - magnitude) < 0.011, `√(${x}² + ${y}²) = ${magnitude}`);
}

/** The products stay hidden until the question was answered; an earlier test may have done so in this browser. */
const unlock = async (figure) => {
  if ((await figure.read()).locked) await figure.pressWords("Skip, and tell me");
  await figure.until("the products", ({ locked, products }) => !locked && products.x.length === 9);
};

inBrowsers((browser) => {
  test("each Sobel sees its own boundary, the magnitude both", async () => {
    const figure = await open(browser(), { ...SHARP, at: "25.48" });
    await unlock(figure);
    const across = await figure.until("the boundary from left to right", ({ y, sums }) => y > 1 && sums[1] === y);
    assert.equal(across.x, 0);
    consistent(across);
    await figure.focus(".surface");
    await figure.browser.run(() => (location.hash = "#grains?filters.noise=0&filters.at=45.32"));
    const down = await figure.until("the boundary from top to bottom", ({ x, sums }) => x > 1 && sums[0] === x);
    assert.equal(down.y, 0);
    assert.equal(down.x, across.y, "the same step, the same answer");
    consistent(down);
    await figure.browser.run(() => (location.hash = "#grains?filters.noise=0&filters.at=5.5"));
    const inside = await figure.until("the middle of a grain", ({ gaussian }) => gaussian === 0.25);
    assert.deepEqual([inside.x, inside.y, inside.magnitude], [0, 0, 0]);
    consistent(await figure.until("its products", ({ products }) => products.x.every(({ x }) => x === 0.25)));
  });

  test("arrows move the pixel, the address follows, and another picture takes its place", async () => {
    const figure = await open(browser(), { at: "30.30" });
    await figure.watchKeys();
    await figure.focus(".surface");
    await figure.keys(Key.ARROW_RIGHT, Key.ARROW_DOWN);
    await figure.until("row 31", ({ row }) => row === "along row 31");
    assert.deepEqual(await figure.keysThatLeft(), []);
    await figure.address(/filters\.at=31\.31/);
    await unlock(figure);
    await figure.choose("picture", "titanium");
    await figure.until("the micrograph", ({ noise, apart }) => !noise && apart.includes("convolution.picture=titanium"));
    consistent(await figure.until("its products", ({ products, sums, x }) => products.x.length === 9 && sums[0] === x));
    // Figure 4 shows the same pixel with the same weights: the same number, from another figure.
    const { x } = await figure.read();
    await (await figure.element(".apart")).click();
    const there = await browser().until("the convolution", (x) => {
      const text = document.querySelector("ks-convolution").shadowRoot?.querySelector(".sum.done")?.textContent.replace("−", "-") ?? "";
      return Number(text.slice(2)) === x && text;
    }, x);
    assert.ok(there);
  });

  test("smoothing takes noise away and sharpness with it", async () => {
    const figure = await open(browser(), { ...SHARP, at: "45.32" });
    const sharp = await figure.read();
    await figure.pressWords("Gaussian first");
    const smooth = await figure.until("the smoothed gradient", ({ x }) => x < sharp.x - 0.05);
    assert.equal(smooth.apart, "", "the figure above has no smoothed picture");
    // Two columns further on there was nothing to see, and now there is: the edge has become wider.
    await figure.browser.run(() => (location.hash = "#grains?filters.noise=0&filters.at=45.34"));
    const beside = await figure.until("two columns on, sharp", ({ x }) => x === 0);
    await figure.pressWords("Gaussian first");
    await figure.until("two columns on, smooth", ({ x }) => x > beside.x + 0.02);
  });

  test("an impossible link keeps the figure alive", async () => {
    const figure = await open(browser(), { noise: 7 });
    const { alert, gaussian } = await figure.read();
    assert.match(alert, /noise.*7/);
    assert.ok(Number.isFinite(gaussian));
  });

  test("a reader finds out why Sobel x misses the boundary", async () => {
    const section = await reader(browser(), "grains");
    if (/Ask me again/.test(await section.text())) await section.press("Ask me again");
    assert.doesNotMatch(await section.text(), /nine products/);
    await section.press("the noise hides it");
    await section.reads(/You said the noise hides it It is left and right of the window are alike there In every row the window finds the same grey left and right: what the right column adds, \+(\d\.\d+), the left one takes away, −\1, and Sobel x says \+0\.00\./);
    await section.reads(/Sobel x: nine products/);
  });

  test("a build that lies turns these numbers red", async () => {
    const figure = await open(browser(), { ...SHARP, at: "5.5" }, pathToFileURL(join(sabotagedRoot(), "index.html")).href);
    await unlock(figure);
    const shown = await figure.until("the products", ({ products }) => products.x.length === 9);
    assert.throws(() => consistent(shown), { code: "ERR_ASSERTION" });
  });
});
