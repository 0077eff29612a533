// Stills of figures, for slides and documents that cannot run scripts: `cargo xtask still …`, in the tests' own Chromium.
//   still FIGURE [STATE] --out FILE.png    STATE as a copied link has it: "kernel=sobel-y&at=20.30"
//   still FIGURE [STATE] --out FILE.svg    the drawing alone, where the figure is one
//   still FIGURE [STATE] --out FILE.pdf    the whole figure: letters and drawings as vectors
//   still FIGURE [STATE] --out FILE.png --frames N [--every K]   the figure's time, K steps a frame: FILE-001.png …
//   still DOCUMENT.qmd                     one for each shortcode in it, where the extension will look for it
//   still --defaults                       the pictures that the extension itself carries
// Options: --width 960 (CSS pixels), --scale 2, --theme light, --controls none, --hide "head".
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { launch } from "./harness/browsers.mjs";
import { fromFile, ROOT } from "./harness/site.mjs";

const table = JSON.parse(readFileSync(join(ROOT, "pkg/elements.json"), "utf8"));
const known = Object.keys(table.figures).map((tag) => tag.slice(3));

/** Frames shall not fill a disk by a slip of the finger. */
const MOST_FRAMES = 2000;

export function plan(args) {
  const text = { type: "string" };
  const { values, positionals } = parseArgs({
    args, allowPositionals: true,
    options: { out: text, width: text, scale: text, theme: text, controls: text, hide: text, frames: text, every: text, defaults: { type: "boolean", default: false } },
  });
  const number = (name, initial, least, most) => {
    const value = Number(values[name] ?? initial);
    if (!(value >= least && value <= most)) throw new Error(`--${name} must be a number from ${least} to ${most}; got “${values[name]}”`);
    return value;
  };
  const look = {
    width: number("width", 960, 160, 4000), scale: number("scale", 2, 0.5, 6),
    theme: values.theme ?? "light", controls: values.controls ?? "none", hide: values.hide ?? "head",
  };
  const base = { ...look, state: "", frames: 0, every: 1 };
  if (values.defaults) return known.map((name) => ({ ...base, scale: 1.25, name, out: join(ROOT, "_extensions/kernelscope/stills", `${name}.png`) }));
  const [what, state = ""] = positionals;
  if (!what) throw new Error(`which figure? one of ${known.join(", ")}, or a document with shortcodes`);
  if (/\.(qmd|md)$/.test(what)) return ofDocument(what, base);
  const name = checkName(what);
  if (!values.out) throw new Error("--out names the file: .png, .svg or .pdf");
  if (![".png", ".svg", ".pdf"].includes(extname(values.out))) throw new Error(`--out must end in .png, .svg or .pdf; got “${values.out}”`);
  const frames = values.frames === undefined ? 0 : number("frames", 0, 1, MOST_FRAMES);
  if (frames && extname(values.out) !== ".png") throw new Error("--frames are PNG files: --out FILE.png");
  return [{ ...base, name, state, out: resolve(values.out), frames, every: number("every", 1, 1, 100_000) }];
}

function checkName(what) {
  const name = what.replace(/^ks-/, "");
  if (!known.includes(name)) throw new Error(`there is no figure “${what}”; there are ${known.join(", ")}`);
  return name;
}

