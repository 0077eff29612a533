// Figures that stand in a section of another name, with a question that locks a part of them.
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { FigureOnPage } from "./figure.mjs";
import { fromFile, sabotagedRoot } from "./site.mjs";

export const PAGE = fromFile("index.html");
export const lying = () => pathToFileURL(join(sabotagedRoot(), "index.html")).href;

/** A whole number or a decimal as a figure writes it: thin spaces, a real minus. */
export const numberOf = (text) => Number((/[−+]?\d[\d\u202f]*(?:\.\d+)?/.exec(text ?? "") ?? ["NaN"])[0].replaceAll("\u202f", "").replace("−", "-"));

/** Opens the figure at a state and has its question answered: what it locks is open. */
export async function lesson(browser, name, section, own, state = {}, page = PAGE, tag = name) {
  const figure = new FigureOnPage(browser, name, own, tag);
  const at = (state) => {
    const parts = Object.entries(state).map(([key, value]) => `${name}.${key}=${value}`).join("&");
    return `#${section}${parts ? `?${parts}` : ""}`;
  };
  await figure.open(page, at(state));
  const skip = await browser.run((css) => {
    const button = document.querySelector(css).shadowRoot.querySelector(".question .skip");
    return button && !button.hidden;
  }, figure.selector);
  if (skip) {
    await figure.pressWords("Skip, and tell me");
    await figure.browser.until("the answer", (css) => /\w/.test(document.querySelector(css).shadowRoot.querySelector(".question .told")?.textContent ?? ""), figure.selector);
    await figure.browser.run((hash) => (location.hash = hash), "#elsewhere");
    await figure.browser.run((hash) => (location.hash = hash), Object.keys(state).length ? at(state) : `${at({})}?${name}.none=1`);
    if (!Object.keys(state).length) await figure.press("Reset the figure");
  }
  return figure;
}

/** Moves a slider of the figure to a value, as a drag does. */
export const slide = (figure, label, value) => figure.browser.run((css, label, value) => {
  const slider = [...document.querySelector(css).shadowRoot.querySelectorAll("input[type=range]")].find((input) => input.getAttribute("aria-label") === label);
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}, figure.selector, label, value);
