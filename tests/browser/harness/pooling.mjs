// `<ks-pooling>`: what stands in it.
import { FigureOnPage } from "./figure.mjs";

const READ = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  const text = (css) => root.querySelector(css)?.textContent ?? "";
  const label = (cell) => cell.getAttribute("aria-label") ?? cell.getAttribute("aria-description");
  const each = (give) => ({ max: give("max"), average: give("average"), convolution: give("convolution") });
  const number = (words) => Number(words.replace("−", "-"));
  return {
    values: [...root.querySelectorAll(".numbers.values input")].map(({ value }) => value),
    weights: [...root.querySelectorAll(".numbers.kernel input")].map(({ value }) => value),
    results: each((way) => [...root.querySelectorAll(`.way.${way} .grid.results .cell`)].map((cell) => number(label(cell).split(": ")[1].split(",")[0]))),
    was: each((way) => [...root.querySelectorAll(`.way.${way} .grid.results .cell`)].map((cell) => / was (\S+)$/.exec(label(cell))?.[1] ?? "")),
    answers: each((way) => root.querySelectorAll(`.way.${way} .grid.results .answer`).length > 0),
    terms: each((way) => [...root.querySelectorAll(`.way.${way} .grid.terms .cell`)].map(label)),
    sentences: each((way) => text(`.way.${way} .sentence`)),
    window: [...root.querySelectorAll(".numbers.values input")].flatMap((cell, i) => (cell.classList.contains("tap") ? [i] : [])),
    lit: [...root.querySelectorAll(".numbers.values input")].flatMap((cell, i) => (cell.classList.contains("lit") ? [i] : [])),
    line: text(".moved"),
    formula: text(".formula"),
    maps: each((way) => ({ size: text(`.map.${way} .note`), sentence: text(`.map.${way} .sentence`), changed: text(`.map.${way} .count`) })),
    whole: text(".whole .note"),
    question: [...root.querySelectorAll(".question .answer :is(dd, p)")].map(({ textContent }) => textContent).join(" · "),
    right: text(".question .right"),
  };
};

export class PoolingFigure extends FigureOnPage {
  constructor(browser) {
    super(browser, "pooling", READ);
  }

  static async open(browser, page, state) {
    const figure = new PoolingFigure(browser);
    await figure.open(page, state);
    await figure.until("its first results", ({ results, sentences }) => results.max.length > 0 && sentences.max !== "");
    return figure;
  }

  /** Focuses the value in a row and a column. */
  at(row, column) {
    return this.focus(`.numbers.values input[aria-label="value, row ${row}, column ${column}"]`);
  }

  /** The three maps at places, as colours and what they mean. */
  async coloursOf(css, places) {
    return this.browser.run((selector, css, places) => {
      const canvas = document.querySelector(selector).shadowRoot.querySelector(css);
      const context = canvas.getContext("2d");
      return { scale: JSON.parse(canvas.dataset.scale), colours: places.map(([y, x]) => [...context.getImageData(x, y, 1, 1).data]) };
    }, this.selector, css, places);
  }
}
