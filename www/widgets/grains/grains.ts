/** `<ks-grains>`: from a map of probabilities to grains or particles, to their sizes, and to what the way there is worth. */
import { scaleFor } from "../../draw/colormaps";
import { paintLabels } from "../../draw/labels";
import { decimal } from "../../draw/numbers";
import type { Tensor } from "../../engine/api";
import { select, slider } from "../../figure/controls";
import { h, latest, svg } from "../../figure/dom";
import { Lesson } from "../../figure/lesson";
import { Picture } from "../../figure/picture";
import { choice, number } from "../../figure/state";
import css from "./grains.css";
import { type Flood, type Method, METHODS, Methods } from "./methods";
import { labelOf, load, type Measurable, type PictureName, PICTURES, suits } from "./pictures";

const specs = {
  picture: choice(PICTURES, "titanium"),
  /** What is not chosen suits the picture. */
  method: choice(["auto", ...METHODS.map(({ value }) => value)], "auto"),
  /** −1: as chosen on specimens. */
  threshold: number(-1),
  clear: number(-1),
  neck: number(-1),
};
type Values = { [K in keyof typeof specs]: (typeof specs)[K]["initial"] };

interface Told {
  count: number;
  diameters: number[];
  mean: number;
  fraction: number;
  matched: { of: number; found: number } | null;
}

interface Scores {
  iou: number[];
  boundary: { f1: number };
}

const BINS = 16;
/** What the reader has not set is as it was chosen on specimens. */
const CHOSEN = { threshold: -1, clear: -1, neck: -1 };

export class Grains extends Lesson<Values> {
  protected readonly invitation = "Move the threshold, and watch what becomes of the grains.";
  protected readonly specs = specs;
  protected override readonly css = css;
  private methods!: Methods;
  private source: Measurable | undefined;
  private from = "";
  private map: Tensor | undefined;
  private mapOf = "";
  private readonly input = new Picture({ label: "Picture", role: "input", point: () => undefined });
  private readonly probability = new Picture({ label: "Probability", role: "output", point: (at) => this.point(at) });
  private readonly seeds = new Picture({ label: "Markers", role: "output", point: () => undefined });
  private readonly regions = new Picture({ label: "Grains", role: "output", point: () => undefined });
  private readonly facts = h("dl", { class: "told" });
  private readonly bars = svg("svg", { class: "sizes", viewBox: `0 0 ${BINS} 40`, preserveAspectRatio: "none", "aria-hidden": "true" });
  private readonly axis = h("div", { class: "ends" });
  private readonly table = h("table", { class: "rivals" });
  private readonly hint = h("span", { class: "hint" });
  private readonly pictures = select("picture", (picture) => this.change({ picture: picture as PictureName, method: "auto", ...CHOSEN }));
  private readonly ways = select("found by", (method) => this.change({ method, ...CHOSEN }));
  private readonly threshold = slider("threshold", { min: 0.02, max: 0.98, step: 0.02, words: (value) => decimal(value) }, (threshold) => this.change({ threshold }));
  private readonly neck = slider("cut at necks below", { min: 0, max: 1, step: 0.05, words: (value) => (value ? `${Math.round(100 * value)} %` : "never") }, (neck) => this.change({ neck }));
  private readonly clear = slider("distance of markers", { min: 0, max: 8, step: 0.5, words: (value) => `${decimal(value, 1)} px` }, (clear) => this.change({ clear }));

  protected assemble(): void {
    this.stage.classList.add("grains");
    this.stage.append(
      h("div", { class: "chain" }, this.input.element, this.probability.element, this.seeds.element, this.regions.element),
      h("div", { class: "outcome" },
        this.facts,
        h("div", { class: "spread" }, h("div", { class: "label" }, h("b", {}, "Sizes"), h("span", { class: "note" }, "diameter of a disc of the same area")), this.bars, this.axis),
        h("div", { class: "versus" }, h("div", { class: "label" }, h("b", {}, "Other ways"), h("span", { class: "note" }, "each at its own setting, chosen on specimens")), this.table),
      ),
    );
    this.stage.after(h("div", { class: "facts" }, this.hint));
    this.pictures.fill(PICTURES.map((value) => ({ value, label: labelOf(value) })));
    this.ways.fill(METHODS.map(({ value, label }) => ({ value, label })));
    this.strip.append(h("div", { class: "sliders" }, this.threshold.element, this.clear.element, this.neck.element), this.choices(this.pictures.element, this.ways.element));
  }

