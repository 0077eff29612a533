// A real reveal.js deck with five figures: scaled slides, fragments, keys, overview, print; served and from file://.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Key, Origin } from "selenium-webdriver";
import { serve } from "../../xtask/serve/server.mjs";
import { SIZES } from "./harness/browsers.mjs";
import { ConvolutionFigure } from "./harness/convolution.mjs";
import { fromFile, ROOT } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const DECK = "tests/browser/pages/deck.html";
let server;
before(async () => {
  server = await serve({ root: ROOT });
});
after(() => server.close());

/** Opens the deck at a slide, and waits for that slide's figure. */
async function open(browser, slide, { selector, query = "", served = false } = {}) {
  await browser.open(`${served ? `${server.url}${DECK}` : fromFile(DECK)}${query}#/${slide}`);
  await browser.until("the deck", () => window.Reveal?.isReady());
  if (selector) await ready(browser, selector);
}

const ready = (browser, selector) => browser.until(`${selector} to be ready`, (css) => document.querySelector(css)?.dataset.state === "ready", selector);
const states = (browser) => browser.run(() => Object.fromEntries(["conv", "pool", "field", "sizes", "count"].map((id) => [id, document.getElementById(id).dataset.state])));
const keys = (browser, ...given) => browser.driver.actions().sendKeys(...given).perform();
const place = (browser) => browser.run(() => [Reveal.getIndices().h, Reveal.getIndices().v, Reveal.getIndices().f ?? -1]);

