// Pictures of a page or of one element.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

// Chromium paints no picture higher than this.
const HIGHEST = 16_000;

/** Writes a PNG: of the viewport, of the whole page (`full`), or of the element that `selector` finds. */
export async function shoot(browser, path, { full = false, selector } = {}) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await png(browser, { full, selector }));
}

/** The same, as bytes. */
export async function png(browser, { full = false, selector } = {}) {
  if (full) await visit(browser);
  if (selector) return ofElement(browser, selector);
  if (!full) return Buffer.from(await browser.driver.takeScreenshot(), "base64");
  if (!browser.isChromium) return Buffer.from(await browser.driver.takeFullPageScreenshot(), "base64");
  return clipped(browser, await browser.run(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    return { x: 0, y: 0, width: scrollWidth, height: scrollHeight };
  }));
}

async function ofElement(browser, selector) {
  const box = await browser.until(`an element ${selector}`, (selector) => {
    const element = document.querySelector(selector);
    if (!element) return null;
    element.scrollIntoView({ block: "nearest", behavior: "instant" });
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x: x + scrollX, y: y + scrollY, width, height };
  }, selector);
  if (browser.isChromium) return clipped(browser, box);
  const element = await browser.driver.executeScript((selector) => document.querySelector(selector), selector);
  return Buffer.from(await element.takeScreenshot(), "base64");
}

async function clipped(browser, { x, y, width, height }) {
  const { data } = await browser.cdp("Page.captureScreenshot", {
    format: "png",
    captureBeyondViewport: true,
    clip: { x, y, width: Math.ceil(width), height: Math.min(Math.ceil(height), HIGHEST), scale: 1 },
  });
  return Buffer.from(data, "base64");
}

/** Scrolls through the page, so that what starts when it comes into view has started; then back to the top. */
export async function visit(browser) {
  const height = await browser.run("return document.documentElement.scrollHeight");
  const step = await browser.run("return innerHeight / 2");
  for (let y = 0; y < height; y += step) {
    await browser.run((y) => scrollTo({ top: y, behavior: "instant" }), y);
    await new Promise((later) => setTimeout(later, 60));
    await settled(browser);
  }
  await browser.run(() => scrollTo({ top: 0, behavior: "instant" }));
  await settled(browser);
}

/** Waits until no figure in view is still starting, the fonts are there, and two frames have been painted. */
export async function settled(browser) {
  const waiting = () => {
    const inView = (element) => {
      // In a deck figures rest on all slides but the present one.
      if (element.closest(".reveal section:not(.present)")) return false;
      const { top, bottom } = element.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    };
    const figures = [...document.querySelectorAll("*")].filter(({ localName }) => localName.startsWith("ks-"));
    const late = figures.filter((figure) => inView(figure) && !["ready", "failed"].includes(figure.dataset.state));
    return late.map((figure) => `${figure.localName} is ${figure.matches(":defined") ? figure.dataset.state : "no element that pkg/ knows"}`);
  };
  const end = Date.now() + 20_000;
  for (let late = await browser.run(waiting); late.length > 0; late = await browser.run(waiting)) {
    if (Date.now() > end) throw new Error(`after 20 s, ${late.join(", ")}`);
    await new Promise((later) => setTimeout(later, 40));
  }
  await browser.driver.executeAsyncScript((done) => {
    const frames = () => requestAnimationFrame(() => requestAnimationFrame(() => done()));
    document.fonts.ready.then(frames, frames);
  });
}
