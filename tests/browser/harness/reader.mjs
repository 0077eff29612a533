// A section as a reader meets it: by roles, accessible names and visible text alone, never by class or structure.
import { Key } from "selenium-webdriver";
import { intoView } from "./figure.mjs";
import { fromFile } from "./site.mjs";

/** Which elements can have a role, before the browser is asked for their names. */
const CANDIDATES = {
  button: "button, [role=button], summary",
  link: "a[href], [role=link]",
  combobox: "select, [role=combobox]",
  textbox: "input:not([type]), input[type=text], input[type=number], textarea, [role=textbox], [role=spinbutton]",
  slider: "input[type=range], [role=slider]",
  checkbox: "input[type=checkbox], [role=checkbox], [role=switch]",
  radio: "input[type=radio], [role=radio]",
  tab: "[role=tab]",
  img: "img, canvas, svg[role=img], [role=img]",
  gridcell: "td, [role=gridcell], [role=cell]",
  row: "tr, [role=row]",
  region: "section, figure, [role=region], [role=group]",
};

/** All visible elements of a section that match, also inside open shadow roots. */
const FIND = (id, css) => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((element) => [element, ...(element.shadowRoot ? all(element.shadowRoot) : [])]);
  return all(document.getElementById(id)).filter((element) => element.matches(css) && element.checkVisibility({ visibilityProperty: true }));
};

/** What stands there to be seen; what is only there for screen readers is left out. */
const TEXT = (id) => {
  const words = [];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return void words.push(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches("style, script, option:not(:checked)")) return;
    if (!node.checkVisibility({ visibilityProperty: true }) && getComputedStyle(node).display !== "contents") return;
    const style = getComputedStyle(node);
    if (style.clipPath === "inset(50%)") return;
    if (node.matches("input, textarea")) return void words.push(` ${node.value} `);
    const inner = node.shadowRoot ? node.shadowRoot.childNodes : node.localName === "slot" ? node.assignedNodes() : node.childNodes;
    if (style.display !== "inline") words.push(" ");
    for (const child of inner) walk(child);
    if (style.display !== "inline") words.push(" ");
  };
  walk(document.getElementById(id));
  return words.join("").replace(/\s+/g, " ").trim();
};

const matches = (pattern, text) => (pattern instanceof RegExp ? pattern.test(text) : text.trim() === pattern);

class Reader {
  constructor(browser, id) {
    Object.assign(this, { browser, id });
  }

  /** All elements of a role whose accessible name is the words, or matches them. */
  async all(role, name) {
    const css = CANDIDATES[role];
    if (!css) throw new Error(`no rule for the role ${role}; there are ${Object.keys(CANDIDATES).join(", ")}`);
    const found = await this.browser.run(FIND, this.id, css);
    const names = await Promise.all(found.map((element) => element.getAccessibleName().catch(() => "")));
    return { named: found.filter((_, i) => matches(name, names[i])), names };
  }

  /** Waits for an element of a role and a name, and gives the first. */
  async see(role, name) {
    const end = Date.now() + 15_000;
    for (;;) {
      const { named, names } = await this.all(role, name);
      if (named.length > 0) return named[0];
      if (Date.now() > end) throw new Error(`no ${role} called ${name} in #${this.id}; there are ${names.filter(Boolean).join(" | ").slice(0, 1500)}`);
      await new Promise((later) => setTimeout(later, 100));
    }
  }

  async press(name, role = "button") {
    const element = await this.see(role, name);
    await this.browser.run((element) => element.scrollIntoView({ block: "center", behavior: "instant" }), element);
    await element.click();
  }

  /** Chooses an option of a list by its words. */
  async choose(label, option) {
    const list = await this.see("combobox", label);
    for (const item of await list.findElements({ css: "option" })) {
      if (matches(option, await item.getText())) return item.click();
    }
    throw new Error(`the list ${label} has no option ${option}`);
  }

  /** Types in place of what stands in a field, and confirms. */
  async type(label, text) {
    const field = await this.see("textbox", label);
    await this.browser.run((field) => (field.scrollIntoView({ block: "center", behavior: "instant" }), field.focus()), field);
    await this.browser.driver.actions().keyDown(Key.CONTROL).sendKeys("a").keyUp(Key.CONTROL).sendKeys(String(text), Key.ENTER).perform();
  }

  /** Moves a slider with the arrow keys until it says the value. */
  async slide(label, value) {
    const slider = await this.see("slider", label);
    await this.browser.run((slider) => (slider.scrollIntoView({ block: "center", behavior: "instant" }), slider.focus()), slider);
    const now = async () => Number((await slider.getAttribute("aria-valuenow")) ?? (await slider.getProperty("value")));
    for (let steps = 0; steps < 2000; steps++) {
      const is = await now();
      if (Math.abs(is - value) < 1e-9) return;
      const key = is < value ? Key.ARROW_RIGHT : Key.ARROW_LEFT;
      await this.browser.driver.actions().sendKeys(key).perform();
      if (Math.sign(value - (await now())) !== Math.sign(value - is) && Math.abs((await now()) - value) > 1e-9) throw new Error(`the slider ${label} steps over ${value}`);
    }
    throw new Error(`the slider ${label} did not come to ${value}`);
  }

  /** The keys go to what has the focus. */
  keys(...keys) {
    return this.browser.driver.actions().sendKeys(...keys).perform();
  }

  text() {
    return this.browser.run(TEXT, this.id);
  }

  /** Waits until the section's visible text matches, and gives the match. */
  async reads(pattern) {
    const end = Date.now() + 15_000;
    for (;;) {
      const text = await this.text();
      const match = pattern.exec(text);
      if (match) return match;
      if (Date.now() > end) throw new Error(`#${this.id} never read ${pattern}; it reads: ${text.slice(0, 3000)}`);
      await new Promise((later) => setTimeout(later, 100));
    }
  }
}

/** Opens the page (or goes on in the one that is open: `page: null`) at a section, and waits for its figures. */
export async function reader(browser, id, { page = fromFile("index.html") } = {}) {
  if (page) await browser.open(`${page}#${id}`);
  const figure = `#${id} [data-key]`;
  if (await browser.run((css) => Boolean(document.querySelector(css)), figure)) await intoView(browser, figure);
  return new Reader(browser, id);
}
