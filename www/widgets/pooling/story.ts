/** One window's story in each way: the terms as a small grid, and the same written out. */
import type { Explanation, Rectangle, Term } from "../../engine/api";
import { colour, type Scale } from "../../draw/colormaps";
import { tight, weight as written } from "../../draw/numbers";
import { h } from "../../figure/dom";
import type { Cell } from "../../figure/grid";
import { share } from "./settings";
import type { Way } from "./model";

export type Write = (value: number) => string;

/** As many terms as fit a line or two. */
const WRITTEN_OUT = 9;

/** "max(1, 3, 5, 6) = 6" · "(1 + 3 + 5 + 6) / 4 = 3.75" · "1 − 3 + 5 − 6 = −3"; the result apart, to stand in its own colour. */
export function sentence(way: Way, told: Explanation | null, write: Write): Node {
  if (!told) return h("span", { class: "none" }, "no such output: a convolution does not round up");
  const { terms, value } = told;
  const result = h("b", { class: "out" }, write(value));
  const long = terms.length > WRITTEN_OUT;
  if (way === "max") {
    if (long) return h("span", {}, `max of ${terms.length} = `, result);
    const parts = terms.flatMap((term, i) => [i ? ", " : "", term.won ? h("b", { class: "won" }, write(term.x)) : write(term.x)]);
    return h("span", {}, "max(", ...parts, ") = ", result);
  }
  if (way === "average") {
    if (long) return h("span", {}, `sum of ${terms.length} / ${terms.length} = `, result);
    return h("span", {}, `(${sum(terms.map(({ x }) => x), write)}) / ${terms.length} = `, result);
  }
  if (long) return h("span", {}, `sum of ${terms.length} products = `, result);
  return h("span", {}, `${sum(terms.map(({ product }) => product!), write)} = `, result);
}

/** The same for those who listen. */
export function spoken(way: Way, told: Explanation | null, write: Write): string {
  if (!told) return `${way}: no such output`;
  const words = way === "convolution" ? told.terms.map(({ x, w }) => `${write(x)} times ${write(w!)}`) : told.terms.map(({ x }) => write(x));
  const list = words.length > WRITTEN_OUT ? `${words.length} values` : words.join(", ");
  const name = { max: "the largest of", average: "the mean of", convolution: "the sum of" }[way];
  return `${name} ${list} is ${write(told.value)}`;
}

function sum(values: number[], write: Write): string {
  return values.map((value, i) => (i === 0 ? write(value) : value < 0 ? ` − ${write(-value)}` : ` + ${write(value)}`)).join("");
}

/** The window's cells in reading order, each as this way uses it. */
export function termCells(way: Way, told: Explanation | null, rect: Rectangle, kernel: number, scale: Scale, signed: Scale): Cell[] {
  const terms = new Map<number, Term>();
  for (const term of told?.terms ?? []) {
    const [y, x] = term.at.slice(-2) as [number, number];
    terms.set((y - rect.top) * kernel + (x - rect.left), term);
  }
  const roomy = kernel <= 2;
  return Array.from({ length: kernel * kernel }, (_, i): Cell => {
    const term = terms.get(i);
    if (!term) return { text: "", fill: "transparent", ink: "inherit", classes: "void", label: "does not count" };
    const where = term.padding ? "padding" : `row ${term.at.at(-2)}, column ${term.at.at(-1)}`;
    const classes = term.padding ? "pad " : "";
    if (way === "max") {
      const { fill, ink } = colour(scale, Number.isFinite(term.x) ? term.x : scale.min);
      const faded = { fill: `color-mix(in srgb, ${fill} 26%, var(--_paper))`, ink: "var(--_ink)" };
      return { text: tight(term.x, roomy ? 4 : 2), ...(term.won ? { fill, ink } : faded), classes: `${classes}${term.won ? "won" : ""}`, label: `${where}: ${written(term.x)}${term.won ? ", the largest" : ""}` };
    }
    const { fill, ink } = colour(signed, term.product!);
    const times = way === "average" ? share(told!.terms.length) : written(term.w!);
    const detail = roomy ? `${written(term.x)}·${times}` : undefined;
    return { text: tight(term.product!, roomy ? 3 : 2), detail, fill, ink, classes, label: `${where}: ${written(term.x)} times ${times} is ${written(term.product!)}` };
  });
}
