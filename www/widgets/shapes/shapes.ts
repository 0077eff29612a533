/** `<ks-shapes>`: a walk through a network that the reader fills in: shapes and parameters, checked at once, with the reason. */
import { count, parseNumber } from "../../draw/numbers";
import { select } from "../../figure/controls";
import { h, svg } from "../../figure/dom";
import { Lesson } from "../../figure/lesson";
import { questionPanel } from "../../figure/question";
import { choice, numbers } from "../../figure/state";
import css from "./shapes.css";

const NETWORKS = { blocks: "conv–pool × 4, 256²", strided: "stride 2 × 4, 256²", lenet5: "LeNet-5, 32²" } as const;
type Network = keyof typeof NETWORKS;
/** `filled`: for every layer its sizes and its parameters, −1 where nothing stands yet. */
const specs = { network: choice(Object.keys(NETWORKS) as Network[], "blocks"), filled: numbers([], ".") };
type Values = { [K in keyof typeof specs]: (typeof specs)[K]["initial"] };

interface Step {
  name: string;
  op: string;
  settings: string;
  input: number[];
  output: number[];
  parameters: number;
  whyShape: string;
  whyParameters: string;
}

const EMPTY = -1;
const OPERATORS: Record<string, string> = { conv2d: "convolution", max_pool2d: "pooling", avg_pool2d: "pooling", flatten: "flatten", linear: "dense" };

export class Shapes extends Lesson<Values> {
  protected readonly invitation = "Fill in what comes out of each layer; it is checked as you go.";
  protected readonly specs = specs;
  protected override readonly css = css;
  private steps: Step[] = [];
  private of: Network | undefined;
  private rows: { fields: HTMLInputElement[]; why: HTMLElement; mark: HTMLElement; tell: HTMLButtonElement }[] = [];
  private readonly volumes = svg("svg", { class: "volumes", role: "img", preserveAspectRatio: "xMinYMid meet" });
  private readonly list = h("ol", { class: "walk" });
  private readonly score = h("p", { class: "score", role: "status" });
  private readonly networks = select("network", (network) => this.change({ network: network as Network, filled: [] }));

  protected assemble(): void {
    this.stage.classList.add("shapes");
    this.stage.append(this.volumes, this.list, this.score);
    this.networks.fill(Object.entries(NETWORKS).map(([value, label]) => ({ value, label })));
    this.strip.append(this.choices(
      this.networks.element,
      h("button", { type: "button", class: "button words", onclick: () => this.change({ filled: this.answers().flat() }) }, "Fill in all"),
      h("button", { type: "button", class: "button words", onclick: () => this.change({ filled: [] }) }, "Clear"),
    ));
  }

  protected controls(): void {
    this.networks.set(this.state.value.network);
  }

  protected async compute(): Promise<void> {
    const { network } = this.state.value;
    if (this.of !== network) {
      this.steps = await this.engine.ask<Step[]>("walk", { network });
      this.of = network;
      this.lay();
    }
    this.check();
  }

  /** What belongs into the fields of every layer: its sizes, then its parameters. */
  private answers(): number[][] {
    return this.steps.map(({ output, parameters }) => [...output, parameters]);
  }

  /** The layers with empty fields. */
  private lay(): void {
    this.rows = [];
    const input = this.steps[0]!.input;
    this.list.replaceChildren(h("li", { class: "first" }, h("span", { class: "what" }, h("b", {}, "picture")), h("span", { class: "in" }, input.join(" × "))), ...this.steps.map((step, i) => this.row(step, i)));
  }

  private row(step: Step, i: number): HTMLElement {
    const names = [...(step.output.length === 3 ? ["channels", "rows", "columns"] : ["values"]), "parameters"];
    const fields = names.map((name) => h("input", { type: "text", inputmode: "numeric", autocomplete: "off", size: name === "parameters" ? 8 : 4, "aria-label": `${step.name}: ${name}`, placeholder: "?", onchange: () => this.read() }));
    const [shape, parameters] = [fields.slice(0, -1), fields.at(-1)!];
    const [why, mark] = [h("p", { class: "why" }), h("span", { class: "mark", "aria-hidden": "true" })];
    const tell = h("button", { type: "button", class: "plain", onclick: () => this.tell(i) }, "tell me");
    this.rows.push({ fields, why, mark, tell });
    return h("li", {},
      h("span", { class: "what" }, h("b", {}, OPERATORS[step.op] ?? step.op), h("small", {}, step.settings)),
      h("span", { class: "shape" }, ...shape.flatMap((field, j) => (j ? [" × ", field] : [field]))),
      h("label", { class: "count" }, parameters, h("small", {}, "parameters")),
      mark, tell, why);
  }

  /** Takes over what stands in the fields. */
  private read(): void {
    const filled = this.rows.flatMap(({ fields }) => fields.map((field) => {
      const value = field.value.trim() === "" ? EMPTY : parseNumber(field.value.replace(/[\s\u202f]/g, ""));
      if (Number.isNaN(value)) this.fail(`“${field.value}” is no number: ${field.getAttribute("aria-label")}. Type a whole number.`);
      return Number.isNaN(value) ? EMPTY : value;
    }));
    if (!this.rows.some(({ fields }) => fields.some((field) => field.value.trim() !== "" && Number.isNaN(parseNumber(field.value.replace(/[\s\u202f]/g, "")))))) this.change({ filled });
  }

