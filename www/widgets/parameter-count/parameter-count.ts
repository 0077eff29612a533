/** `<ks-parameter-count>`: what the first layer of a network costs, fully connected and as a convolution. */
import { count, decimal } from "../../draw/numbers";
import { slider, tabs } from "../../figure/controls";
import { h, svg } from "../../figure/dom";
import { Lesson } from "../../figure/lesson";
import { choice, number } from "../../figure/state";
import { questionPanel } from "../../figure/question";
import css from "./parameter-count.css";

const specs = {
  size: number(1024),
  hidden: number(1000),
  filters: number(64),
  kernel: number(3),
  against: choice(["layer", "map"] as const, "layer"),
};
type Values = { [K in keyof typeof specs]: (typeof specs)[K]["initial"] };

interface Cost {
  weights: number;
  biases: number;
  bytes: number;
  products: number;
  outputs: number;
}

interface Compared {
  dense: Cost;
  convolution: Cost;
  map: Cost;
  byHeart: number;
  windowsByHeart: number;
}

/** What the question is about. */
const ASKED = { size: 1024, hidden: 1000, filters: 64, kernel: 3, against: "layer" } as const;
const SIZES = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];
const HIDDEN = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
const FILTERS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
/** Networks whose published size stands on the axis. */
const KNOWN = [["lenet5", "LeNet-5"], ["resnet50", "ResNet-50"], ["alexnet", "AlexNet"]] as const;
/** The axis ends at 10¹⁵: all pixels of 4096² to all of them are 2.8 · 10¹⁴. */
const DECADES = 15;

export class ParameterCount extends Lesson<Values> {
  protected readonly invitation = "Make the picture larger and watch who pays for it.";
  protected readonly specs = specs;
  protected override readonly css = css;
  private readonly rows = { dense: row("dense", "fully connected"), convolution: row("convolution", "convolution") };
  private readonly marks = h("div", { class: "marks", "aria-hidden": "true" });
  private readonly area = svg("svg", { class: "area", viewBox: "0 0 240 240", role: "img" });
  private readonly said = h("p", { class: "ratio" });
  private readonly table = h("table", {});
  private known: { name: string; parameters: number }[] = [];
  private now!: Compared;
  private locked = false;
  private readonly sliders = {
    size: steps("picture", SIZES, (n) => `${n} × ${n}`, (size) => this.change({ size })),
    hidden: steps("hidden units", HIDDEN, count, (hidden) => this.change({ hidden })),
    filters: steps("filters", FILTERS, count, (filters) => this.change({ filters })),
    kernel: steps("kernel", [1, 3, 5, 7, 9, 11, 15], (k) => `${k} × ${k}`, (kernel) => this.change({ kernel })),
  };
  private readonly against = tabs("the dense layer makes", [["layer", "hidden units"], ["map", "a whole map"]] as const, (against) => this.change({ against }));

  protected assemble(): void {
    this.stage.classList.add("parameters");
    this.stage.append(
      h("div", { class: "scale" }, this.rows.dense.element, this.rows.convolution.element, h("div", { class: "axis" }, ...Array.from({ length: DECADES / 3 + 1 }, (_, i) => h("span", { style: `left:${(300 * i) / DECADES}%` }, ["1", "thousand", "million", "billion", "10¹²", "10¹⁵"][i]!))), this.marks, this.said),
      h("div", { class: "toscale" }, this.area, h("p", { class: "words" })),
      this.table,
    );
    this.strip.append(h("div", { class: "sliders" }, ...Object.values(this.sliders).map(({ element }) => element)), this.choices(this.against.element));
  }

  protected controls(): void {
    const { value } = this.state;
    for (const name of ["size", "hidden", "filters", "kernel"] as const) this.sliders[name].set(value[name]);
    this.against.set(value.against);
    this.sliders.hidden.element.hidden = value.against === "map";
    this.sliders.filters.element.hidden = value.against === "map";
  }

  protected async compute(): Promise<void> {
    const { size, hidden, filters, kernel, against } = this.state.value;
    if (!this.known.length) this.known = await Promise.all(KNOWN.map(async ([network, name]) => ({ name, parameters: await this.parametersOf(network) })));
    // One map against one map: a single filter.
    this.now = await this.engine.ask<Compared>("first_layer", { size, hidden, filters: against === "map" ? 1 : filters, kernel });
    this.show();
  }

  private async parametersOf(network: string): Promise<number> {
    const layers = await this.engine.ask<{ parameters: number }[]>("layer_table", { network });
    return layers.reduce((sum, { parameters }) => sum + parameters, 0);
  }

  /** Bars, areas and table for what was counted. */
  private show(): void {
    const { now, locked } = this;
    const { size, hidden, filters, kernel, against } = this.state.value;
    const dense = against === "map" ? now.map : now.dense;
    const { convolution } = now;
    const product = against === "map" ? `${size}² · ${size}²` : `${size}² · ${count(hidden)}`;
    const small = against === "map" ? `1 · ${kernel}²` : `${count(filters)} · ${kernel}²`;
    this.rows.dense.show(dense.weights, product, false);
    this.rows.convolution.show(convolution.weights, small, locked);
    this.marks.replaceChildren(...this.known.map(({ name, parameters }) => h("span", { style: `left:${at(parameters)}%` }, h("i", {}), name)));
    const [more, less] = dense.weights >= convolution.weights ? [dense, convolution] : [convolution, dense];
    const times = more.weights / less.weights;
    const who = more === dense ? "The dense layer has" : "The convolution has";
    const line = `${who} ${times >= 100 ? count(Math.round(times)) : decimal(times, 1)} times as many weights.`;
    this.said.textContent = locked ? "" : line;
    this.squares(dense.weights, convolution.weights);
    this.tell(dense, convolution);
    this.describe(locked ? `Fully connected: ${product} = ${count(dense.weights)} weights.` : `Fully connected: ${product} = ${count(dense.weights)} weights. Convolution: ${small} = ${count(convolution.weights)} weights. ${line}`);
  }

