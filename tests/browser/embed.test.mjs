// One figure in a frame of somebody else's page: sandboxed, without storage, with hostile addresses and messages.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { By } from "selenium-webdriver";
import { serve } from "../../xtask/serve/server.mjs";
import { SIZES } from "./harness/browsers.mjs";
import { fromFile, overHttp, ROOT } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const PAGE = "tests/browser/pages/frames.html";
let server;
let strict;
before(async () => {
  [server, strict] = await Promise.all([serve({ root: ROOT }), overHttp()]);
});
after(() => Promise.all([server.close(), strict.close()]));

const told = (browser, id, type) => browser.run((id, type) => window.told.filter((one) => one.id === id && one.type === `kernelscope:${type}`), id, type);
const waitTold = (browser, id, type) => browser.until(`${id} to tell ${type}`, (id, type) => window.told.find((one) => one.id === id && one.type === `kernelscope:${type}`), id, type);

/** From file:// a sandboxed frame may read no file beside it: there it is the figure as one file. */
function oneFile() {
  assert.ok(existsSync(join(ROOT, "target/single/kernelscope-embed.html")), "`cargo xtask test` makes the one-file frame");
  const page = join(ROOT, "target/single/frames.html");
  writeFileSync(page, readFileSync(join(ROOT, PAGE), "utf8").replaceAll("../../../embed.html", "kernelscope-embed.html"));
  return page;
}

/** Runs in the frame, as only the browser itself may: the page around cannot look into a sandbox. */
async function inFrame(browser, id, script, ...args) {
  await browser.driver.switchTo().frame(await browser.driver.findElement(By.id(id)));
  try {
    return await browser.run(script, ...args);
  } finally {
    await browser.driver.switchTo().defaultContent();
  }
}

