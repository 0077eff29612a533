/** `<ks-geometry>`: how a window moves over a picture, how large the map becomes, and which pixels nobody reads. */
import { scaleFor } from "../../draw/colormaps";
import type { Geometry as Sizes, Tensor } from "../../engine/api";
import { numberField, select, toggle } from "../../figure/controls";
import { h } from "../../figure/dom";
import { Lesson } from "../../figure/lesson";
import { Picture } from "../../figure/picture";
import { questionPanel } from "../../figure/question";
import { choice, flag, numbers } from "../../figure/state";
import { type Axis, Brackets } from "./brackets";
import css from "./geometry.css";

const MODES = ["zeros", "reflect", "replicate", "circular"] as const;
/** Pixels, kernel, stride, padding, dilation of one direction. */
const PARTS = ["size", "kernel", "stride", "padding", "dilation"] as const;
type Part = (typeof PARTS)[number];
const LABELS: Record<Part, string> = { size: "pixels", kernel: "k", stride: "s", padding: "p", dilation: "d" };

const specs = {
  rows: numbers([16, 3, 2, 0, 1], "."),
  columns: numbers([16, 3, 2, 0, 1], "."),
  square: flag(true),
  mode: choice(MODES, "zeros"),
  at: numbers([2, 3], "."),
};
type Values = { [K in keyof typeof specs]: (typeof specs)[K]["initial"] };
/** More could not be drawn legibly. */
const MOST = 64;
const ASKED = { rows: [64, 3, 2, 0, 1], columns: [64, 3, 2, 0, 1], square: true, mode: "zeros" } as const;

interface Windows {
  rows: Axis;
  cols: Axis;
  steps: [number, number];
}

export class Geometry extends Lesson<Values> {
  protected readonly invitation = "Change the window, and drag in the map to move it.";
  protected readonly specs = specs;
  protected override readonly css = css;
  private locked = false;
  private grains: Tensor | undefined;
  private sizes: Sizes | undefined;
  private readonly input = new Picture({ label: "Padded picture", role: "input", point: () => undefined });
  private readonly output = new Picture({ label: "Map", role: "output", point: (at, dragging) => at && dragging && this.change({ at }) });
  private readonly above = new Brackets("columns");
  private readonly beside = new Brackets("rows");
  private readonly formula = h("div", { class: "sizes" });
  private readonly said = h("p", { class: "said" });
  private readonly fields = { rows: this.fieldsOf("rows", "down"), columns: this.fieldsOf("columns", "across") };
  private readonly across = h("div", { class: "direction" }, h("span", {}, "across"), ...Object.values(this.fields.columns).map(({ element }) => element));
  private readonly square = toggle("same both ways", (square) => this.change({ square }));
  private readonly mode = select("padding holds", (mode) => this.change({ mode: mode as Values["mode"] }));
  private readonly down = h("span", {}, "down");

  private fieldsOf(which: "rows" | "columns", direction: string) {
    const field = (part: Part, i: number) => {
      const made = numberField(LABELS[part], (value) => this.change({ [which]: this.state.value[which].map((old, j) => (i === j ? value : old)) }), (typed) => this.fail(`${LABELS[part]} is “${typed}”, which is no number. Type a whole number; until then the last one stays in use.`));
      made.input.setAttribute("aria-label", `${part}, ${direction}`);
      return made;
    };
    return Object.fromEntries(PARTS.map((part, i) => [part, field(part, i)])) as Record<Part, ReturnType<typeof numberField>>;
  }

  protected assemble(): void {
    this.stage.classList.add("geometry");
    this.stage.append(
      h("div", { class: "board" }, this.beside.element, this.above.element, this.input.element),
      h("div", { class: "result" }, this.output.element, this.formula, this.said),
    );
    this.mode.fill(MODES.map((value) => ({ value, label: value })));
    this.strip.append(h("div", { class: "directions", role: "group", "aria-label": "The window" }, h("div", { class: "direction" }, this.down, ...Object.values(this.fields.rows).map(({ element }) => element)), this.across), this.choices(this.square.element, this.mode.element));
    for (const surface of [this.input.surface, this.output.surface]) surface.addEventListener("keydown", (event) => this.keyed(event));
  }