/** Under the names under which the extension looks: the figure, and a digest of its attributes. */
function ofDocument(path, base) {
  const found = [...readFileSync(path, "utf8").matchAll(/^\s*\{\{<\s*kernelscope\s+([\w-]+)(.*?)>\}\}\s*$/gm)];
  const stills = new Map();
  for (const [, what, rest] of found) {
    const name = checkName(what);
    const given = [...rest.matchAll(/([\w-]+)=(?:"([^"]*)"|'([^']*)'|(\S+))/g)].map(([, key, double, single, bare]) => [key, double ?? single ?? bare]);
    if (given.some(([key]) => key === "still")) continue;
    const attributes = given.filter(([key]) => key in table.figures[`ks-${name}`].attributes || key in table.common.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
    const own = attributes.filter(([key]) => key in table.figures[`ks-${name}`].attributes);
    // A prepared state comes first, so that single attributes win, as they do in the element.
    const state = [...attributes.filter(([key, value]) => key === "at" && value.includes("=")).map(([, value]) => value), ...own.filter(([key, value]) => !(key === "at" && value.includes("="))).map(([key, value]) => `${key}=${encodeURIComponent(value)}`)].join("&");
    const digest = createHash("sha1").update(attributes.map((pair) => pair.join("=")).join("\n")).digest("hex").slice(0, 12);
    const look = Object.fromEntries(attributes.filter(([key]) => ["theme", "hide"].includes(key)));
    stills.set(digest + name, { ...base, ...look, name, state, out: join(dirname(resolve(path)), "kernelscope-stills", `${name}-${digest}.png`) });
  }
  if (stills.size === 0) throw new Error(`${path} has no {{< kernelscope … >}} in a line of its own that needs a picture`);
  return [...stills.values()];
}

/** Draws what was planned; gives the files' paths. */
export async function render(stills, say = () => {}) {
  const browser = await launch("chromium", { width: 1000, height: 800 });
  const written = [];
  const write = (path, bytes) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    written.push(path);
    say(path);
  };
  try {
    for (const still of stills) {
      await open(browser, still);
      const kind = extname(still.out);
      if (kind === ".svg") write(still.out, await vector(browser, still.name));
      else if (kind === ".pdf") write(still.out, await document_(browser));
      else if (!still.frames) write(still.out, await atRest(browser));
      else {
        for (let frame = 1; frame <= still.frames; frame++) {
          write(still.out.replace(/\.png$/, `-${String(frame).padStart(String(still.frames).length < 3 ? 3 : 4, "0")}.png`), await atRest(browser));
          const can = await browser.run((every) => {
            const figure = document.querySelector("main > *");
            for (let i = 0; i < every; i++) if (!figure.stepBy(1)) return false;
            return true;
          }, still.every);
          if (!can) throw new Error(`${still.name} has no time of its own: leave --frames out`);
        }
      }
    }
  } finally {
    await browser.close();
  }
  return written;
}

async function open(browser, { name, state, width, scale, theme, controls, hide }) {
  await browser.cdp("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: scale, mobile: false });
  const query = new URLSearchParams({ widget: name, theme, controls, hide });
  await browser.open(`${fromFile("embed.html")}?${query}#${state}`);
  await browser.until("the figure", () => ["ready", "failed"].includes(document.querySelector("main > [data-state]")?.dataset.state));
  const error = await browser.run("return document.querySelector('main > *').dataset.error ?? ''");
  if (error) throw new Error(`${name}: ${error}`);
  await browser.run(() => (document.querySelector("main").style.padding = "10px 12px 12px"));
  await browser.driver.executeAsyncScript((done) => document.fonts.ready.then(() => done()));
}

/** A picture of the figure when two in a row are the same: colours ease, results come one after another. */
async function atRest(browser) {
  let before = "";
  for (let tries = 0; tries < 60; tries++) {
    const box = await browser.run(() => {
      const { x, y, width, height } = document.querySelector("main").getBoundingClientRect();
      return { x: x + scrollX, y: y + scrollY, width, height };
    });
    const { data } = await browser.cdp("Page.captureScreenshot", { format: "png", captureBeyondViewport: true, clip: { ...box, height: Math.ceil(box.height), scale: 1 } });
    if (data === before) return Buffer.from(data, "base64");
    before = data;
    await new Promise((later) => setTimeout(later, 120));
  }
  throw new Error("the figure did not come to rest within some seconds");
}

async function document_(browser) {
  await atRest(browser);
  const size = await browser.run(() => {
    const { width, height } = document.querySelector("main").getBoundingClientRect();
    return { width, height };
  });
  const { data } = await browser.cdp("Page.printToPDF", {
    paperWidth: size.width / 96, paperHeight: (size.height + 2) / 96, marginTop: 0, marginBottom: 0, marginLeft: 0, marginRight: 0, printBackground: true, preferCSSPageSize: false, pageRanges: "1",
  });
  return Buffer.from(data, "base64");
}

/** The figure's own drawing with its style written into it, so that any program can show it. */
async function vector(browser, name) {
  await atRest(browser);
  const svg = await browser.run(() => {
    const PROPERTIES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "stroke-opacity", "opacity", "font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline", "vector-effect", "visibility"];
    const stage = document.querySelector("main > *").shadowRoot.querySelector(".stage");
    const drawings = [...stage.querySelectorAll("svg:not(.overlay, .icon)")].filter((one) => one.checkVisibility());
    const area = (one) => { const { width, height } = one.getBoundingClientRect(); return width * height; };
    const largest = drawings.sort((a, b) => area(b) - area(a))[0];
    if (!largest || area(largest) < 0.05 * area(stage)) return null;
    const { width, height } = largest.getBoundingClientRect();
    const copy = largest.cloneNode(true);
    const copies = [copy, ...copy.querySelectorAll("*")];
    [largest, ...largest.querySelectorAll("*")].forEach((element, i) => {
      const style = getComputedStyle(element);
      copies[i].removeAttribute("class");
      copies[i].removeAttribute("style");
      for (const property of PROPERTIES) copies[i].setAttribute(property, style.getPropertyValue(property));
    });
    for (const one of copies) for (const { name } of [...one.attributes]) if (/^(on|tabindex|role|aria-)/.test(name)) one.removeAttribute(name);
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    if (!copy.hasAttribute("viewBox")) copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return new XMLSerializer().serializeToString(copy);
  });
  if (!svg) throw new Error(`${name} is made of pixels and numbers, not of one drawing: ask for .png, or for .pdf, where letters stay letters`);
  return svg;
}

if (process.argv[1] === import.meta.filename) {
  try {
    await render(plan(process.argv.slice(2)), (path) => console.log(path.startsWith(`${process.cwd()}/`) ? path.slice(process.cwd().length + 1) : path));
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