inBrowsers((browser, name) => {
  test("figures start on their slide and on no other, and share one engine", async () => {
    await open(browser(), 0);
    await new Promise((later) => setTimeout(later, 400));
    assert.ok(Object.values(await states(browser())).every((state) => state === "waiting"), "all wait on the title slide");
    await browser().run(() => Reveal.slide(1));
    await ready(browser(), "#conv");
    const { conv, ...others } = await states(browser());
    assert.ok(Object.values(others).every((state) => state === "waiting"), `${conv}; ${JSON.stringify(others)}`);
    for (const [slide, css] of [[[2], "#pool"], [[3, 0], "#field"], [[3, 1], "#sizes"], [[4], "#count"]]) {
      await browser().run((h, v) => Reveal.slide(h, v ?? 0), ...slide);
      await ready(browser(), css);
    }
    assert.equal(await browser().run(async () => (await Promise.all(["conv", "pool", "field", "sizes", "count"].map((id) => document.getElementById(id).engine))).every((one, _, all) => one === all[0])), true);
    assert.deepEqual(browser().log.errors, []);
  });

  for (const served of [true, false]) {
    test(`clicks land where they look on a scaled slide, ${served ? "served" : "from file://"}`, async () => {
      await open(browser(), 1, { selector: "#conv", served });
      const figure = new ConvolutionFigure(browser(), "#conv");
      await figure.until("its first numbers", ({ sum }) => sum !== "");
      const [scale, fit] = await browser().run(() => [Reveal.getScale(), document.getElementById("conv").shadowRoot.querySelector(".frame").classList.contains("fitted")]);
      assert.ok(scale < 0.75 && fit, `the deck is scaled: ${scale}; the figure is fitted: ${fit}`);
      for (const at of [[100, 50], [7, 200], [250, 250]]) {
        const { x, y, pixel } = await figure.pointOf("output", at);
        await browser().driver.actions().move({ x, y, origin: Origin.VIEWPORT, duration: 0 }).press().release().perform();
        const reach = Math.ceil(0.5 / pixel + 0.5);
        await figure.until(`output pixel ${at} within ${reach}`, ({ at: now }) => Math.abs(now[0] - at[0]) <= reach && Math.abs(now[1] - at[1]) <= reach);
      }
      assert.match(await browser().run("return location.hash"), /^#\/(1|sliding)$/, "the deck's own place in the address is left alone");
      assert.deepEqual(browser().log.errors, []);
    });
  }

  test("every figure lies inside its slide, large enough to read", async () => {
    await open(browser(), 1, { selector: "#conv" });
    for (const [h, v, id] of [[1, 0, "conv"], [2, 0, "pool"], [3, 0, "field"], [3, 1, "sizes"], [4, 0, "count"]]) {
      await browser().run((h, v) => Reveal.slide(h, v), h, v);
      await ready(browser(), `#${id}`);
      await new Promise((later) => setTimeout(later, 120));
      const { frame, slides, text } = await browser().run((id) => {
        const box = (element) => { const { top, left, right, bottom } = element.getBoundingClientRect(); return { top, left, right, bottom }; };
        const frame = document.getElementById(id).shadowRoot.querySelector(".frame");
        return { frame: box(frame), slides: box(document.querySelector(".slides")), text: (13 * frame.getBoundingClientRect().width) / frame.offsetWidth / Reveal.getScale() };
      }, id);
      assert.ok(frame.top >= slides.top - 1 && frame.bottom <= slides.bottom + 1 && frame.left >= slides.left - 1 && frame.right <= slides.right + 1, `${id}: ${JSON.stringify({ frame, slides })}`);
      assert.ok(text >= 12.5, `${id}: its text is ${text} of 1080 px high`);
    }
  });

  test("keys inside a figure never turn the slide; Escape hands them back", async () => {
    await open(browser(), 1, { selector: "#conv" });
    const turned = () => browser().run("return window.turned");
    const before = await turned();
    for (const css of [".role-input .surface", "input[type=range]", "[aria-label='Step on']", ".kernel input"]) {
      await browser().run((css) => document.getElementById("conv").shadowRoot.querySelector(css).focus(), css);
      await keys(browser(), Key.ARROW_RIGHT, Key.ARROW_LEFT, Key.PAGE_DOWN, Key.HOME, Key.SPACE, Key.SPACE, "o", "f", ".");
      assert.equal(await turned(), before, `keys on ${css}`);
    }
    assert.deepEqual(await place(browser()), [1, 0, -1]);
    assert.equal(await browser().run("return document.activeElement.id"), "conv");
    await keys(browser(), Key.ESCAPE);
    assert.equal(await browser().run("return document.activeElement === document.body && !document.querySelector('.reveal.overview')"), true, "the deck has the keys, and has not taken the Escape for its overview");
    await keys(browser(), Key.ARROW_RIGHT);
    assert.deepEqual(await place(browser()), [1, 0, 0], "the deck goes on, to its first fragment");
  });

  test("a finger that drags something in a figure turns no slide; beside it, it does", async (t) => {
    if (!browser().isChromium) return t.skip("WebDriver has no fingers in Firefox");
    await browser().cdp("Emulation.setTouchEmulationEnabled", { enabled: true });
    t.after(() => browser().cdp("Emulation.setTouchEmulationEnabled", { enabled: false }));
    await open(browser(), 1, { selector: "#conv" });
    await new ConvolutionFigure(browser(), "#conv").until("its first numbers", ({ sum }) => sum !== "");
    const weight = () => browser().run(() => document.getElementById("conv").shadowRoot.querySelector(".kernel input").value);
    const touch = (type, ...touchPoints) => browser().cdp("Input.dispatchTouchEvent", { type, touchPoints });
    const swipe = async (css) => {
      const { x, y } = await browser().run((css) => {
        const { left, top, width, height } = document.getElementById("conv").shadowRoot.querySelector(css).getBoundingClientRect();
        return { x: left + width / 2, y: top + height / 2 };
      }, css);
      await touch("touchStart", { x, y });
      for (let i = 1; i <= 20; i++) await touch("touchMove", { x: x - 6 * i, y });
      await touch("touchEnd");
    };
    const before = await weight();
    for (const css of [".role-input .surface", ".kernel input", "input[type=range]"]) {
      await swipe(css);
      assert.deepEqual(await place(browser()), [1, 0, -1], css);
    }
    assert.notEqual(await weight(), before, "the weight was dragged");
    await swipe(".status");
    assert.deepEqual(await place(browser()), [1, 0, 0], "the deck goes on, to its first fragment");
  });

  test("fragments prepare states, forwards and back", async () => {
    await open(browser(), 1, { selector: "#conv" });
    const figure = new ConvolutionFigure(browser(), "#conv");
    const shows = (what, kernel, at) => figure.until(what, (now) => now.at.join() === at && now.products.length === kernel && now.weights.length === kernel);
    const values = (name) => browser().run((name) => document.getElementById("conv").values[name], name);
    await shows("its beginning", 9, "20,30");
    await keys(browser(), Key.ARROW_RIGHT);
    await shows("Sobel y", 9, "100,50");
    assert.equal(await values("kernel"), "sobel-y");
    await keys(browser(), Key.ARROW_RIGHT);
    await shows("the Gaussian", 25, "40,40");
    await keys(browser(), Key.ARROW_LEFT);
    await shows("Sobel y again", 9, "100,50");
    await keys(browser(), Key.ARROW_LEFT);
    await shows("its beginning again", 9, "20,30");
    assert.deepEqual([await values("kernel"), await values("whole")], ["sobel-x", false]);
    // From behind, the slide is entered with all its fragments visible.
    await browser().run(() => Reveal.slide(2));
    await browser().run(() => Reveal.prev());
    await shows("the last fragment's state", 25, "40,40");
  });

  test("time runs on its slide only", async () => {
    await open(browser(), 2, { selector: "#pool" });
    const playing = () => browser().run(() => Boolean(document.getElementById("pool").shadowRoot.querySelector("[aria-label=Pause]")));
    await browser().until("autoplay", () => document.getElementById("pool").shadowRoot.querySelector("[aria-label=Pause]"));
    await browser().run(() => Reveal.slide(4));
    await ready(browser(), "#count");
    assert.equal(await playing(), false, "it rests while another slide is shown");
    await browser().run(() => Reveal.slide(2));
    await browser().until("autoplay again", () => document.getElementById("pool").shadowRoot.querySelector("[aria-label=Pause]"));
    await browser().run(() => Reveal.toggleOverview(true));
    await browser().until("rest in the overview", () => !document.getElementById("pool").shadowRoot.querySelector("[aria-label=Pause]"));
    await browser().run(() => Reveal.toggleOverview(false));
  });

  test("a figure survives being taken out and put back", async () => {
    await open(browser(), 1, { selector: "#conv" });
    const figure = new ConvolutionFigure(browser(), "#conv");
    await figure.until("its first numbers", ({ sum }) => sum !== "");
    const found = await browser().run(async () => {
      const conv = document.getElementById("conv");
      const { shadowRoot } = conv;
      const slide = conv.parentElement;
      for (let i = 0; i < 3; i++) {
        conv.remove();
        slide.insertBefore(conv, slide.children[1]);
      }
      return [conv.shadowRoot === shadowRoot, shadowRoot.querySelectorAll(".frame").length, conv.dataset.state];
    });
    assert.deepEqual(found, [true, 1, "ready"]);
    await browser().run(() => (window.changes.length = 0));
    await figure.press("Step on");
    await figure.until("one step, not three", ({ at }) => at.join() === "20,31");
    await browser().until("one change told", () => window.changes.length === 1);
    const [[id, detail]] = await browser().run("return window.changes");
    assert.deepEqual([id, detail.at], ["conv", [20, 31]]);
  });

  test("the speaker's view shows the same state", async () => {
    // What reveal's notes plugin does: the deck in a frame that receives its state.
    await open(browser(), 1, { selector: "#conv", query: "?receiver&progress=false&history=false&transition=none" });
    const figure = new ConvolutionFigure(browser(), "#conv");
    await figure.until("its beginning", ({ at }) => at.join() === "20,30");
    await browser().run(() => postMessage(JSON.stringify({ method: "setState", args: [{ indexh: 1, indexv: 0, indexf: 0, paused: false, overview: false }] }), "*"));
    await figure.until("the fragment's state", ({ at }) => at.join() === "100,50");
    assert.deepEqual(browser().log.errors, []);
  });

  test("the printed deck shows every figure at rest", async () => {
    await browser().open(`${fromFile(DECK)}?view=print`);
    await browser().until("all figures of all pages", () => {
      const figures = [...document.querySelectorAll(".pdf-page ks-convolution, .pdf-page ks-pooling, .pdf-page ks-receptive-field, .pdf-page ks-geometry, .pdf-page ks-parameter-count")];
      return figures.length >= 5 && figures.every((figure) => figure.dataset.state === "ready");
    });
    const shown = await browser().until("each fragment on its page", () => {
      const figures = [...document.querySelectorAll(".pdf-page ks-convolution")].map((figure) => [figure.values.kernel, figure.shadowRoot.querySelectorAll(".kernel input").length]);
      return figures.length === 3 && figures[2][1] === 25 ? figures : null;
    });
    assert.deepEqual(shown.map(([kernel]) => kernel), ["sobel-x", "sobel-y", "gaussian-5"], "one page for each step of the slide");
    const pictures = await browser().until("every picture drawn, and nothing at play", () => {
      const figures = [...document.querySelectorAll(".pdf-page [data-state]")];
      const colours = (canvas) => { const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height); return new Set(new Uint32Array(data.buffer)).size; };
      const canvases = figures.flatMap((figure) => [...figure.shadowRoot.querySelectorAll(".surface canvas[aria-label]")]);
      const playing = figures.some((figure) => figure.shadowRoot.querySelector("[aria-label=Pause]"));
      return !playing && canvases.every((canvas) => colours(canvas) > 1) ? canvases.length : 0;
    });
    assert.ok(pictures >= 10, `${pictures} pictures`);
    assert.deepEqual(browser().log.errors, []);
    if (name !== "chromium") return;
    const { data } = await browser().cdp("Page.printToPDF", { printBackground: true, preferCSSPageSize: true });
    const pdf = Buffer.from(data, "base64");
    if (process.env.KEEP_PDF) (await import("node:fs")).writeFileSync(process.env.KEEP_PDF, pdf);
    const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
    assert.equal(pages, 8, "a title, three steps, four more slides: eight pages");
    const images = pdf.toString("latin1").match(/\/Subtype\s*\/Image/g)?.length ?? 0;
    assert.ok(images >= 10, `${images} pictures in the file`);
  });
}, { size: SIZES.desktop });
