/** The upper scale: sixteen numbers that can be changed and carried, and three small results with their stories. */
import { activationScale } from "../../draw/maps";
import { colour, type Scale, scaleFor } from "../../draw/colormaps";
import { tight, weight as written } from "../../draw/numbers";
import { h } from "../../figure/dom";
import { select } from "../../figure/controls";
import { type Cell, Grid } from "../../figure/grid";
import { each, type Each, type Look, type Pooled, type Way, WAYS } from "./model";
import { changed } from "./moves";
import { NumberGrid } from "./number-grid";
import { type Rule, share, SIDE } from "./settings";
import { sentence, termCells } from "./story";

export interface ExampleEvents {
  value(index: number, value: number): void;
  carry(from: number, to: number): void;
  drop(from: number, to: number): void;
  inspectInput(at: [number, number] | null): void;
  inspectOutput(way: Way, at: [number, number] | null): void;
  press(at: [number, number]): void;
  weight(index: number, value: number): void;
  rule(rule: Rule): void;
  undo(): void;
  wrong(words: string): void;
  restored(): void;
}

const TITLES: Each<string> = { max: "Max pooling", average: "Average pooling", convolution: "Strided convolution" };
const ASKS: Each<string> = { max: "“Was it here?”", average: "“How much of it was here?”", convolution: "“What do my weights see?”" };
const LEARNS: Each<string> = { max: "Nothing to weigh, nothing to learn.", average: "Nothing to learn.", convolution: "To be learned." };

export class Example {
  readonly values: NumberGrid;
  readonly weights: NumberGrid;
  readonly undo: HTMLButtonElement;
  readonly line = h("span", { class: "moved", role: "status" });
  private readonly rules;
  /** The average's weights, which nobody can change. */
  private readonly fixed = new Grid({ name: "fixed", label: "Fixed weights of the average", point: () => undefined });
  private readonly terms: Each<Grid>;
  private readonly results: Each<Grid>;
  private readonly pairs: Each<HTMLElement>;
  private readonly notes: Each<HTMLElement>;
  private readonly sentences: Each<HTMLElement>;
  private look: Look | undefined;
  private scale: Scale = { map: "gray", min: 0, max: 1 };

  constructor(stage: HTMLElement, events: ExampleEvents) {
    this.values = new NumberGrid({
      name: "values", label: "Feature map, 4 by 4 values. Type to change one, Shift and an arrow key move it.", unit: "value",
      change: events.value, wrong: events.wrong, restored: events.restored, point: events.inspectInput, carry: events.carry, drop: events.drop,
    });
    this.weights = new NumberGrid({
      name: "kernel", label: "Weights of the strided convolution", unit: "weight",
      change: events.weight, wrong: events.wrong, restored: events.restored, point: () => undefined,
    });
    this.rules = select("", (rule) => events.rule(rule as Rule));
    this.rules.element.querySelector("select")!.setAttribute("aria-label", "weights");
    this.undo = h("button", { type: "button", class: "button words", disabled: true, onclick: () => events.undo() }, "undo");
    this.notes = each(() => h("span", { class: "note" }));
    this.sentences = each(() => h("p", { class: "sentence" }));
    this.terms = each((way) => new Grid({
      name: "terms", label: `${TITLES[way]}: the window`,
      point: (at) => events.inspectInput(at && this.sourceOf(at)),
    }));
    this.results = each((way) => new Grid({
      name: "results", label: `${TITLES[way]}: results`,
      point: (at) => events.inspectOutput(way, at),
      press: events.press,
    }));
    this.pairs = each((way) => h("div", { class: "pair" }, this.terms[way].element, h("span", { class: "sign", "aria-hidden": "true" }, "→"), this.results[way].element));
    stage.append(
      h("div", { class: "part example" }, h("div", { class: "label role-input" }, h("b", {}, "Feature map"), h("span", { class: "note" }, "drag, or type")), this.values.element),
      ...WAYS.map((way) => this.column(way)),
      h("div", { class: "part line" }, this.line, this.undo),
    );
  }

  private column(way: Way): HTMLElement {
    const weights = { max: null, average: this.fixed.element, convolution: this.weights.element }[way];
    return h("div", { class: `part way ${way}`, role: "group", "aria-label": TITLES[way] },
      h("div", { class: "label role-output" }, h("b", {}, TITLES[way]), this.notes[way]),
      this.pairs[way],
      this.sentences[way],
      h("div", { class: weights ? "own" : "own none" }, weights, h("p", { class: "asks" }, h("i", {}, ASKS[way]), LEARNS[way])),
      way === "convolution" ? this.rules.element : null,
    );
  }

