/** “Why this pixel?”: probabilities, what came through which branch, and the way down. */
import type { Shares } from "../../engine/api";
import { decimal } from "../../draw/numbers";
import { h } from "../../figure/dom";

/** A part of the logit as a person reads it. */
export function parts({ paths, constant }: Shares): { name: string; value: number }[] {
  const named = paths.map(({ input, value }) => {
    const skip = /^enc(\d+)/.exec(input);
    return { name: skip ? `through skip ${skip[1]}` : input.startsWith("bottleneck") ? "through bottleneck" : `through ${input}`, value };
  });
  return [...named, { name: "biases", value: constant }];
}

export interface Story {
  at: [number, number];
  classes: { name: string; probability: number }[];
  /** Where the logit comes from; the words of a refusal where that has no answer. */
  shares: Shares | string;
  logit: number;
  /** What the truth says here, where it is known. */
  truth: string | null;
  said: string;
  field: string;
}

export function why(story: Story, open: () => void): HTMLElement {
  const { at, classes, shares, logit, truth, said, field } = story;
  const ways = typeof shares === "string" ? [] : parts(shares);
  const reach = Math.max(...ways.map(({ value }) => Math.abs(value)), 1e-6);
  const wrong = truth !== null && truth !== said;
  return h("div", { class: "why" },
    h("div", { class: "label" }, h("b", {}, "Why this pixel?"), h("span", { class: "note" }, `(m, n) = (${at.join(", ")})`)),
    ...classes.map(({ name, probability }) =>
      row(`p(${name})`, probability, 1, "prob", decimal(probability, 2))),
    h("p", { class: "muted" }, `the logit of ${classes.at(-1)!.name}, `, h("b", { class: "out" }, decimal(logit, 2, true)), typeof shares === "string" ? `. Its ways: ${shares}` : ", is the sum of"),
    ...ways.map(({ name, value }) => row(name, value, reach, partClass(name), decimal(value, 2, true))),
    truth === null ? null : h("p", { class: wrong ? "verdict wrong" : "verdict" }, wrong ? `The network says ${said}; it is ${truth}.` : `The network says ${said}, and so it is.`),
    h("p", { class: "muted" }, field),
    h("button", { type: "button", class: "button words", onclick: open }, "Take the logit apart"),
  );
}

const partClass = (name: string): string => (/skip/.test(name) ? "skipbar" : /bottleneck/.test(name) ? "bottombar" : "biasbar");

function row(name: string, value: number, reach: number, kind: string, words: string): HTMLElement {
  const width = Math.min(100, (Math.abs(value) / reach) * 100);
  return h("div", { class: `bar ${kind}${value < 0 ? " negative" : ""}` },
    h("span", {}, name), h("i", { style: `--width:${width.toFixed(1)}%` }), h("b", {}, words));
}
