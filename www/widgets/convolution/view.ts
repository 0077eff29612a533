/** The stage: input ⋆ kernel = feature map, and below it the same sentence for one pixel. */
import type { Term } from "../../engine/api";
import { colour, type Scale, scaleFor } from "../../draw/colormaps";
import { decimal, short, weight as asWeight } from "../../draw/numbers";
import { h, write } from "../../figure/dom";
import { type Cell, Grid } from "../../figure/grid";
import { Picture } from "../../figure/picture";
import { KernelEditor } from "./kernel-editor";
import type { Look, Model } from "./model";

export interface ViewEvents {
  /** A pixel of the input or of the feature map was pressed or dragged to. */
  move(on: "input" | "output", at: [number, number]): void;
  inspectOutput(at: [number, number] | null): void;
  inspectInput(at: [number, number] | null): void;
  inspectWeight(tap: [number, number] | null): void;
  weights(values: number[]): void;
  bias(value: number): void;
  wrong(words: string): void;
}

const PLAIN: Scale = { map: "gray", min: 0, max: 1 };

export class View {
  readonly input: Picture;
  readonly output: Picture;
  readonly kernel: KernelEditor;
  readonly window: Grid;
  readonly products: Grid;
  readonly pixels: Grid;
  readonly sum = h("output", { class: "sum" });
  private readonly windowNote = h("span", { class: "note" });
  private readonly pixelNote = h("span", { class: "note" });
  private readonly productsTitle = h("b", {}, "products and sum");
  /** What the page around looks like: on a dark theme, in a narrow column. */
  dark = false;
  narrow = false;
  private look: Look | undefined;
  private painted: { image: Float32Array; dark: boolean } | undefined;
  private inScale: Scale = PLAIN;
  private outScale: Scale = PLAIN;
  private outOrigin: [number, number] = [0, 0];
  private outSide = 7;

  constructor(stage: HTMLElement, events: ViewEvents) {
    this.input = new Picture({
      label: "Input",
      role: "input",
      point: (at, dragging) => (at && dragging ? events.move("input", at) : events.inspectInput(at)),
    });
    this.output = new Picture({
      label: "Feature map",
      role: "output",
      point: (at, dragging) => (at && dragging ? events.move("output", at) : events.inspectOutput(at)),
    });
    this.kernel = new KernelEditor(events);
    this.window = new Grid({ name: "window", label: "The window and its surroundings", point: (at) => events.inspectInput(at && this.sourceOf(at)) });
    this.products = new Grid({ name: "products", label: "Products of weights and pixels", point: events.inspectWeight });
    this.pixels = new Grid({
      name: "pixels",
      label: "Output pixels around this one",
      point: (at) => events.inspectOutput(at && this.outputOf(at)),
      press: (at) => {
        const pixel = this.outputOf(at);
        if (pixel) events.move("output", pixel);
      },
    });
    const sign = (words: string, area: string) => h("span", { class: "sign", style: `grid-area:${area}`, "aria-hidden": "true" }, words);
    const cell = (area: string, ...children: Node[]) => h("div", { class: "part", style: `grid-area:${area}` }, ...children);
    stage.classList.add("equation");
    stage.append(
      cell("input", this.input.element),
      sign("⋆", "star"),
      cell("kernel", this.kernel.element),
      sign("=", "equals"),
      cell("output", this.output.element),
      cell("window", h("div", { class: "label role-input" }, h("b", {}, "the window"), this.windowNote), this.window.element),
      cell("products", h("div", { class: "label role-weight" }, this.productsTitle), this.products.element, h("div", { class: "sumline" }, this.kernel.bias, this.sum)),
      sign("→", "arrow"),
      cell("pixel", h("div", { class: "label role-output" }, h("b", {}, "one output pixel"), this.pixelNote), this.pixels.element),
    );
  }

  /** A new picture, kernel or setting. */
  picture(model: Model): void {
    const { dark } = this;
    const [height, width] = model.input;
    const { output, geometry } = model.current!;
    // Another kernel leaves the input as it is.
    const { data } = model.image!;
    if (this.painted?.image !== data || this.painted?.dark !== dark) {
      this.painted = { image: data, dark };
      this.inScale = scaleFor(data, dark);
      this.input.draw({ data, height, width }, this.inScale);
      this.input.scale(this.inScale);
    }
    this.input.words = model.about;
    this.input.shade(geometry.rows, geometry.cols);
    this.outScale = scaleFor(output.data, dark);
    this.output.scale(this.outScale);
  }

