// How often figures answer while something is dragged: node tests/browser/measure-interaction.mjs
// A measurement, not a test: times depend on the machine. An input event comes with every frame, as from a hand that moves.
import { loadavg } from "node:os";
import { join } from "node:path";
import { launch, SIZES } from "./harness/browsers.mjs";
import { fromFile, ROOT } from "./harness/site.mjs";

/** Moves a slider to and fro, a step a frame, and counts how often the canvas is drawn. */
const drag = (selector, label, canvas, ms, done) => {
  const root = document.querySelector(selector).shadowRoot;
  const sliders = [...root.querySelectorAll("input")];
  const named = (input) => `${input.getAttribute("aria-label") ?? ""} ${input.closest("label")?.textContent ?? ""}`;
  const input = sliders.find((input) => named(input).includes(label));
  if (!input) return done({ missing: sliders.map(named) });
  const target = root.querySelector(canvas);
  const context = target.getContext("2d");
  const drawn = [];
  let pending = 0;
  for (const name of ["putImageData", "drawImage", "fillRect"]) {
    const own = context[name].bind(context);
    context[name] = (...rest) => (drawn.push(performance.now()), own(...rest));
  }
  const [low, high] = [Number(input.min || -2), Number(input.max || 2)];
  const events = [];
  const start = performance.now();
  const step = (now) => {
    const share = Math.abs(((now - start) / 500) % 2 - 1);
    input.value = String(Math.round((low + (high - low) * (0.2 + 0.6 * share)) * 1000) / 1000);
    events.push(performance.now());
    for (const type of ["input", "change"]) input.dispatchEvent(new Event(type, { bubbles: true }));
    if (now - start < ms) return requestAnimationFrame(step);
    setTimeout(() => {
      // Drawings less than 4 ms apart belong to one picture.
      const pictures = drawn.filter((time, i) => i === 0 || time - drawn[i - 1] > 4);
      const waits = pictures.map((time) => time - Math.max(...events.filter((event) => event <= time))).sort((a, b) => a - b);
      const seconds = (events.at(-1) - start) / 1000;
      done({ size: `${target.width} × ${target.height}`, events: events.length / seconds, pictures: pictures.filter((time) => time <= events.at(-1)).length / seconds, wait: waits[waits.length >> 1] });
    }, 500);
  };
  requestAnimationFrame(step);
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
    const told = await browser.driver.executeAsyncScript(drag, tag, label, canvas, 3000);
    if (told.missing) throw new Error(`${what}: there is no “${label}”; there are ${told.missing.join(", ")}`);
    const { events, pictures, wait, size } = told;
    console.log(`${what}: ${events.toFixed(0)} events a second, ${pictures.toFixed(0)} pictures of ${size} a second, drawn ${wait.toFixed(0)} ms after the last event (median)`);
  }
} finally {
  await browser.close();
}
