/** `<ks-pixel-shuffle>`: one order of the pixels for another; a dense layer cannot tell, a convolution can. */
import { scaleFor } from "../../draw/colormaps";
import { activationScale } from "../../draw/maps";
import { decimal } from "../../draw/numbers";
import type { Tensor } from "../../engine/api";
import { select, slider } from "../../figure/controls";
import { h } from "../../figure/dom";
import { Lesson } from "../../figure/lesson";
import { Picture } from "../../figure/picture";
import { questionPanel } from "../../figure/question";
import { type Source, SOURCES } from "../../figure/sources";
import { choice, number, numbers } from "../../figure/state";
import css from "./pixel-shuffle.css";

const PICTURES = ["grains-64", "two-grains", "titanium", "yours"] as const;
const specs = { picture: choice(PICTURES, "grains-64"), share: number(1), seed: number(1), at: numbers([], ".") };
type Values = { [K in keyof typeof specs]: (typeof specs)[K]["initial"] };

const UNITS = 8;
/** What is compared, once in order and once shuffled. */
interface Side {
  picture: Tensor;
  map: Tensor;
  units: Float32Array;
  /** Correlation of neighbouring pixels: of the picture, and of the map. */
  alike: { picture: number; map: number };
}

export class PixelShuffle extends Lesson<Values> {
  protected readonly invitation = "Shuffle the pixels, and the dense layer’s weights with them.";
  protected readonly specs = specs;
  protected override readonly css = css;
  private source: Source | undefined;
  private from = "";
  private sides: { before: Side; after: Side } | undefined;
  private locked = false;
  private kernels: Tensor | undefined;
  private readonly ordered = new Row("in order", (at) => this.point(at));
  private readonly mixed = new Row("shuffled", () => undefined);
  private readonly difference = h("p", { class: "difference" });
  private readonly pictures = select("picture", (picture) => this.change({ picture: picture as Values["picture"], at: [] }));
  private readonly share = slider("pixels that change places", { min: 0, max: 1, step: 0.01, words: (share) => `${Math.round(100 * share)} %` }, (share) => this.change({ share }));

  protected assemble(): void {
    this.stage.classList.add("shuffle");
    this.stage.append(...this.ordered.parts, ...this.mixed.parts, this.difference);
    this.pictures.fill(PICTURES.map((value) => ({ value, label: SOURCES.find((source) => source.value === value)!.label })));
    this.strip.append(
      h("div", { class: "sliders" }, this.share.element),
      this.choices(this.pictures.element, h("button", { type: "button", class: "button words", onclick: () => this.change({ seed: Math.round(this.state.value.seed) + 1 }) }, "Another order")),
    );
    this.ordered.picture.surface.addEventListener("keydown", (event) => this.keyed(event));
  }

  protected controls(): void {
    this.pictures.set(this.state.value.picture);
    this.share.set(this.state.value.share);
  }

  protected override micrographChosen(): void {
    if (this.state.value.picture !== "yours") return;
    this.from = "";
    this.draw();
  }

  protected async compute(): Promise<void> {
    const { engine } = this;
    const { picture, share, seed } = this.state.value;
    if (!(share >= 0 && share <= 1)) throw new Error(`The share of pixels that change places must lie between 0 and 1; got ${share}.`);
    if (this.from !== picture || !this.source) {
      this.source = await SOURCES.find(({ value }) => value === picture)!.load(engine);
      this.from = picture;
      this.sides = undefined;
    }
    const { image } = this.source;
    const n = image.data.length;
    this.kernels ??= await this.load();
    const weights = await engine.askTensor("dense_weights", UNITS, n, 1);
    const before = this.sides?.before ?? (await this.look(image, weights));
    const order = [n, share, Math.round(seed)] as const;
    const [shuffled, theirs] = await Promise.all([engine.askTensor("shuffled", image, ...order), engine.askTensor("shuffled", weights, ...order)]);
    this.sides = { before, after: await this.look(shuffled, theirs) };
    await this.show();
  }

  private async load(): Promise<Tensor> {
    const [x, y] = await Promise.all([this.engine.kernel("sobel-x"), this.engine.kernel("sobel-y")]);
    return { data: Float32Array.of(...x.data, ...y.data), shape: [2, 1, 3, 3] };
  }

  /** Both layers on one picture. */
  private async look(picture: Tensor, weights: Tensor): Promise<Side> {
    const { engine } = this;
    const flat: Tensor = { data: picture.data, shape: [picture.data.length] };
    const [gradient, units] = await Promise.all([engine.conv2d(picture, this.kernels!, null, { padding: 1, paddingMode: "reflect" }), engine.linear(flat, weights, null)]);
    const map = await engine.askTensor("magnitude", gradient);
    const [a, b] = await Promise.all([engine.ask<number>("neighbour_correlation", picture), engine.ask<number>("neighbour_correlation", map)]);
    return { picture, map, units: units.data, alike: { picture: a, map: b } };
  }

  private async show(): Promise<void> {
    const { before, after } = this.sides!;
    const { dark, locked } = this;
    const grey = scaleFor(before.picture.data, dark);
    const answer = activationScale(before.map.data, dark);
    const reach = Math.max(...before.units.map(Math.abs), 1e-6);
    this.ordered.show(before, grey, answer, reach, false);
    this.mixed.show(after, grey, answer, reach, locked);
    const apart = Math.max(...before.units.map((value, i) => Math.abs(value - after.units[i]!)));
    this.difference.textContent = locked ? "" : `The eight answers differ by ${apart === 0 ? "nothing" : `at most ${scientific(apart)}`}: the same products, added in another order, rounded differently.`;
    await this.mark();
    this.describe(`Neighbouring pixels correlate by ${decimal(before.alike.picture)} in order and ${decimal(after.alike.picture)} shuffled.${locked ? "" : ` The convolution's map: ${decimal(before.alike.map)} and ${decimal(after.alike.map)}. The dense layer's answers differ by at most ${scientific(apart)}.`}`);
  }

