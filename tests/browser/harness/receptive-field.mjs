// `<ks-receptive-field>`: what stands in it.
import { FigureOnPage } from "./figure.mjs";

const READ = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  const text = (css) => root.querySelector(css)?.textContent ?? "";
  const row = (line) => Object.fromEntries(["map", "size", "jump", "start"].map((role) => {
    const cell = line.querySelector(`td[data-role=${role}]`);
    return [role, cell.querySelector("b")?.textContent ?? cell.textContent];
  }));
  return {
    origin: row(root.querySelector(".builder .origin tr")),
    rows: [...root.querySelectorAll(".builder tbody:not(.origin) tr")].map((line) => ({
      layers: line.querySelector(".nr").textContent,
      kind: line.querySelector("select").value,
      ...row(line),
      nm: line.querySelector("td[data-role=size] small")?.textContent ?? "",
      now: line.classList.contains("now"),
    })),
    fact: text(".fact"),
    verdict: text(".verdict"),
    weights: text(".role-weight .note"),
    cut: text(".clipped"),
    digits: [...root.querySelectorAll(".digits text")].map(({ textContent }) => textContent),
    legend: root.querySelector(".legend:not([hidden])")?.textContent ?? "",
    stack: [...root.querySelectorAll("label")].find(({ firstElementChild }) => firstElementChild.textContent === "stack").querySelector("select").value,
    question: [...root.querySelectorAll(".question .answer :is(dd, p)")].map(({ textContent }) => textContent).join(" · "),
    right: text(".question .right"),
  };
};

export class ReceptiveFieldFigure extends FigureOnPage {
  constructor(browser) {
    super(browser, "receptive-field", READ);
  }

  static async open(browser, page, state) {
    const figure = new ReceptiveFieldFigure(browser);
    await figure.open(page, state);
    return figure;
  }

  /** A field of the table. */
  setting(name) {
    return this.element(`.builder input[aria-label="${name}"]`);
  }
}
