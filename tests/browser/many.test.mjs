// A page with thirty figures: one engine, one module, nothing that keeps the reader's hand waiting.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromFile } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const FIGURES = 30;
/** Twice each; the heavy ones among them. */
const TAGS = ["convolution", "pooling", "receptive-field", "specimen", "filters", "geometry", "kernel-lab", "channels", "shapes", "weight-sharing", "layer-table", "parameter-count", "pixel-shuffle", "translation", "unet"].map((name) => `ks-${name}`);

inBrowsers((browser, name) => {
  test("thirty figures share one engine and its two modules", async () => {
    await browser().open(fromFile("tests/browser/pages/many.html"));
    await browser().run((tags, count) => {
      const main = document.querySelector("main");
      window.began = performance.now();
      for (let i = 0; i < count; i++) {
        const figure = document.createElement(tags[i % tags.length]);
        figure.id = `f${i}`;
        main.append(figure);
      }
    }, TAGS, FIGURES);
    await browser().until("the first figure", () => document.getElementById("f0").dataset.state === "ready");
    const start = await browser().run("return performance.now() - window.began");
    await browser().until("all elements", (tags) => tags.every((tag) => customElements.get(tag)), TAGS);
    const waiting = await browser().run(() => [...document.querySelectorAll("[data-state=waiting]")].length);
    assert.ok(waiting >= 20, `${waiting} of ${FIGURES} wait until they are looked at`);

    // Once through the page, so that all start; then again, reading.
    for (let i = 0; i < FIGURES; i++) {
      await browser().run((i) => document.getElementById(`f${i}`).scrollIntoView({ block: "center", behavior: "instant" }), i);
      await browser().until(`figure ${i}`, (i) => document.getElementById(`f${i}`).dataset.state === "ready", i);
    }
    assert.deepEqual(browser().log.errors, []);
    const { workers, modules } = await browser().run("return window.seen");
    assert.equal(modules, 3, "the engine, its answers and the lessons are compiled once each");
    assert.ok(workers >= 1 && workers <= 2, `${workers} workers: a runner and an answerer, for all`);

    await browser().run(() => { scrollTo(0, 0); window.seen.tasks.length = window.seen.scripts.length = 0; });
    const frames = await browser().driver.executeAsyncScript((done) => {
      const height = document.documentElement.scrollHeight - innerHeight;
      const times = [];
      let before = performance.now();
      const step = (now) => {
        times.push(now - before);
        before = now;
        scrollBy({ top: 120, behavior: "instant" });
        if (scrollY < height - 1) requestAnimationFrame(step);
        else setTimeout(() => done({ count: times.length, longest: Math.max(...times.slice(1)) }), 300);
      };
      requestAnimationFrame(step);
    });
    const { tasks, scripts } = await browser().run("return window.seen");
    let memory = "";
    if (name === "chromium") {
      await browser().cdp("HeapProfiler.collectGarbage");
      const { usedSize } = await browser().cdp("Runtime.getHeapUsage");
      memory = `; ${Math.round(usedSize / 2 ** 20)} MB of JavaScript`;
      assert.ok(usedSize < 300 * 2 ** 20, `${usedSize} bytes`);
    }
    const ours = Math.max(0, ...scripts.map(({ ours }) => ours));
    console.log(`${name}: first figure after ${Math.round(start)} ms${memory}; ${frames.count} frames of scrolling, ${tasks.length} tasks above 50 ms, at most ${ours} ms of a frame in scripts`);
    assert.ok(frames.count > 50, "the page was scrolled");
    // A busy machine makes tasks long that only paint; what counts is what figures do in them.
    assert.ok(ours < 50, `scripts while scrolling: ${JSON.stringify(scripts.filter(({ ours }) => ours >= 50))}`);
  });
});
