// The open U-Net: what the page says of a pixel is what the network computes, from the mask down to the products.
// The engine in Node, on the same picture, is asked for every number, and the crate called natively (tests/golden/shipped.json)
// for some; PyTorch stands behind both in tests/models.rs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { createEngine } from "../../pkg/kernelscope.mjs";
import { numberIn } from "./harness/convolution.mjs";
import { FigureOnPage } from "./harness/figure.mjs";
import { ROOT, fromFile, sabotagedRoot } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";
import { titaniumSquare } from "./harness/unet.mjs";

const PAGE = fromFile("index.html");
const AT = [166, 82];

const SHOWN = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  const text = (css) => root.querySelector(css)?.textContent ?? "";
  return {
    facts: text(".facts"),
    bars: [...root.querySelectorAll(".why .bar")].map((bar) => ({ name: bar.querySelector("span").textContent, value: bar.querySelector("b").textContent })),
    logit: text(".why .out"),
    field: text(".why p.muted:last-of-type"),
    view: root.querySelector(".body").dataset.view,
    crumbs: [...root.querySelectorAll(".crumb:not(.up)")].map((crumb) => crumb.textContent),
    tiles: root.querySelectorAll(".network .tile").length,
    total: text(".apart .total b"),
    heading: text(".body > .muted"),
    terms: [...root.querySelectorAll(".terms li")].map((term) => ({ name: term.querySelector("button, span").textContent, product: term.querySelector("b").textContent })),
    channels: [...root.querySelectorAll(".channel")].map((channel) => ({ name: channel.querySelector("button").firstChild.textContent, sum: channel.querySelector("b").textContent, cells: [...channel.querySelectorAll(".mini span")].map((cell) => cell.textContent) })),
  };
};

/** The shipped network on the same square, in Node. */
async function reference() {
  const engine = await createEngine({ thread: "here" });
  const square = await titaniumSquare(engine);
  const model = await engine.loadModel(new Uint8Array(readFileSync(join(ROOT, "www/models/grains.safetensors"))));
  return { model, shape: square.shape, run: await model.run(square, { keep: "all" }) };
}

const close = (shown, value, digits, what) => assert.ok(Math.abs(numberIn(shown) - value) <= 0.6 * 10 ** -digits, `${what}: the page says ${shown}, the network ${value}`);

