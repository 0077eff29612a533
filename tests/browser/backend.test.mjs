// Which backend runs, told to the reader; one network on all of them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lesson } from "./harness/lesson.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const read = (figure) => figure.browser.run((css) => {
  const root = document.querySelector(css).shadowRoot;
  const texts = (css) => [...root.querySelectorAll(css)].map((element) => element.textContent);
  return {
    facts: Object.fromEntries(texts(".told dt").map((name, i) => [name, texts(".told dd")[i]])),
    bars: [...root.querySelectorAll(".bar")].map((bar) => ({ way: bar.className.split(" ")[1], value: bar.querySelector(".value").textContent, note: bar.querySelector(".note").textContent, width: parseFloat(bar.querySelector("i").style.width) })),
    rows: [...root.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent)),
    dots: root.querySelectorAll(".plot .track i:not(.bound)").length,
    said: root.querySelector(".said").textContent,
    button: root.querySelector(".strip .button").textContent,
    alert: root.querySelector(".message").textContent,
  };
}, figure.selector);

async function ran(figure) {
  const { driver } = figure.browser;
  await figure.pressWords("Run it everywhere");
  const end = Date.now() + 60_000;
  for (;;) {
    const now = await read(figure);
    if (now.button === "Run it again") return now;
    if (Date.now() > end) throw new Error(`still ${now.button}: ${now.said}`);
    await driver.sleep(100);
  }
}

const numberIn = (text) => {
  const [, digits, exponent] = /^([\d.]+) · 10(.+)$/.exec(text) ?? [];
  if (!digits) return text === "equal" ? 0 : NaN;
  const power = [...exponent].map((sign) => (sign === "⁻" ? "-" : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(sign))).join("");
  return Number(digits) * 10 ** Number(power);
};

const open = (browser) => lesson(browser, "backend", "computing", () => ({}));

describe("without a graphics card", () => {
  inBrowsers((browser) => {
    test("the processor's two ways agree, and the third says why it is not there", async () => {
      const figure = await open(browser());
      const before = await read(figure);
      assert.match(before.facts.computes, /^On the processor, in a worker/);
      assert.equal(before.facts["graphics card"], "not in use");
      assert.match(before.facts.vectors, /SIMD, 128 bits/);
      assert.match(before.rows[0][0], /Nothing has run yet/);
      const { bars, rows, dots, said, alert } = await ran(figure);
      assert.equal(alert, "");
      assert.deepEqual(bars.map(({ way }) => way), ["reading", "fast", "card"]);
      assert.match(bars[0].value, /\d ms$/);
      assert.equal(bars[2].value, "not here");
      assert.match(bars[2].note, /no graphics card|no WebGPU/);
      assert.equal(rows.length, 16, "fourteen convolutions, the logits, the shares");
      assert.equal(dots, 16);
      const differences = rows.map((cells) => numberIn(cells[3]));
      assert.ok(differences.every((value) => value >= 0 && value < 1e-4), String(differences));
      assert.ok(differences.some((value) => value > 0), "another order rounds elsewhere");
      const worst = rows.map((cells) => cells[3]).find((_, i) => differences[i] === Math.max(...differences));
      assert.ok(said.includes(worst), `${said} names ${worst}`);
      await figure.until("its words", ({ spoken }) => /processor, in reading order: .* ms\..*WebGPU: not here/.test(spoken));
    });

    test("it can be stopped, and run again", async () => {
      const figure = await open(browser());
      await figure.pressWords("Run it everywhere");
      await figure.pressWords("Stop");
      await figure.browser.until("the end", (css) => /^Run it/.test(document.querySelector(css).shadowRoot.querySelector(".strip .button").textContent), figure.selector);
      const stopped = await read(figure);
      assert.equal(stopped.alert, "");
      assert.ok(stopped.bars.some(({ value }) => value === "" || value === "not here"), "not all have run");
      await figure.press("Reset the figure");
      await figure.browser.run((css) => [...document.querySelector(css).shadowRoot.querySelectorAll("button")].find((button) => /^Run it/.test(button.textContent)).click(), figure.selector);
      await figure.browser.until("a result", (css) => document.querySelector(css).shadowRoot.querySelectorAll("tbody tr").length === 16, figure.selector);
    });
  });
});

describe("with an imitated one", () => {
  inBrowsers(
    (browser) => {
      test("it computes the same, and its time is not compared", async (context) => {
        const figure = await open(browser());
        await browser().driver.manage().setTimeouts({ script: 120_000 });
        const { facts, bars, rows, dots } = await ran(figure);
        assert.match(facts.computes, /^On the processor, in a worker; /, "the page leaves an imitation alone");
        if (bars[2].value === "not here") return context.skip(bars[2].note);
        assert.match(bars[2].note, /an imitation of a card by the processor: its time says nothing about cards/);
        assert.equal(bars[2].width, 0);
        assert.equal(rows.length, 16);
        assert.equal(dots, 32);
        for (const cells of rows) assert.ok(numberIn(cells[4]) < 1e-4, `${cells[0]}: ${cells[4]}`);
      });
    },
    { webgpu: true },
  );
});
