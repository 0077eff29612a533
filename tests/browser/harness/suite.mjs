// One browser for a group of tests. KERNELSCOPE_BROWSERS=chromium leaves Firefox out while developing.
import { after, before, describe } from "node:test";
import { BROWSERS, launch } from "./browsers.mjs";

const wanted = process.env.KERNELSCOPE_BROWSERS?.split(",") ?? BROWSERS;

/** Declares the tests once a browser; `tests` gets a function that gives the running one. */
export function inBrowsers(tests, { names = BROWSERS, size, dark, webgpu } = {}) {
  for (const name of names.filter((name) => wanted.includes(name))) {
    describe(name, { timeout: 900_000 }, () => {
      let browser;
      before(async () => {
        browser = await launch(name, size, { dark, webgpu });
      });
      after(() => browser?.close());
      tests(() => browser, name);
    });
  }
}