inBrowsers((browser) => {
  test("the answer follows a dial while it is turned; maps and story follow when it rests", async () => {
    const figure = new FigureOnPage(browser(), "unet", SHOWN);
    await figure.open(PAGE, { picture: "grains", contrast: 0.9 });
    const before = await figure.until("the story", ({ logit, facts }) => logit !== "" && facts.includes("F1"));
    const turned = await browser().driver.executeAsyncScript((done) => {
      const root = document.querySelector("#unet ks-unet").shadowRoot;
      const dial = [...root.querySelectorAll("input[type=range]")].find((input) => input.closest("label").textContent.includes("contrast"));
      const print = () => root.querySelector(".side canvas").toDataURL();
      const seen = new Set([print()]);
      const logits = new Set();
      const start = performance.now();
      const step = (now) => {
        dial.value = String(0.9 - 0.5 * Math.min(1, (now - start) / 900));
        dial.dispatchEvent(new Event("input", { bubbles: true }));
        seen.add(print());
        logits.add(root.querySelector(".why .out").textContent);
        if (now - start < 1000) requestAnimationFrame(step);
        else done({ pictures: seen.size, logits: [...logits], turning: root.querySelector(".stage").classList.contains("turning") });
      };
      requestAnimationFrame(step);
    });
    assert.ok(turned.pictures >= 4, `${turned.pictures} pictures in a second`);
    assert.deepEqual(turned.logits, [before.logit], "the story waits for the dial to rest");
    assert.ok(turned.turning);
    await figure.until("the story of the new picture", ({ logit, facts }) => logit !== before.logit && facts.includes("F1"));
    assert.deepEqual(browser().log.errors, []);
  });

  test("a pixel's story is the network's", async () => {
    const { model, run, shape } = await reference();
    const figure = new FigureOnPage(browser(), "unet", SHOWN);
    await figure.open(PAGE);
    const { facts, bars, logit, field, tiles } = await figure.until("the story", ({ logit, facts }) => logit !== "" && facts.includes("F1"));
    assert.match(facts, /121.978 parameters/);
    assert.ok(numberIn(/F1 (\S+)/.exec(facts)[1]) >= 0.9, facts);
    assert.equal(tiles, 8 + 16 + 32 + 64 + 32 + 16 + 8, "every map of the overview is there");

    const place = AT[0] * shape[2] + AT[1];
    close(bars[0].value, run.output.data[shape[1] * shape[2] + place], 2, "p(boundary)");
    const shares = await run.shares("logits", [1, ...AT]);
    close(logit, shares.value, 2, "the logit");
    const parts = [...shares.paths.map(({ value }) => value), shares.constant];
    parts.forEach((value, i) => close(bars[i + 1].value, value, 2, bars[i + 1].name));
    assert.deepEqual(bars.slice(1).map(({ name }) => name), ["through skip 1", "through skip 2", "through skip 3", "through bottleneck", "biases"]);
    assert.ok(Math.abs(parts.reduce((a, b) => a + b) - shares.value) < 1e-4 * Math.max(1, Math.abs(shares.value)), "the parts are the logit");
    const rect = await model.receptiveField("logits", AT, shape);
    assert.ok(field.includes(`${rect.bottom - rect.top + 1} × ${rect.right - rect.left + 1} pixels`), field);

    // Another pixel, by the pointer.
    await figure.point(".side canvas", [60, 200], { press: true });
    const other = await run.shares("logits", [1, 60, 200]);
    await figure.until("the other pixel's story", ({ logit }) => Math.abs(numberIn(logit) - other.value) < 0.006);
  });

  test("from the logit down to the picture, every sum is the network's", async () => {
    const { run } = await reference();
    const figure = new FigureOnPage(browser(), "unet", SHOWN);
    await figure.open(PAGE);
    await figure.until("the story", ({ logit }) => logit !== "");
    await figure.pressWords("Take the logit apart");
    let node = "logits";
    let at = [1, ...AT];
    for (let depth = 0; depth < 40; depth++) {
      const explanation = await run.explain(node, at);
      const shown = await figure.until(`${node} (${at})`, ({ crumbs, total }) => crumbs.at(-1) === `(${at.slice(1).join(", ")})` && Math.abs(numberIn(total) - explanation.value) < 0.0006);
      assert.equal(shown.view, "value");
      for (const { name, sum, cells } of shown.channels) {
        const channel = numberIn(name);
        close(sum, explanation.channelSums[channel], 3, `${node}, channel ${channel}`);
        const own = explanation.terms.slice(channel * 9, channel * 9 + 9);
        cells.slice(18).forEach((cell, i) => Math.abs(own[i].product) < 10 && close(cell, own[i].product, 2, `${node}, channel ${channel}, product ${i}`));
      }
      // Down the first way that is offered: the largest summand, the winner, the only source.
      const next = shown.channels.length
        ? explanation.terms[numberIn(shown.channels[0].name) * 9 + 4]
        : explanation.terms.find(({ input, padding }) => input !== "zero" && !padding && (explanation.reduce !== "max" || explanation.terms.every((term) => term.x <= explanation.value)));
      if (node === "normalized" || next.input === "image") break;
      const best = shown.channels.length || !shown.terms.length ? next : [...explanation.terms].filter(({ input }) => input !== "zero").sort((a, b) => Math.abs(b.product ?? b.x) - Math.abs(a.product ?? a.x))[0];
      [node, at] = [best.input, best.at];
      if (shown.channels.length) await figure.press(".channel button");
      else await figure.browser.run((css, product) => {
        const items = [...document.querySelector(css).shadowRoot.querySelectorAll(".terms li")];
        const found = items.find((item) => item.querySelector("button") && item.textContent.includes(product)) ?? items.find((item) => item.querySelector("button"));
        found.querySelector("button").click();
      }, figure.selector, `(${best.at.join(", ")})`);
      if (depth === 39) assert.fail("the way down does not end");
    }
    assert.ok(["padded", "normalized"].includes(node), `the way ends at the picture, not at ${node}`);

    // And back up, all the way.
    for (let i = 0; i < 60 && (await figure.read()).view !== "network"; i++) await figure.pressWords("back");
    assert.equal((await figure.read()).view, "network");
  });

  test("the numbers are those of the crate called natively", async () => {
    const { shares, explained } = JSON.parse(readFileSync(join(ROOT, "tests/golden/shipped.json"), "utf8"));
    const figure = new FigureOnPage(browser(), "unet", SHOWN);
    for (const { node, at: [channel, ...pos], value, channelSums } of explained) {
      await figure.open(PAGE, { view: "value", node, channel, pos: pos.join(".") });
      const shown = await figure.until(node, ({ total, logit }) => total !== "" && logit !== "");
      close(shown.total, value, 3, node);
      const wide = shown.channels.length > 0;
      const sums = wide ? shown.channels.map(({ name, sum }) => [numberIn(name), sum]) : shown.terms.map(({ name, product }) => [numberIn(name), product]);
      if (channelSums.length > 1) assert.ok(sums.length >= 2, `${node} shows its channels`);
      if (channelSums.length > 1) for (const [i, sum] of sums) close(sum, channelSums[i], 3, `${node}, channel ${i}`);
      close(shown.logit, shares.value, 2, "the logit");
      [...shares.paths, shares.constant].forEach((part, i) => close(shown.bars[i + 1].value, part, 2, shown.bars[i + 1].name));
    }
  });

  test("maps open by keyboard, and a link brings the place back", async () => {
    const figure = new FigureOnPage(browser(), "unet", SHOWN);
    await figure.open(PAGE);
    await figure.focus(".network .tile[tabindex='0']");
    // Right and down inside the block, then Enter.
    await figure.keys("\uE014", "\uE015", "\uE007");
    await figure.until("a map", ({ view }) => view === "map");
    const address = await figure.address(/unet\.view=map/);
    const { crumbs } = await figure.read();
    assert.deepEqual(crumbs, ["network", "encoder 1, ReLU 2", "channel 5"]);
    await figure.open(PAGE, address);
    const again = await figure.until("the same map", ({ view }) => view === "map");
    assert.deepEqual(again.crumbs, crumbs);
    await figure.focus(".crumb");
    await figure.keys("\uE00C");
    await figure.until("the network again", ({ view }) => view === "network");
  });

  test("a knob runs the network again", async () => {
    const figure = new FigureOnPage(browser(), "unet", SHOWN);
    await figure.open(PAGE, { picture: "grains" });
    const before = await figure.until("the computed grains", ({ facts }) => facts.includes("computed grains"));
    await figure.type(await figure.field("seed"), "21");
    await figure.until("another specimen", ({ facts, logit }) => facts.includes("F1") && facts !== before.facts && logit !== before.logit);
  });

  test("questions are answered while a long run is under way", async () => {
    const figure = new FigureOnPage(browser(), "unet", SHOWN);
    await figure.open(PAGE);
    // A long run: sixty convolutions of a large picture, queued at once, and questions meanwhile.
    const answered = await browser().driver.executeAsyncScript((done) => {
      const ask = async () => {
        const engine = await window.kernelscope.engine();
        const { image } = await engine.specimen("grains", { size: 1024 });
        const [held, kernel] = [await engine.hold(image), await engine.kernel("gaussian-5")];
        let over = false;
        const run = Promise.all(Array.from({ length: 60 }, () => engine.conv2d(held, kernel, null, {}))).finally(() => (over = true));
        let count = 0;
        while (!over) {
          await engine.ask("window_rect", {}, [256, 256], [3, 3], [10, 10]);
          count += 1;
        }
        await run;
        engine.release(held);
        return count;
      };
      ask().then(done, (error) => done(String(error)));
    });
    assert.ok(answered >= 20, `${answered} questions were answered during the run`);
  });

  test("a build that lies is found out", async () => {
    const { run } = await reference();
    const figure = new FigureOnPage(browser(), "unet", SHOWN);
    await figure.open(pathToFileURL(join(sabotagedRoot(), "index.html")).href);
    const { logit } = await figure.until("the story", ({ logit }) => logit !== "");
    const { value } = await run.shares("logits", [1, ...AT]);
    assert.ok(Math.abs(numberIn(logit) - value) > 0.05, `the lie shows: ${logit} for ${value}`);
  });
});