  protected controls(): void {
    const { value } = this.state;
    for (const which of ["rows", "columns"] as const) PARTS.forEach((part, i) => this.fields[which][part].set(value[which][i] ?? 0));
    this.square.set(value.square);
    this.mode.set(value.mode);
    this.across.hidden = value.square;
    this.down.hidden = value.square;
  }

  /** [down, across] of one part. */
  private both(part: Part): [number, number] {
    const { rows, columns, square } = this.state.value;
    const i = PARTS.indexOf(part);
    return [rows[i] ?? 1, (square ? rows : columns)[i] ?? 1];
  }

  protected async compute(): Promise<void> {
    const { engine } = this;
    const { mode } = this.state.value;
    const size = this.both("size");
    for (const side of size) if (!(side >= 1 && side <= MOST && Number.isInteger(side))) throw new Error(`The picture here has 1 to ${MOST} pixels a side; got ${side}.`);
    const kernel = this.both("kernel");
    for (const taps of kernel) if (!(taps >= 1 && taps <= MOST && Number.isInteger(taps))) throw new Error(`The kernel has 1 to ${MOST} weights a side; got ${taps}.`);
    const options = { stride: this.both("stride"), padding: this.both("padding"), dilation: this.both("dilation"), paddingMode: mode };
    this.grains ??= (await engine.specimen("grains", { size: MOST, seed: 7 })).image;
    const image = corner(this.grains, size);
    const [sizes, windows] = await Promise.all([engine.ask<Sizes>("geometry", options, size, kernel), engine.ask<Windows>("windows", options, size, kernel)]);
    const { top, left, bottom, right } = sizes.padding;
    const padded: [number, number] = [size[0] + top + bottom, size[1] + left + right];
    const area = kernel[0] * kernel[1];
    const mean: Tensor = { data: new Float32Array(area).fill(1 / area), shape: [1, 1, ...kernel] };
    const [seen, map] = await Promise.all([
      engine.ask<{ values: Float32Array; source: Int32Array }>("crop", image, 0, -top, -left, ...padded, options, kernel),
      engine.conv2d(image, mean, null, options),
    ]);
    this.sizes = sizes;
    this.show(image, seen.values, padded, map, sizes, windows);
  }

  private show(image: Tensor, values: Float32Array, [height, width]: [number, number], map: Tensor, sizes: Sizes, windows: Windows): void {
    const { dark, locked } = this;
    const { top, left } = sizes.padding;
    const size = this.both("size");
    const grey = scaleFor(image.data, dark);
    this.input.draw({ data: values, height, width }, grey);
    this.input.words = `${size[0]} × ${size[1]}${height > size[0] || width > size[1] ? `, padded ${height} × ${width}` : ""}`;
    this.output.draw({ data: map.data, height: sizes.output[0], width: sizes.output[1] }, grey);
    this.output.words = locked ? "" : `${sizes.output[0]} × ${sizes.output[1]} means`;
    this.output.element.classList.toggle("locked", locked);
    const at = this.at(sizes);
    const rows = windows.rows[at[0]]!;
    const cols = windows.cols[at[1]]!;
    const one = (row: number, col: number) => ({ top: row, left: col, bottom: row, right: col });
    const taps = range(rows, sizes.dilation[0]).flatMap((row) => range(cols, sizes.dilation[1]).map((col) => one(row + top, col + left)));
    const beyond = [
      { top: 0, left: 0, bottom: top - 1, right: width - 1 },
      { top: top + size[0], left: 0, bottom: height - 1, right: width - 1 },
      { top, left: 0, bottom: top + size[0] - 1, right: left - 1 },
      { top, left: left + size[1], bottom: top + size[0] - 1, right: width - 1 },
    ].filter((each) => each.bottom >= each.top && each.right >= each.left);
    this.input.outline("beyond", beyond, true);
    this.shade(sizes, size);
    this.input.outline("taps", sizes.dilation[0] * sizes.dilation[1] > 1 && taps.length <= 400 ? taps : [], true);
    this.input.outline("now", [{ top: rows[0] + top, left: cols[0] + left, bottom: rows[1] + top, right: cols[1] + left }]);
    this.output.outline("now", locked ? [] : [one(...at)]);
    this.above.show(windows.cols, width, left, at[1], locked);
    this.beside.show(windows.rows, height, top, at[0], locked);
    this.formula.replaceChildren(...(this.state.value.square ? [0] : [0, 1]).map((axis) => this.line(axis as 0 | 1, sizes, windows)));
    const lost = sizes.unreached;
    this.said.textContent = lost ? `${lost} ${lost === 1 ? "pixel is" : "pixels are"} read by no window.` : "Every pixel is read by some window.";
    this.input.description = `The picture with its padding. The window covers rows ${rows.join(" to ")} and columns ${cols.join(" to ")}. ${this.said.textContent}`;
    this.output.description = locked ? "The map is shown when the question is answered" : `A map of ${sizes.output.join(" × ")} values`;
    this.describe(`${locked ? "" : `The map has ${sizes.output.join(" × ")} values. `}${this.said.textContent} Output ${at.join(", ")} looks at rows ${rows.join(" to ")}, columns ${cols.join(" to ")}.`);
  }

