/** `<ks-weight-sharing>`: a dense layer and a convolution on one row of pixels, as lines and as matrices. */
import { type Scale, scaleFor } from "../../draw/colormaps";
import { count, decimal } from "../../draw/numbers";
import type { Tensor } from "../../engine/api";
import { numberField, select, slider, tabs } from "../../figure/controls";
import { h } from "../../figure/dom";
import { Lesson } from "../../figure/lesson";
import { questionPanel } from "../../figure/question";
import { choice, number, numbers } from "../../figure/state";
import { Lines, type Wire } from "./lines";
import css from "./weight-sharing.css";

const MODES = ["zeros", "circular"] as const;
const specs = {
  size: number(8),
  weights: numbers([-1, 0.5, 1]),
  mode: choice(MODES, "zeros"),
  /** The weight under consideration: a place in the kernel. */
  tap: number(-1),
  view: choice(["lines", "matrix"] as const, "lines"),
};
type Values = { [K in keyof typeof specs]: (typeof specs)[K]["initial"] };

export class WeightSharing extends Lesson<Values> {
  protected readonly invitation = "Point at a weight and see everywhere it is used.";
  protected readonly specs = specs;
  protected override readonly css = css;
  private locked = false;
  private counts = { dense: 0, convolution: 0 };
  private readonly dense = new Lines("Fully connected", () => undefined);
  private readonly convolution = new Lines("Convolution", (wire) => this.point(wire));
  private readonly taps = h("div", { class: "taps", role: "group", "aria-label": "The kernel" });
  private readonly same = h("p", { class: "same" });
  private readonly fields = [0, 1, 2].map((i) => numberField(`w${"₀₁₂"[i]}`, (value) => this.change({ weights: this.weights.map((old, j) => (i === j ? value : old)) }), (typed) => this.fail(`The weight is “${typed}”, which is no number. Type a number; until then the last one stays in use.`)));
  private readonly size = slider("pixels in the row", { min: 4, max: 12, words: String }, (size) => this.change({ size }));
  private readonly mode = select("padding", (mode) => this.change({ mode: mode as Values["mode"] }));
  private readonly view = tabs("how to draw it", [["lines", "lines"], ["matrix", "matrices"]] as const, (view) => this.change({ view }));

  protected assemble(): void {
    this.stage.classList.add("sharing");
    this.fields.forEach(({ element, input }, i) => {
      input.addEventListener("focus", () => this.point(i));
      element.addEventListener("pointerenter", () => this.point(i));
    });
    this.taps.append(h("span", {}, "kernel"), ...this.fields.map(({ element }) => element));
    this.mode.fill(MODES.map((value) => ({ value, label: value })));
    this.stage.append(this.dense.element, this.convolution.element, this.same);
    this.strip.append(this.taps, h("div", { class: "sliders" }, this.size.element), this.choices(this.view.element, this.mode.element, h("button", { type: "button", class: "button words", onclick: () => this.point(null) }, "Point at none")));
  }

  private get weights(): number[] {
    return [0, 1, 2].map((i) => this.state.value.weights[i] ?? 0);
  }

  protected controls(): void {
    const { size, mode, view, tap } = this.state.value;
    this.fields.forEach(({ set, element }, i) => {
      set(this.weights[i]!);
      element.classList.toggle("lit", i === tap);
    });
    this.size.set(size);
    this.mode.set(mode);
    this.view.set(view);
  }

  protected async compute(): Promise<void> {
    const { engine } = this;
    const { size, mode } = this.state.value;
    if (!(Number.isInteger(size) && size >= 4 && size <= 12)) throw new Error(`The row has 4 to 12 pixels here; got ${size}.`);
    const specimen = await engine.specimen("grains", { size: 64, seed: 7 });
    const row = specimen.image.data.slice(20 * 64, 20 * 64 + size * 5).filter((_, i) => i % 5 === 0);
    const weight: Tensor = { data: Float32Array.from(this.weights), shape: [1, 1, 1, 3] };
    const options = { padding: [0, 1], paddingMode: mode } as { padding: [number, number]; paddingMode: Values["mode"] };
    const [dense, matrix, map] = await Promise.all([
      engine.askTensor("dense_weights", size, size, 3),
      engine.askTensor("conv2d_matrix", weight, [1, size], options),
      engine.conv2d({ data: row, shape: [1, 1, size] }, weight, null, options),
    ]);
    const [full, product] = await Promise.all([engine.linear({ data: row, shape: [size] }, dense, null), engine.linear({ data: row, shape: [size] }, matrix, null)]);
    const uses = await Promise.all([0, 1, 2].map((tap) => engine.ask<{ start: [number, number]; step: [number, number]; count: [number, number] }>("uses", options, [1, size], [1, 3], [0, tap])));
    const apart = Math.max(...map.data.map((value, i) => Math.abs(value - product.data[i]!)));
    this.show(row, dense, full.data, matrix, map.data, uses.map(({ start, step }) => Array.from({ length: size }, (_, m) => start[1] + m * step[1])), apart);
  }

