// The page as a whole: it asks for nothing but its own files, keeps a strict policy, and is for everybody.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Key } from "selenium-webdriver";
import { assertAccessible } from "./harness/axe.mjs";
import { SIZES } from "./harness/browsers.mjs";
import { ConvolutionFigure } from "./harness/convolution.mjs";
import { tabThrough } from "./harness/keyboard.mjs";
import { png, settled, visit } from "./harness/shots.mjs";
import { fromFile, isOwn, overHttp, ROOT } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

let server;
before(async () => {
  server = await overHttp();
});
after(() => server.close());

const SINGLE = "target/single/kernelscope.html";
const places = {
  "file://": () => fromFile("index.html"),
  "http, with the policy as a header": () => server.url,
  "one file, file://": () => fromFile(SINGLE),
};

inBrowsers((browser) => {
  for (const [place, address] of Object.entries(places)) {
    test(`works without a complaint and asks only for its own files (${place})`, async () => {
      if (place.startsWith("one")) assert.ok(existsSync(join(ROOT, SINGLE)), "`cargo xtask test` makes the one-file page");
      const page = address();
      const figure = await ConvolutionFigure.open(browser(), page);
      await figure.press("Step on");
      // Every figure, and what each loads: from the top to the end.
      await png(browser(), { full: true });
      const log = browser().log;
      // Firefox lays out a long file while it still reads it, and then misses the rest of a formula for a moment. The
      // same formulas, read at once, are held to no complaint in the other places.
      const half = (error) => place.startsWith("one") && /^Invalid markup: Incorrect number of children for <m/.test(error);
      assert.deepEqual(log.errors.filter((error) => !half(error)), []);
      assert.deepEqual(await log.violations(), []);
      const addresses = await log.addresses();
      assert.deepEqual(addresses.filter((url) => !isOwn(url, page)), []);
      if (place.startsWith("http")) assert.ok(addresses.length > 5, "the requests were seen");
      if (place.startsWith("one")) {
        const others = addresses.filter((url) => url !== page && !/^(data|blob):/.test(url));
        assert.deepEqual(others, [], "a single file needs no other");
      }
    });
  }

  test("a figure starts when it comes into view, not before", async () => {
    await browser().open(server.url);
    await browser().until("the figures' code", () => document.querySelector("ks-convolution")?.dataset.state);
    await new Promise((later) => setTimeout(later, 400));
    const state = () => browser().run(() => document.querySelector("ks-convolution").dataset.state);
    const asked = async () => (await browser().log.addresses()).filter((url) => url.startsWith("blob:") || url.includes("/image-"));
    assert.equal(await state(), "waiting");
    assert.deepEqual(await asked(), [], "no worker, no picture");
    await new ConvolutionFigure(browser()).view();
    await browser().until("its start", () => document.querySelector("ks-convolution").dataset.state === "ready");
    assert.ok((await asked()).length > 0);
  });

  test("figures that are out of sight ask the engine for nothing", async () => {
    await browser().open(fromFile("index.html"));
    await visit(browser());
    await browser().run(() => {
      window.__sent = [];
      const send = Worker.prototype.postMessage;
      Worker.prototype.postMessage = function (message, ...more) {
        window.__sent.push(message?.call?.op ?? message?.call?.method ?? message?.call?.kind ?? message?.type ?? "something");
        return send.call(this, message, ...more);
      };
    });
    // At the top there is no figure: when all have finished, whatever is sent to a worker was asked for out of sight.
    for (let sent = -1; sent !== (await browser().run("return window.__sent.length")); ) {
      sent = await browser().run("return window.__sent.length");
      await new Promise((later) => setTimeout(later, 1500));
    }
    await browser().run("window.__sent.length = 0");
    await browser().run(() => document.querySelector("[data-set-theme=dark]").click());
    await new Promise((later) => setTimeout(later, 600));
    assert.deepEqual(await browser().run("return window.__sent"), []);
    // The counter counts: a figure that comes back into view shows what has changed meanwhile.
    await browser().run(() => document.querySelector("ks-channels").scrollIntoView({ block: "start", behavior: "instant" }));
    await browser().until("its questions", () => window.__sent.includes("conv2d"));
    await browser().run(() => document.querySelector("[data-set-theme=light]").click());
  });

  test("no figure makes the page wider than the screen", async () => {
    for (const [name, size] of Object.entries({ ...SIZES, smallest: { width: 320, height: 640 } })) {
      await browser().size(size);
      await browser().open(fromFile("index.html"));
      await visit(browser());
      const [inner, content] = await browser().run(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
      assert.ok(content <= inner, `${name}: ${content} px of content in ${inner} px`);
    }
    await browser().size(SIZES.desktop);
  });

  test("Tab reaches everything, and shows where it is", async () => {
    await ConvolutionFigure.open(browser(), fromFile("index.html"));
    // Figures build some of their parts when they start; the reader of this test has scrolled by.
    await visit(browser());
    const { reached, usable, missed } = await tabThrough(browser());
    assert.deepEqual(missed, []);
    assert.ok(usable > 30, `${usable} things to reach`);
    assert.deepEqual(reached.filter(({ marked }) => !marked).map(({ name }) => name), [], "focus that cannot be seen");
  });

  test("keys alone: move the window, look into the grids, edit a weight, play", async () => {
    const figure = await ConvolutionFigure.open(browser(), fromFile("index.html"), { at: [20, 30] });
    const keys = (...given) => browser().driver.actions().sendKeys(...given).perform();
    const focus = (css) => browser().run((css) => document.querySelector("ks-convolution").shadowRoot.querySelector(css).focus(), css);
    await focus(".role-input .surface");
    await keys(Key.ARROW_RIGHT);
    await figure.until("one to the right", ({ at }) => at.join() === "20,31");
    await keys(Key.ARROW_DOWN);
    await figure.until("one down", ({ at }) => at.join() === "21,31");

    await focus(".grid.products [tabindex='0']");
    await keys(Key.ARROW_RIGHT, Key.ARROW_DOWN);
    const place = await browser().run(() => {
      const root = document.querySelector("ks-convolution").shadowRoot;
      return [...root.querySelectorAll(".grid.products .cell")].indexOf(root.activeElement);
    });
    assert.equal(place, 4, "the middle product");
    assert.deepEqual((await figure.read()).at, [21, 31], "the grid keeps its keys to itself");

    await focus(".kernel input");
    await browser().driver.actions().keyDown(Key.CONTROL).sendKeys("a").keyUp(Key.CONTROL).sendKeys("3", Key.ENTER).perform();
    await figure.until("the typed weight", ({ products }) => / 3 times /.test(products[0].label));

    await focus("[aria-label=Play]");
    await keys(Key.SPACE);
    await figure.until("playing", ({ playing }) => playing);
    await keys(Key.SPACE);
    await figure.until("paused", ({ playing }) => !playing);
  });

  test("the figure says in words what it shows", async () => {
    const figure = await ConvolutionFigure.open(browser(), fromFile("index.html"), { at: [20, 30] });
    const { spoken } = await figure.until("the words", ({ spoken }) => spoken.startsWith("Output pixel"));
    assert.match(spoken, /^Output pixel row 20, column 30: the window covers rows 20 to 22 and columns 30 to 32\. .+ is \S+\.$/);
  });
});

for (const dark of [false, true]) {
  for (const [name, size] of Object.entries({ desktop: SIZES.desktop, phone: SIZES.phone })) {
    inBrowsers((browser) => {
      test(`axe finds nothing (${dark ? "dark" : "light"}, ${name})`, async () => {
        await ConvolutionFigure.open(browser(), fromFile("index.html"));
        await visit(browser());
        const background = await browser().run("return getComputedStyle(document.body).backgroundColor");
        const [lightness] = /\d+/.exec(background).map(Number);
        assert.equal(lightness < 128, dark, `the page is ${dark ? "dark" : "light"}: ${background}`);
        await assertAccessible(browser(), `${dark ? "dark" : "light"}, ${name}`);
      });
    }, { names: ["chromium"], size, dark });
  }
}