  /** Hatches what no window reads, inside the padding. */
  private shade(sizes: Sizes, size: [number, number]): void {
    const { top, left } = sizes.padding;
    const bands = (read: boolean[], rect: (i: number) => { top: number; left: number; bottom: number; right: number }) => read.flatMap((is, i) => (is ? [] : [rect(i)]));
    this.input.outline("unreached", [
      ...bands(sizes.rows, (i) => ({ top: top + i, bottom: top + i, left, right: left + size[1] - 1 })),
      ...bands(sizes.cols, (i) => ({ top, bottom: top + size[0] - 1, left: left + i, right: left + i })),
    ], true);
  }

  /** The formula with this direction's numbers in it. */
  private line(axis: 0 | 1, sizes: Sizes, windows: Windows): HTMLElement {
    const [n, k, s, p, d] = PARTS.map((part) => this.both(part)[axis]) as [number, number, number, number, number];
    const steps = windows.steps[axis];
    const whole = Number.isInteger(steps) ? String(steps) : steps.toFixed(2).replace(/0$/, "");
    return h("p", {},
      h("span", { class: "name" }, this.state.value.square ? "" : axis ? "across " : "down "),
      "⌊(", h("i", { class: "in" }, String(n)), ` + 2·${p} − ${d}·(`, h("i", { class: "w" }, String(k)), ` − 1) − 1) / ${s}⌋ + 1 = ⌊${whole}⌋ + 1 = `,
      h("b", { class: "out" }, this.locked ? "?" : String(sizes.output[axis])));
  }

  private at(sizes: Sizes): [number, number] {
    const inside = (i: 0 | 1) => Math.max(0, Math.min(sizes.output[i] - 1, Math.floor(this.state.value.at[i] ?? 0)));
    return [inside(0), inside(1)];
  }

  private keyed(event: KeyboardEvent): void {
    const moves: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const by = moves[event.key];
    if (!by || !this.sizes) return;
    event.preventDefault();
    event.stopPropagation();
    const at = this.at(this.sizes);
    const inside = (i: 0 | 1) => Math.max(0, Math.min(this.sizes!.output[i] - 1, at[i] + by[i]));
    this.change({ at: [inside(0), inside(1)] });
  }

  protected override question(): HTMLElement {
    return questionPanel({
      key: this.key,
      prompt: "64 pixels a side, a kernel of 3, no padding, a stride of 2. How many rows has the map?",
      choices: ["30", "31", "32", "33"],
      prepare: () => this.change({ ...ASKED, rows: [...ASKED.rows], columns: [...ASKED.columns], at: [30, 30] }),
      locked: (locked) => {
        this.locked = locked;
        if (this.sizes) this.change({});
      },
      reveal: async () => {
        await this.settled();
        const { output, unreached } = this.sizes!;
        const last = this.stage.querySelector(".sizes")!.textContent!;
        return {
          right: ["30", "31", "32", "33"].indexOf(String(output[0])),
          because: `${last.trim()}. The last window ends one pixel before the rim; the next would need a pixel that is not there. One row and one column, ${unreached} pixels, are read by no window.`,
        };
      },
    });
  }
}

/** The upper left part of a picture; copies, computes nothing. */
function corner({ data, shape }: Tensor, [rows, cols]: [number, number]): Tensor {
  const width = shape[2]!;
  const out = new Float32Array(rows * cols);
  for (let y = 0; y < rows; y++) out.set(data.subarray(y * width, y * width + cols), y * cols);
  return { data: out, shape: [1, rows, cols] };
}

const range = ([from, to]: [number, number], step: number): number[] => Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);