  private show(row: Float32Array, dense: Tensor, full: Float32Array, matrix: Tensor, map: Float32Array, uses: number[][], apart: number): void {
    const { size, mode, tap, view } = this.state.value;
    const { dark, locked } = this;
    const grey: Scale = { map: "gray", min: 0, max: 1 };
    const wires: Wire[] = uses.flatMap((inputs, k) => inputs.flatMap((input, output) => {
      const from = mode === "circular" ? (input + size) % size : input;
      return from >= 0 && from < size ? [{ from, to: output, value: this.weights[k]!, group: k }] : [];
    }));
    const all: Wire[] = Array.from(dense.data, (value, i) => ({ from: i % size, to: Math.floor(i / size), value, group: i }));
    this.counts = { dense: dense.data.length, convolution: this.weights.length };
    const scale = (values: Float32Array) => scaleFor(Float32Array.from([...values, -1e-6]), dark);
    const lit = tap >= 0 && tap < 3 ? tap : null;
    this.dense.show(row, grey, full, scale(full), all, scale(dense.data), dense, view, lit === null ? null : this.twin(wires, all, lit));
    this.convolution.show(row, grey, map, scale(map), wires, scale(Float32Array.from(this.weights)), matrix, view, lit);
    this.dense.words = locked ? "how many weights?" : `${count(this.counts.dense)} weights, each used once`;
    this.convolution.words = locked ? "how many weights?" : `${count(this.counts.convolution)} weights`;
    const times = lit === null ? 0 : wires.filter(({ group }) => group === lit).length;
    this.same.textContent = lit === null
      ? `Written as a matrix, the convolution is a dense layer with most weights zero and the others tied: the two results differ by ${apart === 0 ? "nothing" : apart.toExponential(1)}.`
      : `Weight w${"₀₁₂"[lit]} = ${decimal(this.weights[lit]!)} is used ${times} times. Of the dense layer one weight is lit: it is used once.`;
    this.describe(`A row of ${size} pixels. Fully connected: ${locked ? "" : `${this.counts.dense} weights, `}answers ${Array.from(full, (value) => decimal(value)).join(", ")}. Convolution with ${this.weights.map((w) => decimal(w)).join(", ")}: answers ${Array.from(map, (value) => decimal(value)).join(", ")}. ${this.same.textContent}`);
  }

  /** The dense weight between the same two places as this weight's middle use. */
  private twin(wires: Wire[], all: Wire[], tap: number): number | null {
    const own = wires.filter(({ group }) => group === tap);
    const middle = own[Math.floor(own.length / 2)];
    return all.find(({ from, to }) => from === middle?.from && to === middle.to)?.group ?? null;
  }

  private point(tap: number | null): void {
    if (this.state.value.tap !== (tap ?? -1)) this.change({ tap: tap ?? -1 });
  }

  protected override question(): HTMLElement {
    const choices = ["64 and 24", "64 and 3", "16 and 3", "8 and 3"];
    return questionPanel({
      key: this.key,
      prompt: "Eight pixels in, eight numbers out. How many weights has a dense layer, and how many a convolution with a kernel of 3?",
      choices,
      prepare: () => this.change({ size: 8, view: "lines", tap: -1 }),
      locked: (locked) => {
        this.locked = locked;
        if (this.counts.dense) this.change({});
      },
      reveal: async () => {
        this.change({ tap: 1 });
        await this.settled();
        const { dense, convolution } = this.counts;
        return {
          right: choices.indexOf(`${dense} and ${convolution}`),
          because: `A dense layer has a weight for every pair: 8 · 8 = ${dense}. The convolution draws nearly as many lines as its window has pixels times outputs, but with ${convolution} weights: each is used at every place.`,
        };
      },
    });
  }
}
