// The specimen figure: its numbers against physics and geometry, and its picture on its way to the other figures.
import assert from "node:assert/strict";
import { test } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Key } from "selenium-webdriver";
import { FigureOnPage } from "./harness/figure.mjs";
import { fromFile, sabotagedRoot } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const PAGE = fromFile("index.html");

const OWN = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  const canvas = root.querySelector(".picture.role-input canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let [sum, squares, hash] = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) {
    sum += data[i];
    squares += data[i] ** 2;
    hash = (hash * 31 + data[i]) | 0;
  }
  const pixels = data.length / 4;
  const tint = root.querySelector(".tint");
  let marked = 0;
  if (!tint.hidden && tint.width) {
    const marks = tint.getContext("2d").getImageData(0, 0, tint.width, tint.height).data;
    for (let i = 3; i < marks.length; i += 4) marked += marks[i] > 0;
    marked /= marks.length / 4;
  }
  const bar = root.querySelector(".bar");
  return {
    size: [canvas.height, canvas.width],
    note: root.querySelector(".picture .note").textContent,
    mean: sum / pixels / 255,
    deviation: Math.sqrt(squares / pixels - (sum / pixels) ** 2) / 255,
    hash,
    marked,
    bar: bar.hidden ? "" : bar.querySelector("span").textContent,
    barWidth: parseFloat(bar.querySelector("i").style.width),
    bars: [...root.querySelectorAll(".histogram rect")].map((rect) => Number(rect.getAttribute("height"))),
    about: root.querySelector(".about").textContent,
    spectrum: root.querySelector(".role-output canvas").getAttribute("aria-label"),
    seed: root.querySelector(".seed").textContent,
    knobs: [...root.querySelectorAll(".knob")].map((knob) => knob.querySelector("span").textContent),
  };
};

const open = async (browser, state = {}, page = PAGE) => {
  const figure = new FigureOnPage(browser, "specimen", OWN);
  const parts = Object.entries(state).map(([name, value]) => `specimen.${name}=${value}`).join("&");
  await figure.open(page, `#specimens${parts ? `?${parts}` : ""}`);
  return figure;
};

/** Moves a dial to a value with the keyboard. */
async function dial(figure, label, steps) {
  await figure.browser.run((selector, label) => document.querySelector(selector).shadowRoot.querySelector(`input[aria-label="${label}"]`).focus(), figure.selector, label);
  await figure.keys(...Array(Math.abs(steps)).fill(steps > 0 ? Key.ARROW_RIGHT : Key.ARROW_LEFT));
}