inBrowsers((browser, name) => {
  for (const served of [true, false]) {
    test(`a sandboxed frame works and tells its height, ${served ? "served" : "from file://"}`, async () => {
      await browser().open(served ? `${server.url}${PAGE}` : fromFile(oneFile()));
      for (const id of ["good", "table"]) {
        await browser().run((id) => document.getElementById(id).scrollIntoView({ behavior: "instant" }), id);
        await waitTold(browser(), id, "ready");
      }
      const good = await inFrame(browser(), "good", () => {
        const figure = document.querySelector("ks-convolution");
        let storage = "allowed";
        try { localStorage.length; } catch { storage = "blocked"; }
        return { kernel: figure.values.kernel, at: figure.values.at, sum: figure.shadowRoot.querySelector(".sum").textContent, storage, origin, ask: Boolean(figure.shadowRoot.querySelector(".question")), inner: innerHeight, needed: document.documentElement.scrollHeight };
      });
      assert.deepEqual([good.kernel, good.at, good.storage, good.origin, good.ask], ["sobel-y", [20, 30], "blocked", "null", true]);
      assert.match(good.sum, /^= /);
      await browser().until("the frame to be as high as the figure", (id) => Math.abs(document.getElementById(id).clientHeight - window.told.filter((one) => one.id === id && one.type === "kernelscope:height").at(-1).height) <= 1, "good");
      const { needed, inner } = await inFrame(browser(), "good", () => ({ inner: innerHeight, needed: document.documentElement.scrollHeight }));
      assert.ok(needed <= inner + 1, `nothing to scroll inside: ${needed} in ${inner}`);
      const dark = await inFrame(browser(), "table", () => [document.documentElement.dataset.theme, document.querySelector("ks-layer-table").shadowRoot.querySelector(".frame").dataset.theme, getComputedStyle(document.querySelector("ks-layer-table").shadowRoot.querySelector(".strip")).display]);
      assert.deepEqual(dark, ["dark", "dark", "none"]);
    });
  }

  test("it hears the page that holds it, and tells of changes", async () => {
    await browser().open(`${server.url}${PAGE}`);
    await waitTold(browser(), "good", "ready");
    await browser().run(() => document.getElementById("good").contentWindow.postMessage({ type: "kernelscope:set", at: "kernel=laplacian-8&stride=2&at=3.4" }, "*"));
    const values = () => inFrame(browser(), "good", () => { const { kernel, stride, at } = document.querySelector("ks-convolution").values; return [kernel, stride, at.join(".")].join(" "); });
    const end = Date.now() + 8000;
    while ((await values()) !== "laplacian-8 2 3.4" && Date.now() < end) await new Promise((later) => setTimeout(later, 60));
    assert.equal(await values(), "laplacian-8 2 3.4");
    assert.deepEqual(await told(browser(), "good", "change"), [], "what the page sets itself is no change by the reader");
    await inFrame(browser(), "good", () => document.querySelector("ks-convolution").shadowRoot.querySelector("[aria-label='Step on']").click());
    const change = await waitTold(browser(), "good", "change");
    assert.equal(change.at, "kernel=laplacian-8&stride=2&at=3.5");
    assert.deepEqual([change.origin, change.widget], ["null", "convolution"]);
    await browser().run(() => document.getElementById("good").contentWindow.postMessage({ type: "kernelscope:theme", theme: "dark" }, "*"));
    const theme = () => inFrame(browser(), "good", () => document.querySelector("ks-convolution").shadowRoot.querySelector(".frame").dataset.theme);
    for (let tries = 0; (await theme()) !== "dark" && tries < 50; tries++) await new Promise((later) => setTimeout(later, 50));
    assert.equal(await theme(), "dark");
  });

  test("hostile addresses are text, and are told", async () => {
    const open = async (rest) => {
      await browser().open(`${strict.url}embed.html${rest}`);
      await browser().until("an answer", () => document.querySelector("main [role=alert]") || document.querySelector("main > [data-state=ready], main > [data-state=failed]"));
      return browser().run(() => ({ pwned: window.pwned ?? null, images: document.querySelectorAll("img, script:not([src]), iframe").length, said: document.querySelector("main > [role=alert]")?.textContent ?? "", figure: document.querySelector("main > [data-state]")?.localName ?? "", attributes: [...(document.querySelector("main > [data-state]")?.attributes ?? [])].map(({ name }) => name), error: document.querySelector("main > [data-state]")?.dataset.error ?? "" }));
    };
    const evil = encodeURIComponent("<img src=x onerror=window.pwned=1>");
    for (const widget of [evil, "convolution%20onload=pwned", "../../x", "__proto__", "constructor", "", "CONVOLUTION"]) {
      const { pwned, images, said, figure } = await open(`?widget=${widget}`);
      assert.deepEqual([pwned, images, figure], [null, 0, ""], widget);
      assert.match(said, /one of: backend, channels/, widget);
    }
    const odd = await open(`?widget=convolution&onload=window.pwned=1&style=position:fixed&controls=${evil}&hide=${evil}&theme=javascript:1#kernel=${evil}&__proto__=1&at=1e99.NaN&stride=2&weights=${"9,".repeat(3000)}`);
    assert.deepEqual([odd.pwned, odd.images, odd.figure], [null, 0, "ks-convolution"]);
    assert.deepEqual(odd.attributes.filter((one) => !["address", "at", "data-state", "data-error"].includes(one)), []);
    assert.match(odd.error, /kernel cannot be “<img/);
    const values = await browser().run("return document.querySelector('ks-convolution').values.stride");
    assert.equal(values, 2, "what means something is taken");
    const long = await open(`?widget=shapes#${"filled=1.".repeat(20_000)}`);
    assert.equal(long.figure, "ks-shapes");
    const foreign = browser().log.requests.filter((url) => !url.startsWith(strict.url) && !/^(data|blob|about):/.test(url));
    assert.deepEqual(foreign, []);
  });

  test("hostile messages change nothing", async () => {
    await browser().open(`${server.url}${PAGE}`);
    await waitTold(browser(), "good", "ready");
    await browser().run(() => {
      const post = (data) => document.getElementById("good").contentWindow.postMessage(data, "*");
      for (const data of [null, 1, "kernelscope:set", [], { type: "kernelscope:set" }, { type: "kernelscope:set", at: { toString: "x" } }, { type: "kernelscope:set", at: "kernel=<script>" }, { type: "kernelscope:set", values: { __proto__: { x: 1 } } }, { type: "kernelscope:theme", theme: "<b>" }, { type: "kernelscope:set", at: `weights=${"1,".repeat(1e5)}` }]) post(data);
    });
    // A frame beside it is not the page that holds it.
    await inFrame(browser(), "table", () => parent.frames[0].postMessage({ type: "kernelscope:set", at: "stride=3" }, "*"));
    await new Promise((later) => setTimeout(later, 400));
    const [kernel, stride, state] = await inFrame(browser(), "good", () => { const figure = document.querySelector("ks-convolution"); return [figure.values.kernel, figure.values.stride, figure.dataset.state]; });
    assert.deepEqual([kernel, stride, state], ["sobel-x", 1, "ready"], "as at first: the last message prepared nothing that means anything");
  });

  test("on a phone it fits", { skip: name !== "chromium" }, async () => {
    await browser().size({ width: 320, height: 640 });
    await browser().open(`${fromFile("embed.html")}?widget=convolution#kernel=sobel-y`);
    await browser().until("the figure", () => document.querySelector("ks-convolution")?.dataset.state === "ready");
    assert.ok((await browser().run("return document.documentElement.scrollWidth")) <= 320);
    await browser().size(SIZES.desktop);
  });
});
