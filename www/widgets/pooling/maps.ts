/** The lower scale: the same three ways on a whole map, and how much of each result a shift changes. */
import { activationScale } from "../../draw/maps";
import { scaleFor } from "../../draw/colormaps";
import { count, decimal, short } from "../../draw/numbers";
import { h } from "../../figure/dom";
import { select } from "../../figure/controls";
import { Picture } from "../../figure/picture";
import { changes, each, type Each, type Look, type Model, type Pooled, type Way, WAYS } from "./model";
import { LIMITS, MAPS } from "./settings";
import { sentence } from "./story";

export interface MapEvents {
  move(on: Way | "input", at: [number, number]): void;
  inspect(on: Way | "input", at: [number, number] | null): void;
  shift(by: number): void;
  limit(limit: string): void;
}

const TITLES: Each<string> = { max: "Max", average: "Average", convolution: "Strided convolution" };
const MOST = 16;

export class Maps {
  readonly input: Picture;
  readonly outputs: Each<Picture>;
  private readonly sentences: Each<HTMLElement>;
  private readonly counts: Each<HTMLElement>;
  private readonly about = h("p", { class: "count" });
  private readonly slider: HTMLInputElement;
  private readonly shifted = h("output", { class: "by" });
  private readonly limits;

  constructor(stage: HTMLElement, events: MapEvents) {
    const picture = (label: string, role: "input" | "output", on: Way | "input") =>
      new Picture({ label, role, point: (at, dragging) => (at && dragging ? events.move(on, at) : events.inspect(on, at)) });
    this.input = picture("Full size", "input", "input");
    this.outputs = each((way) => picture(TITLES[way], "output", way));
    this.sentences = each(() => h("p", { class: "sentence" }));
    this.counts = each(() => h("p", { class: "count" }));
    this.slider = h("input", { type: "range", class: "scrub", min: 0, max: MOST, value: 0, "aria-label": "Shift of the map in pixels", oninput: () => events.shift(Number(this.slider.value)) });
    this.limits = select("count changes", events.limit);
    this.limits.fill(LIMITS.map((value) => ({ value, label: value === "any" ? "of any size" : `above ${value} %` })));
    this.limits.element.title = "Per cent of the range that the map’s colours show";
    stage.append(
      h("div", { class: "part whole" }, this.input.element, this.about),
      ...WAYS.map((way) => h("div", { class: `part map ${way}` }, this.outputs[way].element, this.sentences[way], this.counts[way])),
      h("div", { class: "part shifting", role: "group", "aria-label": "Shift the map and count what changes" },
        h("span", { class: "words" }, "shift right by"), this.slider, this.shifted, this.limits.element),
    );
  }

  /** New maps. */
  show(model: Model, map: (typeof MAPS)[number], shift: number, limit: string, dark: boolean): void {
    const [plain, shown] = [model.map!, model.shifted!];
    const scale = map === "edges" ? activationScale(plain.input.data, dark) : scaleFor(plain.input.data, dark);
    const [height, width] = shown.size;
    this.input.draw({ data: shown.input.data, height, width }, scale);
    this.input.scale(scale);
    this.input.words = `${height} × ${width}`;
    this.about.replaceChildren(map === "edges" ? "ReLU of Sobel x on: " : "", model.about);
    this.input.description = `${model.about}, ${map === "edges" ? "map of its vertical edges" : "as it is"}${shift ? `, shifted right by ${shift} pixels` : ""}`;
    const { rows, cols } = shown.geometry.max;
    this.input.shade(rows, cols);
    for (const way of WAYS) {
      const own = scaleFor(plain.outputs[way].data, dark);
      const used = way === "convolution" && own.min < 0 ? own : scale;
      const [rowsOut, colsOut] = shown.geometry[way].output;
      this.outputs[way].draw({ data: shown.outputs[way].data, height: rowsOut, width: colsOut }, used);
      this.outputs[way].scale(used);
      this.outputs[way].words = `${rowsOut} × ${colsOut}`;
      this.outputs[way].description = `${TITLES[way]}, ${rowsOut} by ${colsOut} values`;
      this.tellChanges(way, plain, shown, shift, limit === "any" ? 0 : (Number(limit) / 100) * (used.max - used.min));
    }
    this.slider.value = String(Math.max(0, Math.min(MOST, shift)));
    this.slider.style.setProperty("--done", `${(Number(this.slider.value) / MOST) * 100}%`);
    this.slider.setAttribute("aria-valuetext", `${shift} pixels`);
    this.shifted.textContent = `${shift} px`;
    this.limits.set(limit);
  }

  private tellChanges(way: Way, plain: Pooled, shown: Pooled, shift: number, limit: number): void {
    const all = plain.outputs[way].data.length;
    const found = shift ? changes(plain.outputs[way], shown.outputs[way], limit) : 0;
    this.counts[way].classList.toggle("still", !shift);
    this.counts[way].dataset.changed = String(found);
    this.counts[way].replaceChildren(
      h("b", { class: "out" }, `${decimal((100 * found) / all, found / all < 0.1 ? 1 : 0)} %`),
      ` changed: ${count(found)} of ${count(all)}`,
    );
  }

  tell({ at, rect, told }: Look): void {
    this.input.outline("now", [rect]);
    for (const way of WAYS) {
      const [row, col] = at;
      this.outputs[way].outline("now", told[way] ? [{ top: row, bottom: row, left: col, right: col }] : []);
      this.sentences[way].replaceChildren(sentence(way, told[way], (value) => short(value)));
    }
  }

  lightWindow(rect: Look["rect"] | null): void {
    this.input.outline("lit", rect ? [rect] : []);
  }

  lightOutputs(outputs: Each<[number, number][]> | null): void {
    for (const way of WAYS) this.outputs[way].outline("lit", (outputs?.[way] ?? []).map(([row, col]) => ({ top: row, bottom: row, left: col, right: col })));
  }

  /** Which picture an element belongs to. */
  pictureOf(element: Element): Way | "input" | null {
    if (this.input.surface.contains(element)) return "input";
    return WAYS.find((way) => this.outputs[way].surface.contains(element)) ?? null;
  }
}