  private tell(i: number): void {
    const answers = this.answers();
    const filled = this.padded();
    const start = answers.slice(0, i).flat().length;
    answers[i]!.forEach((value, j) => (filled[start + j] = value));
    this.change({ filled });
  }

  private padded(): number[] {
    return this.answers().flat().map((_, i) => this.state.value.filled[i] ?? EMPTY);
  }

  /** Every row against what the crate says. */
  private check(): void {
    const filled = this.padded();
    let [at, right] = [0, 0];
    const known: boolean[] = [];
    this.steps.forEach((step, i) => {
      const answer = this.answers()[i]!;
      const { fields, why, mark, tell } = this.rows[i]!;
      const given = filled.slice(at, at + answer.length);
      at += answer.length;
      const states = given.map((value, j) => (value === EMPTY ? "" : value === answer[j] ? "right" : "wrong"));
      fields.forEach((field, j) => {
        if (this.shadowRoot!.activeElement !== field || given[j] !== EMPTY) field.value = given[j] === EMPTY ? "" : String(given[j]);
        field.className = states[j]!;
        field.toggleAttribute("aria-invalid", states[j] === "wrong");
      });
      const all = states.every((state) => state === "right");
      const shape = states.slice(0, -1);
      const last = states.at(-1)!;
      right += states.filter((state) => state === "right").length;
      known.push(shape.every((state) => state === "right"));
      mark.textContent = all ? "✓" : states.includes("wrong") ? "✗" : "";
      mark.className = `mark ${all ? "right" : ""}`;
      tell.hidden = all;
      // The reason stands there as soon as something was tried.
      const reasons = [shape.some(Boolean) ? step.whyShape : "", last ? step.whyParameters : ""].filter(Boolean);
      why.textContent = reasons.join(" · ");
      why.hidden = reasons.length === 0;
    });
    this.score.textContent = `${right} of ${filled.length} right.${right === filled.length ? ` In all ${count(this.steps.reduce((sum, step) => sum + step.parameters, 0))} parameters.` : ""}`;
    this.drawn(known);
    this.describe(`${NETWORKS[this.state.value.network]}: ${this.score.textContent}`);
  }

  /** The maps as volumes: as high as they are, as thick as the logarithm of their channels; only those that the reader has worked out. */
  private drawn(known: boolean[]): void {
    const shapes = [this.steps[0]!.input, ...this.steps.map(({ output }) => output)];
    const tallest = Math.max(...shapes.map((shape) => (shape.length === 3 ? shape[1]! : 1)));
    let x = 4;
    const parts = shapes.flatMap((shape, i) => {
      const [c, rows] = shape.length === 3 ? [shape[0]!, shape[1]!] : [shape[0]!, 0];
      const height = Math.max(3, (96 * rows) / tallest);
      const width = 5 + 4 * Math.log2(c);
      const is = i === 0 || known[i - 1];
      const [left, top, skew] = [x, 62 - height / 2, height * 0.22];
      x += is ? Math.max(width + skew + 12, 46) : 30;
      if (!is) return [svg("text", { x: left + 4, y: 66, class: "unknown" }, new Text("?"))];
      const face = svg("rect", { x: left, y: top, width, height });
      const roof = svg("path", { d: `M${left} ${top}l${skew} ${-skew * 0.7}h${width}l${-skew} ${skew * 0.7}z` });
      const side = svg("path", { d: `M${left + width} ${top}l${skew} ${-skew * 0.7}v${height}l${-skew} ${skew * 0.7}z`, class: "side" });
      const words = svg("text", { x: left, y: 126 }, new Text(shape.length === 3 ? `${c}×${rows}²` : String(c)));
      return [svg("g", { class: i === 0 ? "in" : "out" }, roof, side, face), words];
    });
    this.volumes.setAttribute("viewBox", `0 0 ${Math.max(x, 300)} 132`);
    this.volumes.setAttribute("aria-label", `Maps worked out so far: ${shapes.filter((_, i) => i === 0 || known[i - 1]).map((shape) => shape.join(" × ")).join(", ")}`);
    this.volumes.replaceChildren(...parts);
  }

  protected override question(): HTMLElement {
    const choices = [64, 32, 16, 8];
    return questionPanel({
      key: this.key,
      prompt: "A picture of 256 × 256 goes through four layers of stride 2. How many rows and columns are left?",
      choices: choices.map((n) => `${n} × ${n}`),
      prepare: () => this.change({ network: "strided", filled: [] }),
      reveal: async () => {
        this.change({ network: "strided" });
        await this.settled();
        this.change({ filled: this.answers().flat() });
        const sizes = this.steps.map(({ output }) => output[1]!);
        return {
          right: choices.indexOf(sizes.at(-1)!),
          because: `Every stride of 2 halves each side: 256, ${sizes.join(", ")}. A pixel of the last map stands for 16 × 16 pixels of the picture; where in them something was, it no longer says. For one label a picture that is no loss. For a mask it is.`,
        };
      },
    });
  }
}
