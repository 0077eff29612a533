// Figures as elements for other pages: the table that describes them, attributes, properties, events, parts, copies.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { serve } from "../../xtask/serve/server.mjs";
import { assertAccessible } from "./harness/axe.mjs";
import { fromFile, ROOT } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const DOCS = "pkg/elements.html";
const table = JSON.parse(readFileSync(join(ROOT, "www/widgets/elements.json"), "utf8"));
const tags = Object.keys(table.figures);
let server;
before(async () => {
  server = await serve({ root: ROOT });
});
after(() => server.close());

/** An empty page that has the script and these elements. */
async function page(browser, html, { served = false } = {}) {
  await browser.open(`${served ? server.url : fromFile("")}${served ? "" : "/"}tests/browser/pages/empty.html`);
  await browser.run((html) => (document.querySelector("main").innerHTML = html), html);
}

const ready = (browser, css) => browser.until(`${css} to be ready`, (css) => ["ready", "failed"].includes(document.querySelector(css)?.dataset.state), css);

test("the manifest names every element, attribute, event and part of the table", () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, "pkg/custom-elements.json"), "utf8"));
  const [{ declarations }] = manifest.modules;
  assert.deepEqual(declarations.map(({ tagName }) => tagName).sort(), [...tags].sort());
  for (const { tagName, attributes, events, cssParts, cssProperties } of declarations) {
    assert.deepEqual(attributes.map(({ name }) => name), [...Object.keys(table.figures[tagName].attributes), ...Object.keys(table.common.attributes)], tagName);
    assert.deepEqual(events.map(({ name }) => name), Object.keys(table.common.events));
    assert.deepEqual(cssParts.map(({ name }) => name), Object.keys(table.common.parts));
    assert.deepEqual(cssProperties.map(({ name }) => name), Object.keys(table.common.cssProperties));
  }
});