  protected override async start(): Promise<void> {
    this.methods = new Methods(this.engine);
    await super.start();
  }

  private get method(): Method {
    const { method, picture } = this.state.value;
    return METHODS.find(({ value, finds }) => (method === "auto" ? finds === suits(picture) : value === method))!;
  }

  /** The settings in use: the reader's, or those chosen on specimens. */
  private get settings(): Flood {
    const { threshold, clear, neck } = this.state.value;
    const { flood } = this.method;
    const own = (value: number, chosen: number, most: number) => (value >= 0 ? Math.min(most, value) : chosen);
    return { ...flood, threshold: own(threshold, flood.threshold, 1), clear: own(clear, flood.clear, 32), neck: own(neck, flood.neck, 1) };
  }

  protected controls(): void {
    const { picture } = this.state.value;
    const { threshold, clear, neck } = this.settings;
    this.pictures.set(picture);
    this.ways.set(this.method.value);
    this.threshold.set(threshold);
    this.clear.set(clear);
    this.neck.set(neck);
    for (const { element } of [this.clear, this.neck]) element.hidden = this.method.finds !== "boundaries";
  }

  protected override micrographChosen(): void {
    if (this.state.value.picture !== "yours") return;
    this.from = "";
    this.draw();
  }

  protected async compute(): Promise<void> {
    const { method } = this;
    const source = await this.picture();
    const key = `${this.from}/${method.value}`;
    if (this.mapOf !== key) {
      this.map = await this.methods.map(method, source.image);
      this.mapOf = key;
    }
    const map = this.map!;
    const found = await this.find(method, map, this.settings);
    const told = await this.measure(found.regions, method, source);
    this.show(source, method, map, found);
    this.tell(source, method, told);
    this.compare(undefined);
  }

  private async picture(): Promise<Measurable> {
    const { picture } = this.state.value;
    if (!this.source || this.from !== picture) {
      this.source = await load(this.engine, picture);
      this.from = picture;
      this.mapOf = "";
    }
    return this.source;
  }

  /** Markers and what grows from them; of particles, the mask and its connected regions. */
  private async find({ finds }: Method, map: Tensor, settings: Flood): Promise<{ seeds: Tensor; regions: Tensor }> {
    const [seeds, regions] = await Promise.all(
      finds === "particles"
        ? [1, settings.least].map((least) => this.engine.askTensor("regions_of", map, settings.threshold, least))
        : ["grain_markers", "grains_of"].map((question) => this.engine.askTensor(question, map, settings)),
    );
    return { seeds: seeds!, regions: regions! };
  }

  private async measure(regions: Tensor, { finds }: Method, { truth, finds: known }: Measurable): Promise<Told> {
    if (!truth || known !== finds) return this.engine.ask<Told>("regions_measured", regions, undefined);
    const true_ = finds === "boundaries" ? await this.engine.askTensor("grains_of", truth, { threshold: 0.5, clear: 0, least: 1 }) : await this.engine.askTensor("regions_of", truth, 0.5, 1);
    return this.engine.ask<Told>("regions_measured", regions, true_);
  }

  private show({ image, about }: Measurable, { finds }: Method, map: Tensor, { seeds, regions }: { seeds: Tensor; regions: Tensor }): void {
    const [, height, width] = image.shape as [number, number, number];
    const grey = scaleFor(image.data, false);
    const plane = (tensor: Tensor) => ({ data: tensor.data, height, width });
    const boundaries = finds === "boundaries";
    this.input.words = about;
    this.input.draw(plane(image), grey);
    const range = { map: "cividis", min: 0, max: 1, clipped: !this.method.network } as const;
    this.probability.words = this.method.network ? `p(${boundaries ? "boundary" : "particle"})` : "strength of the answer";
    this.probability.draw(plane(map), range);
    this.probability.scale(range);
    for (const [picture, label, words, tensor, alpha] of [
      [this.seeds, boundaries ? "Markers" : "Above the threshold", boundaries ? "surely inside of a grain" : "every pixel of it", seeds, 170],
      [this.regions, boundaries ? "Grains" : "Particles", boundaries ? "grown until they meet" : "connected, and no specks", regions, 120],
    ] as const) {
      picture.element.querySelector(".label b")!.textContent = label;
      picture.words = words;
      picture.draw(plane(image), grey);
      paintLabels(picture.layer, tensor, alpha);
      picture.description = `${label} in colours over the picture`;
    }
  }