  /** Both counts as squares of the same scale: one weight is as large here as there. */
  private squares(dense: number, convolution: number): void {
    const most = Math.sqrt(Math.max(dense, this.locked ? 0 : convolution));
    const side = (weights: number) => Math.max(0.8, (228 * Math.sqrt(weights)) / most);
    const [a, b] = [side(dense), side(convolution)];
    const square = (name: string, s: number) => svg("rect", { class: name, x: 6, y: 234 - s, width: s, height: s });
    this.area.replaceChildren(square("dense", a), ...(this.locked ? [] : [square("convolution", b), ...(b < 14 ? [svg("circle", { class: "ring", cx: 6 + b / 2, cy: 234 - b / 2, r: 9 })] : [])]));
    const words = `Areas to scale. At one square millimetre a weight the dense layer would be ${length(Math.sqrt(dense))} wide${this.locked ? "" : `, the convolution ${length(Math.sqrt(convolution))}`}.`;
    this.area.setAttribute("aria-label", words);
    this.stage.querySelector(".words")!.textContent = words;
  }

  private tell(dense: Cost, convolution: Cost): void {
    const hidden = (text: string) => (this.locked ? "?" : text);
    const { now } = this;
    const line = (name: string, a: string, b: string) => h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "number" }, a), h("td", { class: "number" }, hidden(b)));
    this.table.replaceChildren(
      h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, "fully connected"), h("th", { scope: "col" }, "convolution"))),
      h("tbody", {},
        line("weights", count(dense.weights), count(convolution.weights)),
        line("with biases", count(dense.weights + dense.biases), count(convolution.weights + convolution.biases)),
        line("memory, 32-bit", bytes(dense.bytes), bytes(convolution.bytes)),
        line("multiplications a picture", count(dense.products), count(convolution.products)),
        line("learned by heart by one unit", `${count(now.byHeart)} pictures`, `${count(now.windowsByHeart)} windows`),
      ),
    );
  }

  protected override question(): HTMLElement {
    return questionPanel({
      key: this.key,
      prompt: "A picture of 1024 × 1024 pixels. A dense layer of 1000 units against 64 filters of 3 × 3: how many times as many weights?",
      choices: ["about 100", "about 1000", "about 60 000", "about 1.8 million"],
      prepare: () => this.change(ASKED),
      locked: (locked) => {
        this.locked = locked;
        if (this.now) this.show();
      },
      reveal: async () => {
        await this.settled();
        const { dense, convolution } = this.now;
        const times = dense.weights / convolution.weights;
        const right = [100, 1000, 60_000, 1.8e6].reduce((best, guess, i, all) => (Math.abs(Math.log(guess / times)) < Math.abs(Math.log(all[best]! / times)) ? i : best), 0);
        return {
          right,
          because: `Each of the 1000 units has a weight for every one of the 1024² pixels: ${count(dense.weights)}. A filter has nine, wherever it stands: 64 · 9 = ${count(convolution.weights)}, ${count(convolution.weights + convolution.biases)} with biases. That is ${count(Math.round(times))} times as many, and the picture’s size stands in one of the two products only.`,
        };
      },
    });
  }
}

/** A bar on the logarithmic axis with its product written out. */
function row(name: string, label: string) {
  const [bar, words] = [h("i", {}), h("span", { class: "product" })];
  const element = h("div", { class: `bar ${name}` }, h("div", { class: "label" }, h("b", {}, label), words), h("div", { class: "track" }, bar));
  return {
    element,
    show: (weights: number, product: string, locked: boolean) => {
      bar.style.width = locked ? "0" : `${Math.max(0.4, at(weights))}%`;
      words.replaceChildren(`${product} = `, h("b", {}, locked ? "?" : count(weights)));
    },
  };
}

/** A slider over a list of sensible values; a value from a link may lie between them. */
function steps(label: string, list: number[], words: (value: number) => string, change: (value: number) => void) {
  let shown = list[0]!;
  const inner = slider(label, { min: 0, max: list.length - 1, words: (i) => words(list.includes(shown) || i !== nearest(list, shown) ? list[i]! : shown) }, (i) => {
    shown = list[i]!;
    change(shown);
  });
  return { element: inner.element, set: (value: number) => { shown = value; inner.set(nearest(list, value)); } };
}

const nearest = (list: number[], value: number): number => list.reduce((best, each, i) => (Math.abs(each - value) < Math.abs(list[best]! - value) ? i : best), 0);

/** Where a count lies on the axis, in percent. */
const at = (weights: number): number => (100 * Math.log10(Math.max(1, weights))) / DECADES;
const bytes = (value: number): string => (value >= 1e12 ? `${decimal(value / 1e12, 1)} TB` : value >= 1e9 ? `${decimal(value / 1e9, 2)} GB` : value >= 1e6 ? `${decimal(value / 1e6, 1)} MB` : value >= 1e3 ? `${decimal(value / 1e3, 1)} kB` : `${value} B`);
/** Millimetres in the unit that suits them. */
const length = (mm: number): string => (mm >= 1e6 ? `${decimal(mm / 1e6, 1)} km` : mm >= 1e3 ? `${decimal(mm / 1e3, 1)} m` : mm >= 100 ? `${decimal(mm / 10, 0)} cm` : `${decimal(mm, 0)} mm`);