  /** One pixel in both pictures. */
  private async mark(): Promise<void> {
    const { at, share, seed } = this.state.value;
    const [, height, width] = this.source!.image.shape as [number, number, number];
    const [row, col] = at.map(Math.floor);
    if (row === undefined || col === undefined || !(row >= 0 && row < height && col >= 0 && col < width)) {
      for (const each of [this.ordered, this.mixed]) each.picture.outline("now", []);
      return;
    }
    const to = await this.engine.ask<number>("shuffled_to", height * width, share, Math.round(seed), row * width + col);
    const box = (i: number) => [{ top: Math.floor(i / width), left: i % width, bottom: Math.floor(i / width), right: i % width }];
    this.ordered.picture.outline("now", box(row * width + col));
    this.mixed.picture.outline("now", box(to));
    this.mixed.picture.words = `went to row ${Math.floor(to / width)}, column ${to % width}`;
  }

  private point(at: [number, number]): void {
    if (this.sides) this.change({ at });
  }

  private keyed(event: KeyboardEvent): void {
    const moves: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const by = moves[event.key];
    if (!by || !this.source) return;
    event.preventDefault();
    event.stopPropagation();
    const [, height, width] = this.source.image.shape as [number, number, number];
    const [row = height / 2, col = width / 2] = this.state.value.at;
    this.change({ at: [Math.max(0, Math.min(height - 1, row + by[0])), Math.max(0, Math.min(width - 1, col + by[1]))] });
  }

  protected override question(): HTMLElement {
    const choices = ["the dense layer", "the convolution", "both", "neither"];
    return questionPanel({
      key: this.key,
      prompt: "All pixels change places, and the dense layer’s weights change places with them. Which of the two layers cannot tell?",
      choices,
      prepare: () => this.change({ share: 1 }),
      locked: (locked) => {
        this.locked = locked;
        if (this.sides) void this.show();
      },
      reveal: async () => {
        await this.settled();
        const { before, after } = this.sides!;
        const apart = Math.max(...before.units.map((value, i) => Math.abs(value - after.units[i]!)));
        const blind = { dense: apart < 1e-3, convolution: Math.abs(after.alike.map - before.alike.map) < 0.1 };
        return {
          right: blind.dense ? (blind.convolution ? 2 : 0) : blind.convolution ? 1 : 3,
          because: `A sum does not know in which order it was added: the dense layer’s answers agree to ${scientific(apart)}. The convolution asks each pixel for its neighbours. They agreed, with a correlation of ${decimal(before.alike.picture)}; now it is ${decimal(after.alike.picture)}, and where its map had lines there is noise.`,
        };
      },
    });
  }
}

/** Picture, map and units of one order of the pixels. */
class Row {
  readonly picture: Picture;
  readonly map: Picture;
  readonly parts: HTMLElement[];
  private readonly bars = Array.from({ length: UNITS }, () => h("i"));
  private readonly unitsNote = h("span", { class: "note" });
  private readonly column: HTMLElement;

  constructor(private readonly order: string, point: (at: [number, number]) => void) {
    this.picture = new Picture({ label: `Picture, ${order}`, role: "input", point: (at, dragging) => at && dragging && point(at) });
    this.map = new Picture({ label: "Convolution", role: "output", point: () => undefined });
    this.column = h("div", { class: "units" }, h("div", { class: "label role-output" }, h("b", {}, "Dense layer"), this.unitsNote), h("div", { class: "bars", role: "img" }, ...this.bars));
    this.parts = [this.picture.element, this.map.element, this.column];
  }

  show({ picture, map, units, alike }: Side, grey: ReturnType<typeof scaleFor>, answer: ReturnType<typeof scaleFor>, reach: number, locked: boolean): void {
    const [, height, width] = picture.shape as [number, number, number];
    this.picture.draw({ data: picture.data, height, width }, grey);
    this.picture.words = `neighbours correlate: ${decimal(alike.picture)}`;
    this.picture.description = `The picture ${this.order}; neighbouring pixels correlate by ${decimal(alike.picture)}`;
    this.map.draw({ data: map.data, height, width }, answer);
    this.map.words = locked ? "" : `neighbours: ${decimal(alike.map)}`;
    this.map.description = locked ? "Shown when the question is answered" : `How steep the picture ${this.order} is; neighbours correlate by ${decimal(alike.map)}`;
    for (const element of [this.map.element, this.column]) element.classList.toggle("locked", locked);
    this.unitsNote.textContent = `${UNITS} units`;
    this.bars.forEach((bar, i) => {
      const value = units[i]!;
      bar.textContent = locked ? "" : decimal(value, 3, true);
      bar.className = value < 0 ? "less" : "more";
      bar.style.setProperty("--size", `${(50 * Math.abs(value)) / reach}%`);
    });
    this.column.querySelector(".bars")!.setAttribute("aria-label", locked ? "Shown when the question is answered" : `Answers of the dense layer ${this.order}: ${Array.from(units, (value) => decimal(value, 3)).join(", ")}`);
  }
}

const UP = "⁰¹²³⁴⁵⁶⁷⁸⁹";
/** 2.4 · 10⁻⁷ */
function scientific(value: number): string {
  if (value === 0) return "0";
  const [digits, power] = value.toExponential(1).split("e");
  return `${digits} · 10${Number(power) < 0 ? "⁻" : ""}${Array.from(String(Math.abs(Number(power))), (digit) => UP[Number(digit)]).join("")}`;
}