  /** The feature map up to and including `at`, or all of it. */
  fill(model: Model, at: [number, number], whole: boolean): void {
    const { output, geometry } = model.current!;
    const [height, width] = geometry.output;
    this.output.draw({ data: output.data, height, width }, this.outScale, whole ? undefined : at[0] * width + at[1] + 1);
    this.output.words = whole ? `${height} × ${width}` : `filling in, row ${at[0] + 1} of ${height}`;
    this.output.outline("now", [{ top: at[0], left: at[1], bottom: at[0], right: at[1] }]);
  }

  /** One output pixel's story, with the first `shown` products. */
  tell(model: Model, look: Look, shown: number, whole: boolean): void {
    this.outSide = this.narrow ? 5 : 7;
    this.look = look;
    const { kernel } = model.current!;
    const { explanation, rect, at } = look;
    this.input.outline("now", [rect]);
    this.tellWindow(model, look);
    this.tellProducts(explanation.terms, kernel, shown, this.dark);
    const done = shown >= explanation.terms.length;
    const words = done ? `= ${decimal(explanation.value, 2)}` : `so far ${decimal(explanation.partials[shown - 1] ?? 0, 2)}`;
    write(this.sum, words);
    this.sum.classList.toggle("done", done);
    this.tellPixels(model, at, done, whole);
    write(this.pixelNote, `(m, n) = (${at[0]}, ${at[1]})`);
  }

  private tellWindow(model: Model, { crop, explanation, rect }: Look): void {
    const { side, top, left, values, source } = crop;
    const { dilation } = model.current!.geometry;
    const [, kw] = model.current!.kernel;
    const [, width] = model.input;
    const taps = new Map(
      explanation.terms.map((term, i) => {
        const [ky, kx] = [Math.floor(i / kw), i % kw];
        return [(rect.top + ky * dilation[0] - top) * side + (rect.left + kx * dilation[1] - left), term] as const;
      }),
    );
    const cells = Array.from(values, (value, i): Cell => {
      const from = source[i]!;
      const term = taps.get(i);
      if (from === -2) return { text: "", fill: "transparent", ink: "inherit", classes: "void", label: "outside the picture" };
      const place = from === -1 ? "zero padding" : `row ${Math.floor(from / width)}, column ${from % width}`;
      const [row, col] = [top + Math.floor(i / side), left + (i % side)];
      const [h0, w0] = model.input;
      const padded = row < 0 || col < 0 || row >= h0 || col >= w0;
      const { fill, ink } = colour(this.inScale, value);
      return {
        text: short(value),
        fill,
        ink,
        classes: `${padded ? "pad " : ""}${term ? "tap" : ""}`,
        label: `${place}${padded && from >= 0 ? " (padding)" : ""}: ${decimal(value)}${term ? `, in the window, weight ${asWeight(term.w!)}` : ""}`,
      };
    });
    this.window.show(side, side, cells);
    write(this.windowNote, `${side} × ${side} around it`);
  }

  private tellProducts(terms: Term[], [kh, kw]: [number, number], shown: number, dark: boolean): void {
    const reach = Math.max(...terms.map(({ product }) => Math.abs(product!)), 1e-6);
    const scale: Scale = { map: dark ? "prgn-dark" : "prgn", min: -reach * 1.4, max: reach * 1.4 };
    const roomy = kw <= 3;
    const cells = terms.map((term, i): Cell => {
      const detail = roomy ? `${decimal(term.x)}·${asWeight(term.w!)}` : undefined;
      const label = `weight ${asWeight(term.w!)} times ${term.padding ? "padding" : "pixel"} ${decimal(term.x)} is ${decimal(term.product!)}`;
      if (i >= shown) return { text: "", detail, fill: "transparent", ink: "inherit", classes: "void", label: `not yet: ${label}` };
      const { fill, ink } = colour(scale, term.product!);
      return { text: roomy ? decimal(term.product!, 2, true) : short(term.product!, true, reach < 0.1 ? 3 : 2), detail, fill, ink, classes: i === shown - 1 && shown < terms.length ? "now" : "", label };
    });
    this.products.show(kh, kw, cells);
    const words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    write(this.productsTitle, `${words[terms.length] ?? terms.length} product${terms.length === 1 ? "" : "s"}, one sum`);
  }