  private tell({ pixelSize }: Measurable, { finds }: Method, { count, diameters, mean, fraction, matched }: Told): void {
    const things = finds === "boundaries" ? "grains" : "particles";
    const size = (pixels: number) => (pixelSize ? length(pixels * pixelSize) : `${decimal(pixels, 1)} px`);
    const rows: [string, string][] = [
      [things, String(count)],
      ["mean diameter", count ? size(mean) : "–"],
      ...(finds === "particles" ? [["phase fraction", `${decimal(100 * fraction, 1)} %`] as [string, string]] : []),
      ["found again", matched ? `${matched.found} of ${matched.of}` : "the truth is not known"],
    ];
    this.facts.replaceChildren(...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
    const most = Math.max(...diameters, 1);
    const bins = new Array<number>(BINS).fill(0);
    for (const diameter of diameters) bins[Math.min(BINS - 1, Math.floor((diameter / most) * BINS))]! += 1;
    const highest = Math.max(...bins, 1);
    this.bars.replaceChildren(...bins.map((n, i) => svg("rect", { x: i + 0.06, width: 0.88, y: 40 - (38 * n) / highest, height: (38 * n) / highest })));
    this.axis.replaceChildren(h("span", {}, "0"), h("span", {}, size(most)));
    this.describe(`${rows.map(([name, value]) => `${name}: ${value}`).join("; ")}. The largest has a diameter of ${size(most)}.`);
  }

  /** The rivals on the same picture, one after the other; where the truth is not known there is nothing to compare. */
  private readonly compare = latest(
    async () => {
      const { source, from } = this;
      if (!source?.truth) return void this.table.replaceChildren(h("tbody", {}, h("tr", {}, h("td", {}, "Nobody knows the truth of this picture."))));
      const rivals = METHODS.filter(({ finds }) => finds === source.finds);
      const boundaries = source.finds === "boundaries";
      const body = h("tbody", {});
      this.table.replaceChildren(h("thead", {}, h("tr", {}, h("td"), ...["IoU", ...(boundaries ? ["F1, 2 px"] : []), "found again"].map((words) => h("th", { scope: "col" }, words)))), body);
      for (const rival of rivals) {
        const map = await this.methods.map(rival, source.image);
        if (this.from !== from) return;
        const [, height, width] = map.shape as [number, number, number];
        const mask = map.data.map((value) => (value > rival.threshold ? 1 : 0));
        const { regions } = await this.find(rival, map, rival.flood);
        const [{ iou, boundary }, { matched }] = await Promise.all([
          this.engine.ask<Scores>("metrics", { data: mask, shape: [height, width] }, { data: source.truth.data, shape: [height, width] }, { classes: 2, boundary: 1, tolerance: 2 }),
          this.measure(regions, rival, source),
        ]);
        if (this.from !== from) return;
        const cells = [decimal(iou[1]!), ...(boundaries ? [decimal(boundary.f1, 3)] : []), `${matched!.found} of ${matched!.of}`];
        body.append(h("tr", { class: rival === this.method ? "own" : "" }, h("th", { scope: "row" }, rival.label), ...cells.map((words) => h("td", {}, words))));
      }
      this.table.dataset.done = from;
    },
    (error) => this.fail(error),
  );

  private point(at: [number, number] | null): void {
    const value = at && this.map?.data[at[0] * this.map.shape[2]! + at[1]];
    this.hint.textContent = at && typeof value === "number" ? `at (${at.join(", ")}): ${decimal(value)}` : "";
  }
}

const length = (nm: number): string => (nm >= 1000 ? `${decimal(nm / 1000, 1)} µm` : `${decimal(nm, nm < 10 ? 1 : 0)} nm`);