  /** New values, weights or settings. */
  show(now: Pooled, before: Pooled | undefined, path: [number, number], weights: number[], rule: Rule, dark: boolean): void {
    this.scale = activationScale(now.input.data, dark);
    this.values.show(SIDE, Array.from(now.input.data), this.scale);
    this.values.path(...path);
    const side = Math.sqrt(weights.length);
    const reach = Math.max(...weights.map(Math.abs), 1e-6) * 1.25;
    this.weights.show(side, weights, { map: dark ? "prgn-dark" : "prgn", min: -reach, max: reach });
    this.rules.fill([
      { value: "difference", label: "left − right" },
      { value: "average", label: `${share(weights.length)} each (= average)` },
      { value: "corner", label: "top left only" },
      ...(rule === "custom" ? [{ value: "custom", label: "your own" }] : []),
    ]);
    this.rules.set(rule);
    this.notes.max.textContent = "no weights";
    this.notes.average.textContent = "equal weights";
    this.notes.convolution.textContent = `${weights.length} weights`;
    const part = share(weights.length);
    this.fixed.show(side, side, weights.map(() => ({ text: part, fill: "transparent", ink: "inherit", label: `weight ${part}, fixed` })));
    for (const way of WAYS) {
      this.showResults(way, now, before, dark);
      // Cells of one size: what goes in and what comes out are the same kind of thing.
      this.pairs[way].style.setProperty("--terms", `${side}fr`);
      this.pairs[way].style.setProperty("--results", `${Math.max(...now.geometry.max.output)}fr`);
    }
  }

  private showResults(way: Way, now: Pooled, before: Pooled | undefined, dark: boolean): void {
    const { data } = now.outputs[way];
    const [rows, cols] = now.geometry[way].output;
    const own = scaleFor(data, dark);
    const scale = way === "convolution" && own.min < 0 ? own : this.scale;
    const marks = new Set(changed(way, now, before));
    const cells = Array.from(data, (value, i): Cell => {
      const { fill, ink } = colour(scale, value);
      const was = marks.has(i) ? `was ${written(before!.outputs[way].data[i]!)}` : undefined;
      return {
        text: tight(value, cols > 3 ? 2 : 3),
        detail: cols > 3 ? undefined : was,
        fill,
        ink,
        classes: was ? "changed" : "",
        label: `row ${Math.floor(i / cols)}, column ${i % cols}: ${written(value)}${was ? `, ${was}` : ""}`,
      };
    });
    // A map that is smaller than the others keeps their cells' size.
    this.results[way].element.style.width = `${(100 * cols) / Math.max(...now.geometry.max.output)}%`;
    this.results[way].show(rows, cols, cells);
  }

  /** One window's story. */
  tell(look: Look, now: Pooled, kernel: number, dark: boolean): void {
    this.look = look;
    for (const way of WAYS) {
      const told = look.told[way];
      const reach = Math.max(...(told?.terms ?? []).map(({ product }) => Math.abs(product ?? 0)), 1e-6) * 1.9;
      const signed: Scale = { map: dark ? "prgn-dark" : "prgn", min: -reach, max: reach };
      this.terms[way].show(kernel, kernel, termCells(way, told, look.rect, kernel, this.scale, signed));
      this.sentences[way].replaceChildren(sentence(way, told, (value) => written(Number(value.toPrecision(4)))));
      const [rows, cols] = now.geometry[way].output;
      this.results[way].mark("now", look.at[0] < rows && look.at[1] < cols ? [look.at[0] * cols + look.at[1]] : []);
    }
    this.values.mark("tap", inside(look.rect));
  }

  lightWindow(rect: Look["rect"] | null): void {
    this.values.mark("lit", rect ? inside(rect) : []);
  }

  /** Lights one input, and the outputs it reaches. */
  lightOutputs(input: [number, number] | null, outputs: Each<[number, number][]> | null, now: Pooled): void {
    this.values.mark("lit", input ? [input[0] * SIDE + input[1]] : []);
    for (const way of WAYS) {
      const cols = now.geometry[way].output[1];
      this.results[way].mark("lit", (outputs?.[way] ?? []).map(([m, n]) => m * cols + n));
    }
  }

  markAnswer(ways: Way[]): void {
    for (const way of WAYS) this.results[way].mark("answer", ways.includes(way) ? [0] : []);
  }

  private sourceOf([row, col]: [number, number]): [number, number] | null {
    const { rect } = this.look ?? {};
    const [y, x] = [(rect?.top ?? 0) + row, (rect?.left ?? 0) + col];
    return y >= 0 && x >= 0 && y < SIDE && x < SIDE ? [y, x] : null;
  }
}

const inside = ({ top, left, bottom, right }: Look["rect"]): number[] =>
  [...Array(SIDE * SIDE).keys()].filter((i) => {
    const [y, x] = [Math.floor(i / SIDE), i % SIDE];
    return y >= top && y <= bottom && x >= left && x <= right;
  });