test("the style sheet reads exactly the custom properties of the table", () => {
  const css = readFileSync(join(ROOT, "www/figure/figure.css"), "utf8");
  const read = new Set([...css.matchAll(/var\((--ks-[a-z]+)/g)].map(([, name]) => name));
  assert.deepEqual([...read].sort(), Object.keys(table.common.cssProperties).sort());
  const hidden = new Set([...css.matchAll(/:host\(\[hide~="([a-z]+)"\]\)/g)].map(([, name]) => name));
  const told = new Set([...table.common.attributes.hide.about.matchAll(/`([a-z]+)`/g)].map(([, name]) => name));
  assert.deepEqual([...hidden].sort(), [...told].sort());
});

inBrowsers((browser, name) => {
  test("the table says of every state field what the code does", async () => {
    await page(browser(), tags.map((tag) => `<${tag}></${tag}>`).join(""));
    await browser().until("all elements", (tags) => tags.every((tag) => customElements.get(tag)), tags);
    for (const tag of tags) {
      const code = await browser().run((tag) => {
        const figure = document.querySelector(tag);
        return { lesson: figure.lesson, parts: [...figure.shadowRoot.querySelectorAll("[part]")].map((one) => one.getAttribute("part")), time: Boolean(figure.shadowRoot.querySelector(".time > button.primary")) };
      }, tag);
      const { attributes, time } = table.figures[tag];
      assert.deepEqual(code.lesson.map(({ attribute }) => attribute), Object.keys(attributes), `${tag}: its attributes, in order`);
      for (const { attribute, kind, options, initial } of code.lesson) {
        const { kind: told, values, default: first } = attributes[attribute];
        assert.deepEqual([told, values ?? null, first], [kind, options ?? null, initial], `${tag}, ${attribute}`);
      }
      assert.equal(code.time, time, `${tag}: time`);
      for (const part of Object.keys(table.common.parts)) assert.ok(code.parts.includes(part), `${tag} has no part ${part}`);
    }
  });

  test("a figure alone loads only what it needs", async () => {
    await page(browser(), `<ks-translation></ks-translation>`, { served: true });
    await ready(browser(), "ks-translation");
    const loaded = (await browser().log.addresses()).map((url) => /pkg\/(.*)$/.exec(url)?.[1]).filter(Boolean).sort();
    assert.deepEqual(loaded, ["chunks/answers.js", "chunks/figure.js", "chunks/ks-translation.js", "chunks/lessons.js", "kernelscope.js"], "moving a picture is one of the lessons");
  });

  test("attributes, properties and events", async () => {
    await page(browser(), `<ks-convolution at="kernel=sobel-y&stride=2" stride="3" hide="formula caption" controls="minimal"></ks-convolution>`);
    await browser().run(() => {
      window.heard = [];
      for (const type of ["input", "change", "error", "ready"]) document.querySelector("main").addEventListener(type, ({ target, detail }) => window.heard.push([type, target.localName, detail?.stride ?? null]));
      const figure = document.querySelector("ks-convolution");
      for (const type of ["ready", "error"]) figure.addEventListener(type, ({ detail }) => window.heard.push([type, "at the figure", detail ?? null]));
    });
    await ready(browser(), "ks-convolution");
    const get = (...names) => browser().run((names) => names.map((name) => document.querySelector("ks-convolution").values[name]), names);
    assert.deepEqual(await get("kernel", "stride"), ["sobel-y", 3], "a single attribute wins over the prepared state");
    const display = (css) => browser().run((css) => getComputedStyle(document.querySelector("ks-convolution").shadowRoot.querySelector(css)).display, css);
    assert.deepEqual(await Promise.all([".formula", "figcaption", ".choices", ".ending"].map(display)), ["none", "none", "none", "none"]);
    assert.notEqual(await display(".time"), "none");

    // From the page: shown, and not told as if the reader had done it.
    await browser().run(() => (document.querySelector("ks-convolution").values = { kernel: "laplacian-4", at: [5, 6], whole: true }));
    const place = () => browser().run(() => document.querySelector("ks-convolution").shadowRoot.querySelector(".part[style*=pixel] .note").textContent);
    await browser().until("the new place", () => document.querySelector("ks-convolution").shadowRoot.querySelector(".part[style*=pixel] .note").textContent.endsWith("(5, 6)"));
    await browser().run(() => document.querySelector("ks-convolution").setAttribute("stride", "1"));
    await browser().until("stride 1", () => document.querySelector("ks-convolution").shadowRoot.querySelector(".facts b.out").textContent === "254");
    assert.deepEqual(await get("kernel", "stride", "whole"), ["laplacian-4", 1, true]);
    await new Promise((later) => setTimeout(later, 350));
    assert.deepEqual((await browser().run("return window.heard")).map(([type]) => type), ["ready"], "neither the page's own changes nor a bubbling ready or error");

    const wrong = await browser().run(() => {
      const figure = document.querySelector("ks-convolution");
      return [{ kernle: "x" }, { mode: "wrap" }, { stride: "many" }].map((change) => { try { figure.values = { ...change, bias: 9 }; return "taken"; } catch (error) { return error.message; } });
    });
    assert.match(wrong[0], /ks-convolution: there is no “kernle” here; there are picture, kernel/);
    assert.match(wrong[1], /mode cannot be “wrap”; it is one of zeros, reflect/);
    assert.match(wrong[2], /stride cannot be “many”/);
    assert.deepEqual(await get("bias", "mode"), [0, "zeros"], "nothing of a refused change was taken");

    await browser().run(() => document.querySelector("ks-convolution").stepBy(1));
    await browser().until("the change", () => window.heard.some(([type]) => type === "change"));
    const heard = await browser().run("return window.heard");
    assert.deepEqual(heard.slice(1), [["input", "ks-convolution", 1], ["change", "ks-convolution", 1]], "told once each, with the values");
    assert.match(await place(), /\(5, 7\)$/);
    assert.equal(await browser().run("return document.querySelector('ks-convolution').prepared"), "kernel=laplacian-4&at=5.7&whole=yes");

    await browser().run(() => document.querySelector("ks-convolution").setAttribute("stride", "0"));
    await browser().until("the complaint", () => document.querySelector("ks-convolution").error);
    assert.match((await browser().run("return window.heard")).find(([type]) => type === "error")[2], /stride must be a whole number/);
  });

  test("what a page's author misspells is said at the figure", async () => {
    await page(browser(), `<ks-convolution mode="wrap" at="kernle=sobel-y"></ks-convolution>`);
    await ready(browser(), "ks-convolution");
    const said = await browser().run("return document.querySelector('ks-convolution').error");
    assert.match(said, /there is no “kernle” here.*mode cannot be “wrap”; it is one of zeros/);
    await page(browser(), `<ks-convolutoin></ks-convolutoin>`);
    for (let tries = 0; browser().log.errors.length === 0 && tries < 60; tries++) await new Promise((later) => setTimeout(later, 50));
    assert.match(browser().log.errors.join(), /there is no figure <ks-convolutoin>; there are <ks-backend>/);
  });

  test("a foreign page's look: its theme, its own properties, our parts", async () => {
    await page(browser(), `<style>#a { --ks-output: rgb(1, 2, 3) } #a::part(caption) { font-size: 31px } :root { --input: 240 5% 90%; --muted: red }</style>
      <ks-translation id="a">Words</ks-translation><div style="color: #eee; background: #111"><ks-translation id="b"></ks-translation></div><ks-translation id="c" theme="dark"></ks-translation>`);
    await ready(browser(), "#a");
    const looks = await browser().run(() => ["a", "b", "c"].map((id) => {
      const frame = document.getElementById(id).shadowRoot.querySelector(".frame");
      return [frame.dataset.theme, getComputedStyle(frame.querySelector(".fact.out output")).color, getComputedStyle(frame.querySelector("figcaption")).fontSize, getComputedStyle(frame).backgroundColor, getComputedStyle(frame.querySelector(".try")).color];
    }));
    assert.deepEqual(looks.map(([theme]) => theme), ["light", "dark", "dark"]);
    assert.equal(looks[0][2], "31px");
    assert.equal(looks[0][4], "rgb(98, 106, 115)", "a page's own --muted is none of ours");
    assert.deepEqual([looks[1][3], looks[2][3]], ["rgba(0, 0, 0, 0)", "rgb(21, 24, 28)"], "an asked theme stands on its own paper");
    assert.ok(await browser().run(() => getComputedStyle(document.getElementById("a").shadowRoot.querySelector(".frame")).getPropertyValue("--_out").includes("1, 2, 3")));
  });

  test("copies of today's state: tag, frame, shortcode, link", async () => {
    await page(browser(), `<ks-parameter-count id="one" hide="caption"></ks-parameter-count>`);
    await ready(browser(), "#one");
    await browser().run(() => (document.getElementById("one").values = { size: 256, "hidden-units": 512, against: "map" }));
    const inside = (script, ...args) => browser().run(`return (${script})(document.getElementById("one").shadowRoot, ...arguments)`, ...args);
    await inside((root) => root.querySelector("[aria-label='Use this figure elsewhere']").click());
    assert.equal(await inside((root) => root.querySelector("button[aria-expanded]").getAttribute("aria-expanded")), "true");
    const texts = {};
    for (const way of ["tag", "frame", "shortcode", "link"]) {
      await inside((root, way) => root.querySelector(`[data-way="${way}"]`).click(), way);
      await browser().until("what was done", () => document.getElementById("one").shadowRoot.querySelector(".embedding [aria-live]").textContent !== "");
      assert.equal(await inside((root) => root.querySelector(".embedding textarea").checkVisibility()), true, "it can be copied by hand");
      texts[way] = await inside((root) => root.querySelector(".embedding textarea").value);
    }
    assert.match(texts.tag, /<script src="file:\/\/.*\/pkg\/kernelscope\.js" defer><\/script>\n<ks-parameter-count size="256" hidden-units="512" against="map" hide="caption"><\/ks-parameter-count>$/);
    assert.match(texts.frame, /^<iframe src="file:\/\/.*\/embed\.html\?widget=parameter-count&amp;hide=caption#size=256&amp;hidden=512&amp;against=map" title="kernelscope: parameter-count" sandbox="allow-scripts"/);
    assert.equal(texts.shortcode, '{{< kernelscope parameter-count size="256" hidden-units="512" against="map" hide="caption" >}}');
    assert.match(texts.link, /#one\?one\.size=256&one\.hidden=512&one\.against=map$/);
    if (name === "chromium") await assertAccessible(browser(), "the open row", "#one");
    // What was copied is what it was copied from.
    await page(browser(), texts.tag.slice(texts.tag.indexOf("<ks-")));
    await ready(browser(), "ks-parameter-count");
    assert.equal(await browser().run("return document.querySelector('ks-parameter-count').prepared"), "size=256&hidden=512&against=map");
    await browser().open(/src="([^"]+)"/.exec(texts.frame)[1].replaceAll("&amp;", "&"));
    await ready(browser(), "ks-parameter-count");
    assert.equal(await browser().run("return document.querySelector('ks-parameter-count').prepared"), "size=256&hidden=512&against=map");
  });

  test("the documentation opens from file://, every example alive", { skip: name !== "chromium" && "the elements themselves are looked at above" }, async () => {
    await browser().open(fromFile(DOCS));
    for (const tag of tags) {
      await browser().run((tag) => document.querySelector(tag).scrollIntoView({ block: "center", behavior: "instant" }), tag);
      await ready(browser(), tag);
      assert.deepEqual(await browser().run((tag) => { const { state, error } = document.querySelector(tag).dataset; return [state, error ?? ""]; }, tag), ["ready", ""], tag);
    }
    assert.deepEqual(browser().log.errors, []);
    assert.deepEqual(await browser().log.violations(), []);
    assert.ok((await browser().run("return document.documentElement.scrollWidth - innerWidth")) <= 0);
    await browser().run(() => scrollTo(0, 0));
    await assertAccessible(browser(), "the documentation", "#common");
  });
});
