// `<ks-convolution>` as a reader meets it: what stands there, what can be pressed and typed.
import assert from "node:assert/strict";
import { By, Key } from "selenium-webdriver";
import { valuesOf } from "./colours.mjs";
import { intoView } from "./figure.mjs";

/** What the figure shows now, read off its elements. */
const READ = (selector) => {
  const host = document.querySelector(selector);
  const root = host.shadowRoot;
  const text = (css) => root.querySelector(css)?.textContent ?? "";
  const cells = (name) => [...root.querySelectorAll(`.grid.${name} .cell`)].map((cell) => ({ label: cell.getAttribute("aria-label") ?? cell.getAttribute("aria-description"), classes: cell.className }));
  const alert = root.querySelector("[role=alert]");
  return {
    state: host.dataset.state,
    at: (/\((\d+), (\d+)\)$/.exec(text(".part[style*=pixel] .note")) ?? []).slice(1).map(Number),
    sum: text(".sum"),
    size: [...root.querySelectorAll(".facts b.out")].map((out) => Number(out.textContent)),
    facts: text(".facts"),
    products: cells("products"),
    window: cells("window"),
    pixels: cells("pixels"),
    weights: [...root.querySelectorAll(".kernel input")].map((input) => input.value),
    invalid: [...root.querySelectorAll("[aria-invalid]")].map((input) => input.value),
    bias: root.querySelector("[aria-label=Bias]")?.value,
    alert: alert && !alert.hidden ? alert.textContent : "",
    place: text(".place"),
    spoken: text("[role=status]"),
    playing: Boolean(root.querySelector("[aria-label=Pause]")),
  };
};

/** "= −0.78" → -0.78; NaN where there is no number. */
export const numberIn = (text) => Number((/[−-]?\d*\.?\d+(?:e[+-]?\d+)?/.exec(text) ?? ["NaN"])[0].replace("−", "-"));

/** "weight −1 times pixel 0.26 is −0.26" → its three numbers. */
const PRODUCT = /weight (\S+) times (?:pixel|padding) (\S+) is (\S+)/;
export const productIn = (label) => PRODUCT.exec(label).slice(1).map(numberIn);

export class ConvolutionFigure {
  constructor(browser, selector = "ks-convolution") {
    this.browser = browser;
    this.selector = selector;
  }

  /** Opens the page at a state of the figure and waits until it stands there. */
  static async open(browser, page, state = {}, selector = "ks-convolution") {
    const figure = new ConvolutionFigure(browser, selector);
    await browser.open(`${page}${hashOf(state)}`);
    await intoView(browser, selector);
    await figure.until("its first numbers", ({ sum }) => sum !== "");
    return figure;
  }

  view() {
    return this.browser.run((selector) => document.querySelector(selector).scrollIntoView({ block: "start", behavior: "instant" }), this.selector);
  }

  read() {
    return this.browser.run(READ, this.selector);
  }

  /** Waits until what the figure shows fulfils a condition, and gives it back. */
  async until(what, condition) {
    const end = Date.now() + 15_000;
    for (;;) {
      const shown = await this.read();
      if (condition(shown)) return shown;
      if (Date.now() > end) throw new Error(`waited 15 s in vain for ${what}; the figure shows ${JSON.stringify({ ...shown, window: undefined, pixels: undefined })}`);
      await new Promise((later) => setTimeout(later, 25));
    }
  }

  /** Follows a link to a state, as those in the text, and waits until the figure tells that place. */
  async go(state) {
    const hash = hashOf(state);
    const [m, n] = state.at;
    const there = ({ at }) => at[0] === m && at[1] === n;
    // Coming from the same place, there would be nothing to wait for.
    if (there(await this.read())) await this.go({ ...state, at: [m === 0 ? 1 : 0, n === 0 ? 1 : 0] });
    await this.browser.run((hash) => { location.hash = hash; }, hash);
    return this.until(`place ${state.at} of ${hash}`, there);
  }

  async element(css) {
    const host = await this.browser.driver.findElement(By.css(this.selector));
    return (await host.getShadowRoot()).findElement(By.css(css));
  }

  async press(label) {
    const button = await this.element(`button[aria-label="${label}"]`);
    await button.click();
  }

  /** A text field by its visible label. */
  async field(label) {
    const element = await this.browser.run((selector, label) => {
      const labels = [...document.querySelector(selector).shadowRoot.querySelectorAll("label")];
      return labels.find(({ firstElementChild }) => firstElementChild.textContent === label)?.querySelector("input, select");
    }, this.selector, label);
    assert.ok(element, `there is a field "${label}"`);
    return element;
  }

  async choose(label, value) {
    const list = await this.field(label);
    await list.findElement(By.css(`option[value="${value}"]`)).click();
  }

  /** Types into a field in place of what is there, and confirms. */
  async type(field, text) {
    await field.click();
    const actions = this.browser.driver.actions();
    await actions.keyDown(Key.CONTROL).sendKeys("a").keyUp(Key.CONTROL).sendKeys(text, Key.ENTER).perform();
  }

  weight(index) {
    return this.element(`.kernel input:nth-child(${index + 1})`);
  }

  async openPicture(path) {
    await (await this.element("input[type=file]")).sendKeys(path);
  }

  /** The values that some pixels of a picture may stand for, by their colours. `role` is "input" or "output". */
  async valuesAt(role, places) {
    const { scale, colours } = await this.browser.run((selector, role, places) => {
      const canvas = document.querySelector(selector).shadowRoot.querySelector(`.role-${role} canvas`);
      const context = canvas.getContext("2d");
      return { scale: canvas.dataset.scale, colours: places.map(([y, x]) => [...context.getImageData(x, y, 1, 1).data]) };
    }, this.selector, role, places);
    return colours.map((colour) => valuesOf(colour, JSON.parse(scale)));
  }

  /** A fingerprint of a picture's pixels. */
  pixelsOf(role) {
    return this.browser.run((selector, role) => {
      const canvas = document.querySelector(selector).shadowRoot.querySelector(`.role-${role} canvas`);
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let hash = 2166136261;
      for (const byte of data) hash = Math.imul(hash ^ byte, 16777619);
      return `${canvas.width}×${canvas.height}:${hash >>> 0}`;
    }, this.selector, role);
  }

  /** Where a pixel of a picture lies in the viewport. */
  pointOf(role, [y, x]) {
    return this.browser.run((selector, role, y, x) => {
      const canvas = document.querySelector(selector).shadowRoot.querySelector(`.role-${role} canvas`);
      const box = canvas.getBoundingClientRect();
      return { x: Math.round(box.left + ((x + 0.5) * box.width) / canvas.width), y: Math.round(box.top + ((y + 0.5) * box.height) / canvas.height), pixel: box.width / canvas.width };
    }, this.selector, role, y, x);
  }
}

/** { picture: "own", at: [3, 4] } → "#convolution?convolution.picture=own&convolution.at=3.4". */
export function hashOf(state, key = "convolution") {
  const parts = Object.entries(state).map(([name, value]) => {
    const text = name === "at" ? value.join(".") : Array.isArray(value) ? value.join(",") : String(value);
    return `${key}.${name}=${text}`;
  });
  return parts.length ? `#${key}?${parts.join("&")}` : "";
}

/** Numbers on the page have two decimals. */
export function sameShown(shown, value, what) {
  assert.ok(Math.abs(shown - value) <= 0.005 + 1e-6, `${what}: the page shows ${shown}, PyTorch has ${value}`);
}
