// Takes a picture of the page, to look at:
//   node tests/browser/look.mjs --out /tmp/page.png [options]
// Options:
//   --url ADDRESS   default: index.html of this repository from file://; "http" serves the repository first;
//                   a path is opened from file://
//   --size NAME     desktop (1280×800, the default), phone (390×844) or projector (1920×1080)
//   --width N --height N   any other size
//   --full          the whole page, not only what is in view
//   --select CSS    one element only
//   --scroll CSS    bring this element into view first
//   --hash TEXT     the part behind # of the address
//   --dark          as on a system that prefers dark
//   --script JS     run in the page before the picture (may use await); its result is printed
//   --wait MS       wait after the script
//   --webgpu        with a graphics card that the processor imitates
//   --firefox       Firefox ESR instead of Chromium
// What the page complained about is printed; the exit code is 1 if it complained.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { serve } from "../../xtask/serve/server.mjs";
import { launch, SIZES } from "./harness/browsers.mjs";
import { settled, shoot } from "./harness/shots.mjs";

const text = { type: "string" };
const flag = { type: "boolean", default: false };
const { values: options } = parseArgs({
  options: {
    url: text, out: text, size: { ...text, default: "desktop" }, width: text, height: text, full: flag, select: text,
    scroll: text, hash: text, dark: flag, script: text, wait: text, firefox: flag, chromium: flag, webgpu: flag,
  },
});
if (!options.out) throw new Error("look.mjs needs --out FILE.png");
if (!SIZES[options.size]) throw new Error(`--size is one of ${Object.keys(SIZES).join(", ")}`);

const root = resolve(import.meta.dirname, "../..");
const server = options.url === "http" ? await serve({ root }) : undefined;
const size = {
  width: Number(options.width ?? SIZES[options.size].width),
  height: Number(options.height ?? SIZES[options.size].height),
};
const browser = await launch(options.firefox ? "firefox" : "chromium", size, { dark: options.dark, webgpu: options.webgpu });
try {
  await browser.open(address());
  await settled(browser);
  if (options.scroll) {
    await browser.until(`an element ${options.scroll}`, (selector) => {
      const element = document.querySelector(selector);
      element?.scrollIntoView({ block: "start", behavior: "instant" });
      return Boolean(element);
    }, options.scroll);
    await settled(browser);
  }
  if (options.script) {
    // An async function made by WebDriver itself: the page's own policy allows no eval.
    const result = await browser.driver.executeScript(`return (async () => { ${options.script} })()`);
    if (result !== null) console.log(typeof result === "string" ? result : JSON.stringify(result, null, 2));
    await settled(browser);
  }
  if (options.wait) await new Promise((later) => setTimeout(later, Number(options.wait)));
  await shoot(browser, resolve(options.out), { full: options.full, selector: options.select });
  const complaints = [...browser.log.errors, ...(await browser.log.violations())];
  for (const complaint of complaints) console.error(`the page complained: ${complaint}`);
  if (complaints.length > 0) process.exitCode = 1;
} finally {
  await browser.close();
  await server?.close();
}

function address() {
  const url = server?.url ?? options.url ?? "index.html";
  const full = /^[a-z]+:\/\//.test(url) ? url : pathToFileURL(resolve(root, url)).href;
  return options.hash ? `${full}#${options.hash.replace(/^#/, "")}` : full;
}