  private tellPixels(model: Model, at: [number, number], done: boolean, whole: boolean): void {
    const { output, geometry } = model.current!;
    const [height, width] = geometry.output;
    const half = this.outSide >> 1;
    this.outOrigin = [at[0] - half, at[1] - half];
    const index = at[0] * width + at[1];
    const cells: Cell[] = [];
    for (let i = 0; i < this.outSide * this.outSide; i++) {
      const row = this.outOrigin[0] + Math.floor(i / this.outSide);
      const col = this.outOrigin[1] + (i % this.outSide);
      const place = row * width + col;
      const now = place === index && row === at[0];
      if (row < 0 || col < 0 || row >= height || col >= width) {
        cells.push({ text: "", fill: "transparent", ink: "inherit", classes: "void out", label: "outside the feature map" });
      } else if ((place > index && !whole) || (now && !done)) {
        cells.push({ text: "", fill: "transparent", ink: "inherit", classes: now ? "void now" : "void", label: `row ${row}, column ${col}: not computed yet` });
      } else {
        const value = output.data[place]!;
        const { fill, ink } = colour(this.outScale, value);
        cells.push({ text: short(value, this.outScale.min < 0), fill, ink, classes: now ? "now" : "", label: `row ${row}, column ${col}: ${decimal(value)}` });
      }
    }
    this.pixels.show(this.outSide, this.outSide, cells);
  }

  /** Lights the input pixels of another output pixel's window. */
  lightWindow(rects: { top: number; left: number; bottom: number; right: number }[]): void {
    this.input.outline("lit", rects);
    const { crop } = this.look ?? {};
    if (!crop) return;
    const inside = (i: number) => {
      const [row, col] = [crop.top + Math.floor(i / crop.side), crop.left + (i % crop.side)];
      return rects.some((rect) => row >= rect.top && row <= rect.bottom && col >= rect.left && col <= rect.right);
    };
    this.window.mark("lit", rects.length ? [...crop.values.keys()].filter(inside) : []);
  }

  /** Lights output pixels. */
  lightOutputs(pixels: [number, number][]): void {
    this.output.outline("lit", pixels.map(([row, col]) => ({ top: row, bottom: row, left: col, right: col })));
    this.pixels.mark(
      "lit",
      pixels.flatMap(([row, col]) => {
        const [y, x] = [row - this.outOrigin[0], col - this.outOrigin[1]];
        return y >= 0 && x >= 0 && y < this.outSide && x < this.outSide ? [y * this.outSide + x] : [];
      }),
    );
  }

  /** Lights all pixels that one weight multiplies. */
  lightUses(uses: { start: [number, number]; step: [number, number]; count: [number, number] } | null, tap: number): void {
    this.products.mark("lit", uses ? [tap] : []);
    this.kernel.light(uses ? tap : -1);
    this.input.pattern(uses);
    const terms = this.look?.explanation.terms;
    const crop = this.look?.crop;
    if (!uses || !terms || !crop) return void this.window.mark("used", []);
    const cells = [...crop.values.keys()].filter((i) => {
      const [y, x] = [crop.top + Math.floor(i / crop.side) - uses.start[0], crop.left + (i % crop.side) - uses.start[1]];
      const on = (offset: number, step: number, count: number) => offset >= 0 && offset % step === 0 && offset / step < count;
      return on(y, uses.step[0], uses.count[0]) && on(x, uses.step[1], uses.count[1]);
    });
    this.window.mark("used", cells);
  }

  private sourceOf([row, col]: [number, number]): [number, number] | null {
    const { crop } = this.look ?? {};
    const source = crop?.source[row * crop.side + col];
    if (source === undefined || source < 0) return null;
    const width = this.input.canvas.width;
    return [Math.floor(source / width), source % width];
  }

  private outputOf([row, col]: [number, number]): [number, number] | null {
    const [y, x] = [this.outOrigin[0] + row, this.outOrigin[1] + col];
    return y >= 0 && x >= 0 && y < this.output.canvas.height && x < this.output.canvas.width ? [y, x] : null;
  }
}

