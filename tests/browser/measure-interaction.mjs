// How often figures answer while something is dragged, and how soon: node tests/browser/measure-interaction.mjs
// A measurement, not a test: times depend on the machine. For "how often" an input event comes with every frame, as from a hand that
// moves; for "how soon" events stand so far apart that each drawing has one cause: a tenth of a second, as in a slow drag, and half a
// second, after which browser and machine have gone to rest and take longer for everything.
import { loadavg } from "node:os";
import { join } from "node:path";
import { launch, SIZES } from "./harness/browsers.mjs";
import { fromFile, ROOT } from "./harness/site.mjs";

/** Moves a slider to and fro and counts how often the canvas is drawn; then a step at a time, and waits for each drawing. */
const drag = async (selector, label, canvas, ms, steps) => {
  const root = document.querySelector(selector).shadowRoot;
  const inputs = [...root.querySelectorAll("input")];
  const named = (input) => `${input.getAttribute("aria-label") ?? ""} ${input.closest("label")?.textContent ?? ""}`;
  const input = inputs.find((input) => named(input).includes(label));
  if (!input) return { missing: inputs.map(named) };
  const target = root.querySelector(canvas);
  const context = target.getContext("2d");
  const drawn = [];
  for (const name of ["putImageData", "drawImage", "fillRect"]) {
    const own = context[name].bind(context);
    context[name] = (...rest) => (own(...rest), drawn.push(performance.now()));
  }
  const frame = () => new Promise(requestAnimationFrame);
  const pause = (ms) => new Promise((later) => setTimeout(later, ms));
  const [low, high] = [Number(input.min || -2), Number(input.max || 2)];
  const move = (share) => {
    input.value = String(Math.round((low + (high - low) * share) * 1000) / 1000);
    for (const type of ["input", "change"]) input.dispatchEvent(new Event(type, { bubbles: true }));
  };

  const start = performance.now();
  let events = 0;
  for (let now = start; now - start < ms; now = await frame()) {
    move(0.2 + 0.6 * Math.abs(((now - start) / 500) % 2 - 1));
    events += 1;
  }
  const seconds = (performance.now() - start) / 1000;
  // Drawings less than 4 ms apart belong to one picture.
  const pictures = drawn.filter((time, i) => i === 0 || time - drawn[i - 1] > 4).length;

  const after = async (rest) => {
    const waits = [];
    for (let i = 0; i < steps; i++) {
      await pause(rest);
      drawn.length = 0;
      const event = performance.now();
      move(i % 2 ? 0.31 + i * 0.01 : 0.62 - i * 0.01);
      while (drawn.length === 0 && performance.now() - event < 5000) await pause(0);
      if (drawn.length === 0) throw new Error("nothing was drawn within 5 s");
      waits.push(drawn[0] - event);
    }
    waits.sort((a, b) => a - b);
    return `${waits[waits.length >> 1].toFixed(0)} ms (median), ${waits.at(-1).toFixed(0)} ms (worst)`;
  };
  return { size: `${target.width} × ${target.height}`, events: events / seconds, pictures: pictures / seconds, soon: await after(100), rested: await after(500) };
};

const CASES = [
  ["a kernel's weight, 512² micrograph", "ks-convolution", "#convolution?convolution.picture=titanium", "row 2, column 2", ".role-output canvas", "www/images/lath_ti64_bse.png"],
  ["the specimen's contrast, U-Net at 256²", "ks-unet", "#unet?unet.picture=grains", "contrast", ".side canvas"],
];

const browser = await launch("chromium", SIZES.desktop);
try {
  console.log(`load ${loadavg()[0].toFixed(1)}`);
  for (const [what, tag, hash, label, canvas, own] of CASES) {
    await browser.open(`${fromFile("index.html")}${hash}`);
    await browser.run((tag) => document.querySelector(tag).scrollIntoView({ block: "center", behavior: "instant" }), tag);
    await browser.until("the figure", (tag) => document.querySelector(tag).dataset.state === "ready", tag);
    if (own) await (await browser.run((tag) => document.querySelector(tag).shadowRoot.querySelector("input[type=file]"), tag)).sendKeys(join(ROOT, own));
    await new Promise((later) => setTimeout(later, 1500));
    const told = await browser.run(drag, tag, label, canvas, 3000, 16);
    if (told.missing) throw new Error(`${what}: there is no “${label}”; there are ${told.missing.join(", ")}`);
    const { events, pictures, soon, rested, size } = told;
    console.log(`${what}: ${events.toFixed(0)} events a second, ${pictures.toFixed(0)} pictures of ${size} a second; from one event to its picture ${soon}; after a rest ${rested}`);
  }
} finally {
  await browser.close();
}
