// Every figure in each of its states and in both themes: the numbers that must stand there, axe, and how it looks.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { runInNewContext } from "node:vm";
import { assertAccessible } from "./harness/axe.mjs";
import { decode } from "./harness/png.mjs";
import { png } from "./harness/shots.mjs";
import { fromFile, ROOT } from "./harness/site.mjs";
import { alike, apart, compareWith } from "./harness/snapshots.mjs";
import { inBrowsers } from "./harness/suite.mjs";

// A classic script, as a page from file:// can load it.
const states = runInNewContext(`${readFileSync(join(ROOT, "tests/gallery/states.js"), "utf8")}; states`);
const reference = (name, theme) => join(ROOT, "tests/gallery/snapshots", `${name}-${theme}.png`);

/** What stands at the selectors of a state, and whether the figure has come to rest. */
const READ = (id, selectors) => {
  const host = document.getElementById(id);
  const state = host?.dataset.state;
  if (!["ready", "failed"].includes(state)) return { ready: false, state, error: host?.dataset.error };
  const texts = (css) => [...host.shadowRoot.querySelectorAll(css)].map(({ textContent }) => textContent);
  // A figure that cannot start has a sentence that says why, which its state then expects.
  const ready = state === "failed" || host.shadowRoot.querySelector(".status").textContent.startsWith("computed");
  return { ready, state, error: host.dataset.error, found: Object.fromEntries(selectors.map((css) => [css, texts(css)])) };
};

/** Brings a state into view and waits until it shows what it must. */
async function shows(browser, id, expect) {
  await browser.run((id) => document.getElementById(id).scrollIntoView({ block: "center", behavior: "instant" }), id);
  const missing = ({ found }) => Object.entries(expect).filter(([css, words]) => !found[css].some((text) => text.includes(words)));
  const end = Date.now() + 20_000;
  for (;;) {
    const shown = await browser.run(READ, id, Object.keys(expect));
    if (shown.ready && missing(shown).length === 0) return;
    if (Date.now() > end) {
      const words = shown.found ? missing(shown).map(([css, words]) => `${css} shall say “${words}” and says ${JSON.stringify(shown.found[css])}`).join("; ") : `it is ${shown.state}: ${shown.error ?? ""}`;
      assert.fail(`${id}: ${words}`);
    }
    await new Promise((later) => setTimeout(later, 50));
  }
}

/** Hides what differs from run to run (the milliseconds) and what blinks; waits for fonts, eased colours and two frames. */
async function still(browser, id) {
  await browser.run((id) => {
    document.activeElement?.blur();
    document.getElementById(id).shadowRoot.querySelector(".status").style.visibility = "hidden";
  }, id);
  await browser.driver.executeAsyncScript((done) => {
    document.fonts.ready.then(() => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done())), 200));
  });
}

for (const theme of ["light", "dark"]) {
  inBrowsers((browser, name) => {
    before(() => browser().open(`${fromFile("tests/gallery/index.html")}?theme=${theme}`));

    for (const [state, { expect, about }] of Object.entries(states)) {
      test(`${state}, ${theme}: ${about}`, async () => {
        const id = `${state}-${theme}`;
        assert.ok(Object.keys(expect).length > 0, "a state without a number to hold it against");
        await shows(browser(), id, expect);
        if (name !== "chromium") return;
        await still(browser(), id);
        compareWith(reference(state, theme), await png(browser(), { selector: `#${id}` }));
        await assertAccessible(browser(), id, `#${id}`);
      });
    }

    test(`no state complains, ${theme}`, async () => {
      assert.deepEqual(browser().log.errors, []);
      assert.deepEqual(await browser().log.violations(), []);
    });
  }, { dark: theme === "dark" });
}

test("one state's picture is not taken for another's", { skip: Boolean(process.env.UPDATE_SNAPSHOTS) }, () => {
  const picture = (name, theme = "light") => decode(readFileSync(reference(name, theme)));
  assert.ok(alike(apart(picture("pooling"), picture("pooling"))));
  for (const [a, b] of [["pooling", "pooling-shift"], ["convolution", "convolution-whole"], ["receptive-field", "receptive-field-weighted"]]) {
    assert.ok(!alike(apart(picture(a), picture(b))), `${a} and ${b}`);
  }
  assert.ok(!alike(apart(picture("pooling"), picture("pooling", "dark"))));
});
