// axe-core in the page: every rule it has, into open shadow roots too.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Fails with a list of what is wrong where; `selector` looks at one part of the page. */
export async function assertAccessible(browser, what, selector) {
  // WebDriver runs it past the page's policy, which allows no foreign script.
  await browser.driver.executeScript(`${source}; window.axe = axe;`);
  // Without `preload`: fetching style sheets would break the policy, and no rule in use needs them.
  const found = await browser.driver.executeAsyncScript((selector, done) => {
    window.axe.run(selector ?? document, { resultTypes: ["violations"], preload: false }).then(
      ({ violations, passes }) => done({ violations, passes: passes.length }),
      (error) => done({ error: String(error) }),
    );
  }, selector ?? null);
  assert.equal(found.error, undefined);
  assert.ok(found.passes > 10, "axe looked at the page");
  const problems = found.violations.map(
    ({ id, help, nodes }) => `${id}: ${help}\n${nodes.slice(0, 6).map(({ target, any }) => `    ${target.flat().join(" ")} ${any[0]?.message ?? ""}`).join("\n")}`,
  );
  if (problems.length > 0) assert.fail(`${what}:\n${problems.join("\n")}`);
}