inBrowsers((browser) => {
  test("the fringes' spacing is read off the power spectrum", async () => {
    for (const spacing of [0.235, 0.2]) {
      const figure = await open(browser(), { knobs: `spacing:${spacing},orientations:1,visibility:1,film:0.2,diameter:6` });
      await figure.focus(".role-output .surface");
      const { about } = await figure.until("what the brightest spot stands for", ({ about }) => about.startsWith("Power spectrum at"));
      const found = Number(/every (\S+) nm/.exec(about)[1]);
      // One step in a spectrum of 256 pixels at 0.05 nm is 1.8 % of this frequency.
      assert.ok(Math.abs(found / spacing - 1) < 0.02, `${found} nm for ${spacing} nm`);
      await figure.watchKeys();
      await figure.keys(Key.ARROW_RIGHT);
      await figure.until("the place beside it", (shown) => shown.about !== about);
      await figure.keys(Key.HOME);
      await figure.until("the brightest again", (shown) => shown.about === about);
      assert.deepEqual(await figure.keysThatLeft(), []);
    }
    const figure = new FigureOnPage(browser(), "specimen", OWN);
    await figure.pressWords("× 2");
    await figure.until("the middle half", ({ spectrum }) => spectrum.includes("128 by 128, its middle half"));
  });

  test("the scale bar is as long as it says", async () => {
    for (const [specimen, knobs, pixel, width] of [["grains", "pixelSize:630", 630, 256], ["nanoparticles", "pixelSize:0.1", 0.1, 256], ["columns", "size:128", 0.02, 128]]) {
      const figure = await open(browser(), { specimen, knobs });
      const { bar, barWidth, note } = await figure.until("the bar", ({ bar }) => bar !== "");
      const [, length, unit] = /^([\d.]+) (pm|nm|µm|mm)$/.exec(bar);
      const nm = Number(length) * { pm: 1e-3, nm: 1, "µm": 1e3, mm: 1e6 }[unit];
      assert.ok(Math.abs((barWidth / 100) * width * pixel - nm) < 0.01 * nm, `${bar} is ${barWidth} % of ${width} pixels of ${pixel} nm`);
      assert.ok(note.includes(`${width} × ${width}`), note);
    }
  });

  test("a dose makes Poisson's noise, and the histogram widens with it", async () => {
    // Two phases without noise or blur have two greys; with N electrons at full scale a grey g varies by √(g/N).
    const deviation = async (microscope) => {
      const figure = await open(browser(), { specimen: "two-grains", knobs: "contrast:0,noise:0,blur:0,size:256", ...(microscope && { microscope }) });
      const shown = await figure.read();
      return { ...shown, filled: shown.bars.filter((height) => height > 0.5).length };
    };
    const plain = await deviation("");
    assert.ok(plain.deviation < 0.003 && Math.abs(plain.mean - 0.5) < 0.01, "one grey");
    const noisy = await deviation("dose:100");
    assert.ok(Math.abs(noisy.mean - 0.5) < 0.01);
    assert.ok(Math.abs(noisy.deviation / Math.sqrt(0.5 / 100) - 1) < 0.05, `${noisy.deviation} for ${Math.sqrt(0.005)}`);
    assert.ok(plain.filled <= 2 && noisy.filled > 15, `${plain.filled} and ${noisy.filled} bins`);
  });

  test("labels cover what they should", async () => {
    const figure = await open(browser(), { specimen: "two-phase", knobs: "fraction:0.3" });
    assert.equal((await figure.read()).marked, 0);
    const names = await browser().run(() => [...document.querySelector("ks-specimen").shadowRoot.querySelectorAll("label")].find((label) => label.firstElementChild.textContent === "labels").querySelector("select").options.length);
    assert.ok(names >= 2, "a list of labels");
    const field = await figure.field("labels");
    await browser().run((list) => { list.selectedIndex = 1; list.dispatchEvent(new Event("change")); }, field);
    const { marked } = await figure.until("the label", ({ marked }) => marked > 0);
    assert.ok(Math.abs(marked - 0.3) < 0.04 || Math.abs(marked - 1) < 1e-9, `${marked}: the phase asked for, or a colour for each phase`);
  });

  test("seed, dials and reset; the address carries all of it", async () => {
    const figure = await open(browser(), { specimen: "fibres" });
    const first = await figure.read();
    await figure.press("Another one: the next seed");
    const second = await figure.until("another one", ({ seed, hash }) => seed === "2" && hash !== first.hash);
    await dial(figure, "Blur (pixels)", 20);
    await figure.until("the blur", ({ hash }) => hash !== second.hash);
    // Twenty steps of 0.1 beyond where the dial stood.
    const hash = await figure.address(/specimen\.specimen=fibres&specimen\.knobs=blur%3A2\.7.*seed=2|specimen\.knobs=blur:2\.7/);
    let here = await figure.read();
    for (let last; last !== here.hash; here = await figure.read()) {
      last = here.hash;
      await new Promise((later) => setTimeout(later, 300));
    }
    const fresh = new FigureOnPage(browser(), "specimen", OWN);
    await fresh.open(PAGE, hash);
    await fresh.until("the same picture", (shown) => shown.hash === here.hash && shown.seed === "2");
    await fresh.press("Reset the figure");
    await fresh.until("the first seed", ({ seed, knobs }) => seed === "1" && knobs.includes("Fringe spacing (nm)"));
  });

  test("“your micrograph” goes to the other figures and follows the dials", async () => {
    const figure = await open(browser(), { specimen: "porous" });
    await figure.pressWords("use on this page");
    await figure.browser.run(() => (location.hash = "#convolution?convolution.picture=yours"));
    const about = await browser().until("your micrograph in the convolution", () => {
      const words = document.querySelector("ks-convolution")?.shadowRoot?.querySelector(".picture .note")?.textContent ?? "";
      return words.includes("256 × 256") && words;
    });
    assert.match(about, /Porous/i);
  });

  test("a real micrograph passes through the same microscope, with its mask", async () => {
    const figure = await open(browser(), { specimen: "real-titanium" });
    const plain = await figure.until("the micrograph", ({ size, bar }) => size.join() === "425,710" && bar !== "");
    await dial(figure, "Blur (pixels)", 30);
    await figure.until("blurred: fewer contrasts", ({ deviation }) => deviation < plain.deviation - 0.004);
    await figure.choose("labels", "boundaries");
    const { marked } = await figure.until("its boundaries", ({ marked }) => marked > 0);
    // The mask's own share of boundary pixels, counted in the file.
    assert.ok(marked > 0.04 && marked < 0.09, String(marked));
  });

  test("an impossible link is named, keeps the figure alive and can be mended", async () => {
    const figure = await open(browser(), { specimen: "grains", knobs: "grains:100000" });
    const { alert, hash } = await figure.read();
    assert.match(alert, /grains.*100000|100000/);
    await figure.press("Another one: the next seed");
    await figure.until("still refused", ({ alert }) => alert !== "");
    await figure.press("Reset the figure");
    await figure.until("mended", (shown) => shown.alert === "" && shown.hash !== undefined);
    assert.ok(Number.isFinite(hash));
  });

  test("a build that lies turns these numbers red", async () => {
    const figure = await open(browser(), { specimen: "two-grains", knobs: "contrast:0,noise:0,blur:0,size:256" }, pathToFileURL(join(sabotagedRoot(), "index.html")).href);
    const { mean } = await figure.read();
    assert.ok(Math.abs(mean - 0.5) > 0.01, `a lying specimen has another grey than 0.5: ${mean}`);
  });
});
