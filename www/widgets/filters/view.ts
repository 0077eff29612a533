/** The stage: the picture and its four maps in a row, cuts through them, and the products behind one pixel. */
import { colour, type Scale, scaleFor } from "../../draw/colormaps";
import { activationScale } from "../../draw/maps";
import { decimal, weight } from "../../draw/numbers";
import type { Explanation } from "../../engine/api";
import { h } from "../../figure/dom";
import { type Cell, Grid } from "../../figure/grid";
import { Picture } from "../../figure/picture";
import { type Each, each, type Filter, FILTERS, type Model, type Told } from "./model";
import { Profile } from "./profile";

export const NAMES: Each<string> = { x: "Sobel x", y: "Sobel y", magnitude: "Magnitude", gaussian: "Gaussian" };
const FORMULAS: Each<string> = { x: "⋆ K", y: "⋆ K", magnitude: "√(x² + y²)", gaussian: "⋆ K" };

export class View {
  readonly input: Picture;
  readonly maps: Each<Picture>;
  readonly products: HTMLElement;
  private readonly small: Each<HTMLElement>;
  private readonly cuts = { row: new Profile(), column: new Profile() };
  private readonly grids: { x: Grid; y: Grid };
  private readonly sums = { x: h("output", { class: "sum" }), y: h("output", { class: "sum" }) };
  private readonly steep = h("p", { class: "steep" });
  private scales!: { input: Scale; signed: Scale };

  constructor(private stage: HTMLElement, move: (at: [number, number]) => void) {
    const picture = (label: string, role: "input" | "output") => new Picture({ label, role, point: (at, dragging) => at && dragging && move(at) });
    this.input = picture("Input", "input");
    this.maps = each((filter) => picture(NAMES[filter], "output"));
    this.small = each(() => h("div", { class: "small" }));
    const grid = (name: "x" | "y") => new Grid({ name: `products of-${name}`, label: `Nine products of ${NAMES[name]}`, point: () => undefined });
    this.grids = { x: grid("x"), y: grid("y") };
    const story = (name: "x" | "y") =>
      h("div", { class: "story" }, h("div", { class: "label role-weight" }, h("b", {}, `${NAMES[name]}: nine products`)), this.grids[name].element, h("div", { class: "sumline" }, "sum", this.sums[name]));
    this.products = h("div", { class: "stories" }, story("x"), story("y"), this.steep);
    stage.classList.add("filters");
    stage.append(
      h("div", { class: "part" }, this.input.element, h("div", { class: "small" }, "I")),
      ...FILTERS.map((filter) => h("div", { class: `part of-${filter}` }, this.maps[filter].element, this.small[filter])),
      h("div", { class: "cuts" }, this.cuts.row.element, this.cuts.column.element),
      this.products,
    );
  }

  /** New maps: both gradients wear one scale, so that they can be compared. */
  picture(model: Model, dark: boolean): void {
    const [height, width] = model.size;
    const both = new Float32Array(2 * height * width);
    both.set(model.maps.x.data);
    both.set(model.maps.y.data, height * width);
    const plain = scaleFor(both, dark);
    // Without noise all edges of the two grains point the same way; a gradient is signed all the same.
    const signed: Scale = plain.min < 0 ? plain : { ...plain, map: dark ? "prgn-dark" : "prgn", min: -plain.max };
    const input = scaleFor(model.image.data, dark);
    this.scales = { input, signed };
    const scales: Each<Scale> = { x: signed, y: signed, magnitude: activationScale(model.maps.magnitude.data, dark), gaussian: input };
    this.stage.classList.toggle("dark", dark);
    this.input.draw({ data: model.image.data, height, width }, input);
    this.input.scale(input);
    this.input.words = `${height} × ${width}`;
    this.input.description = model.about;
    for (const filter of FILTERS) {
      this.maps[filter].draw({ data: model.maps[filter].data, height, width }, scales[filter]);
      this.maps[filter].scale(scales[filter]);
      this.maps[filter].description = `${NAMES[filter]} of ${model.about}`;
      const kernel = filter === "magnitude" ? null : model.kernels[filter];
      this.small[filter].replaceChildren(FORMULAS[filter], ...(kernel ? [glyph(kernel.data, filter)] : []));
    }
  }

  /** The same pixel in all five pictures. */
  point(model: Model, at: [number, number]): void {
    const [row, col] = at;
    const box = { top: row - 1, left: col - 1, bottom: row + 1, right: col + 1 };
    const one = { top: row, left: col, bottom: row, right: col };
    this.input.outline("now", [box]);
    const [height, width] = model.size;
    for (const filter of FILTERS) {
      this.maps[filter].outline("now", [one]);
      this.maps[filter].words = decimal(model.maps[filter].data[row * width + col]!, 2, filter === "x" || filter === "y");
    }
    const reach = this.scales.signed.max;
    const range: [number, number] = [this.scales.input.min, this.scales.input.max];
    const along = ({ data }: { data: Float32Array }) => data.subarray(row * width, (row + 1) * width);
    const down = ({ data }: { data: Float32Array }) => Float32Array.from({ length: height }, (_, i) => data[i * width + col]!);
    const { x, y } = model.maps;
    this.cuts.row.show(`along row ${row}`, along(model.image), along(x), along(y), col, range, reach);
    this.cuts.column.show(`down column ${col}`, down(model.image), down(x), down(y), row, range, reach);
  }

  tell({ at, x, y }: Told, model: Model, dark: boolean): void {
    const reach = Math.max(...[...x.terms, ...y.terms].map(({ product }) => Math.abs(product!)), 1e-6) * 1.4;
    const scale: Scale = { map: dark ? "prgn-dark" : "prgn", min: -reach, max: reach };
    const show = (name: "x" | "y", explanation: Explanation) => {
      this.grids[name].show(3, 3, explanation.terms.map(({ x: value, w, product }): Cell => {
        const { fill, ink } = colour(scale, product!);
        return { text: decimal(product!, 2, true), detail: `${decimal(value)}·${weight(w!)}`, fill, ink, label: `weight ${weight(w!)} times pixel ${decimal(value)} is ${decimal(product!)}` };
      }));
      this.sums[name].textContent = `= ${decimal(explanation.value, 2, true)}`;
    };
    show("x", x);
    show("y", y);
    const [, width] = model.size;
    const [row, col] = at;
    const steep = model.maps.magnitude.data[row * width + col]!;
    this.steep.replaceChildren(
      h("span", { class: "words" }, "how steep, in whatever direction"),
      h("span", {}, `√((${decimal(x.value)})² + (${decimal(y.value)})²)`),
      h("b", { class: "sum out" }, `= ${decimal(steep)}`),
    );
  }
}

/** A kernel in miniature: nine signed squares with their weights. */
function glyph(weights: Float32Array, filter: Filter): HTMLElement {
  const words = Array.from(weights, (value) => weight(value)).join(", ");
  const most = Math.max(...weights.map(Math.abs));
  return h("span", { class: "glyph", role: "img", "aria-label": `${NAMES[filter]}, weights ${words}`, title: words },
    ...Array.from(weights, (value) => h("i", { style: `opacity:${(0.12 + 0.88 * Math.abs(value) / most).toFixed(2)}`, class: value < 0 ? "less" : value > 0 ? "more" : "" })));
}
