// A figure as a reader meets it: what all of them have in common; what stands in one is read by its own `read`.
import { By, Key, Origin } from "selenium-webdriver";

/** What every figure tells: its state, its message, its words for those who do not see it. */
const COMMON = (selector) => {
  const host = document.querySelector(selector);
  const root = host.shadowRoot;
  const alert = root.querySelector("[role=alert]");
  return {
    state: host.dataset.state,
    alert: alert && !alert.hidden ? alert.textContent : "",
    invalid: [...root.querySelectorAll("[aria-invalid]")].map((input) => input.value),
    place: root.querySelector(".place")?.textContent ?? "",
    hint: root.querySelector(".hint")?.textContent ?? "",
    spoken: root.querySelector("p.hidden[role=status]").textContent,
    playing: Boolean(root.querySelector("[aria-label=Pause]")),
  };
};

/** Scrolls an element to the top until it is ready: figures above it that start meanwhile push it down again. */
export function intoView(browser, selector) {
  return browser.until("the figure to be ready", (css) => {
    const element = document.querySelector(css);
    if (element?.dataset.state === "ready") return true;
    const { top } = element?.getBoundingClientRect() ?? { top: 0 };
    if (top < -1 || top > innerHeight / 2) element.scrollIntoView({ block: "start", behavior: "instant" });
    return false;
  }, selector);
}

export class FigureOnPage {
  /** `own` runs in the page with the selector and gives what only this figure has to tell. */
  constructor(browser, name, own) {
    Object.assign(this, { browser, selector: `ks-${name}`, key: name, own });
  }

  /** Opens the page at a state, { stack: "c3-c3", at: "1,2" }, or at a hash, and waits for the figure. */
  async open(page, state = {}) {
    await this.browser.open(`${page}${typeof state === "string" ? state : this.hash(state)}`);
    await intoView(this.browser, this.selector);
    // It speaks when it has come to rest.
    return this.until("its words", ({ spoken }) => spoken !== "");
  }

  hash(state) {
    const parts = Object.entries(state).map(([name, value]) => `${this.key}.${name}=${value}`);
    return parts.length ? `#${this.key}?${parts.join("&")}` : "";
  }

  async read() {
    return { ...(await this.browser.run(COMMON, this.selector)), ...(await this.browser.run(this.own, this.selector)) };
  }

  async until(what, condition) {
    const end = Date.now() + 15_000;
    for (;;) {
      const shown = await this.read();
      if (condition(shown)) return shown;
      if (Date.now() > end) throw new Error(`waited 15 s in vain for ${what}; the figure shows ${JSON.stringify(shown).slice(0, 1500)}`);
      await new Promise((later) => setTimeout(later, 40));
    }
  }

  async element(css) {
    const host = await this.browser.driver.findElement(By.css(this.selector));
    return (await host.getShadowRoot()).findElement(By.css(css));
  }

  async press(css) {
    await (await this.element(css.startsWith(".") ? css : `button[aria-label="${css}"]`)).click();
  }

  /** A button by what stands on it. */
  async pressWords(words) {
    const button = await this.browser.run((css, words) => [...document.querySelector(css).shadowRoot.querySelectorAll("button")].find(({ textContent }) => textContent === words), this.selector, words);
    if (!button) throw new Error(`there is no button “${words}”`);
    await button.click();
  }

  /** A field or list by its visible label. */
  async field(label) {
    const found = await this.browser.run((css, label) => {
      const labels = [...document.querySelector(css).shadowRoot.querySelectorAll("label")];
      return labels.find(({ firstElementChild }) => firstElementChild.textContent === label)?.querySelector("input, select");
    }, this.selector, label);
    if (!found) throw new Error(`there is no field “${label}”`);
    return found;
  }

  async choose(label, value) {
    await (await this.field(label)).findElement(By.css(`option[value="${value}"]`)).click();
  }

  /** Types in place of what is there, and confirms. */
  async type(field, text) {
    await this.browser.run((input) => input.focus(), field);
    await this.browser.driver.actions().keyDown(Key.CONTROL).sendKeys("a").keyUp(Key.CONTROL).sendKeys(text, Key.ENTER).perform();
  }

  focus(css) {
    return this.browser.run((selector, css) => document.querySelector(selector).shadowRoot.querySelector(css).focus(), this.selector, css);
  }

  keys(...keys) {
    return this.browser.driver.actions().sendKeys(...keys).perform();
  }

  shift(key) {
    return this.browser.driver.actions().keyDown(Key.SHIFT).sendKeys(key).keyUp(Key.SHIFT).perform();
  }

  /** The pointer goes over a pixel of a canvas; `press` also clicks there. */
  async point(css, [y, x], { press = false } = {}) {
    const at = await this.browser.run((selector, css, y, x) => {
      const canvas = document.querySelector(selector).shadowRoot.querySelector(css);
      canvas.scrollIntoView({ block: "center", behavior: "instant" });
      const box = canvas.getBoundingClientRect();
      return { x: Math.round(box.left + ((x + 0.5) * box.width) / canvas.width), y: Math.round(box.top + ((y + 0.5) * box.height) / canvas.height) };
    }, this.selector, css, y, x);
    const actions = this.browser.driver.actions().move({ ...at, origin: Origin.VIEWPORT, duration: 0 });
    await (press ? actions.press().release() : actions).perform();
  }

  /** Counts the keys that leave the figure: in a slide they would turn the page. */
  watchKeys() {
    return this.browser.run(() => {
      window.__left = [];
      document.addEventListener("keydown", ({ key }) => window.__left.push(key));
    });
  }

  keysThatLeft() {
    return this.browser.run("return window.__left");
  }

  /** Waits until the address says what is asked, and gives its hash. */
  address(pattern) {
    return this.browser.until(`the address to say ${pattern}`, (source) => new RegExp(source).test(location.hash) && location.hash, pattern.source);
  }
}
