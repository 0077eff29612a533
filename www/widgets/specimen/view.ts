/** The picture with its labels and bar; its histogram and power spectrum. */
import type { Specimen, Tensor } from "../../engine/api";
import { h, svg } from "../../figure/dom";
import { Picture } from "../../figure/picture";
import { toggle } from "../../figure/controls";
import { decimal } from "../../draw/numbers";
import { tint } from "./tint";

export interface ScaleBar {
  pixels: number;
  label: string;
}

/** A place in the whole spectrum, zoomed or not. */
type Place = [number, number];

export class View {
  readonly picture: Picture;
  readonly spectrum: Picture;
  readonly knobs = h("div", { class: "allknobs" });
  private readonly labels = h("canvas", { class: "tint", "aria-hidden": "true" });
  private readonly bar = h("div", { class: "bar" }, h("span"), h("i"));
  private readonly histogram = svg("svg", { class: "histogram", viewBox: "0 0 64 40", preserveAspectRatio: "none", "aria-hidden": "true" });
  private readonly counted = h("span", { class: "note" });
  private readonly zoom = toggle("× 2", (on) => this.zoomed(on));
  private current: Tensor | null = null;
  private spectral: { tensor: Tensor; finest: string } | null = null;
  private twice = false;
  private cursor: Place | null = null;
  /** Where the strongest frequency lies. */
  private brightest: Place | null = null;

  /** `frequency` is told which place of the n × n spectrum is pointed at. */
  constructor(stage: HTMLElement, hint: (words: string) => void, private frequency: (n: number, at: Place) => void) {
    this.picture = new Picture({ label: "micrograph", role: "input", point: (at) => hint(at ? this.wordsAt(at) : "") });
    this.picture.surface.append(this.labels, this.bar);
    this.spectrum = new Picture({ label: "power spectrum", role: "output", point: (at) => (at ? this.look([at[0] + this.margin, at[1] + this.margin]) : hint("")) });
    this.zoom.element.title = "The middle half of the spectrum, twice as large";
    this.spectrum.element.querySelector(".label")!.append(this.zoom.element);
    this.spectrum.surface.addEventListener("focus", () => this.brightest && this.look(this.cursor ?? this.brightest));
    this.spectrum.surface.addEventListener("keydown", (event) => this.keyed(event));
    stage.append(
      h("div", { class: "specimen" },
        h("div", {},
          this.picture.element,
          h("div", { class: "side" },
            this.spectrum.element,
            h("div", { class: "counts" }, h("div", { class: "label" }, h("b", {}, "histogram"), this.counted), this.histogram, h("div", { class: "ends" }, h("span", {}, "0"), h("span", {}, "1"))),
          ),
        ),
        this.knobs,
      ),
    );
  }

  draw({ labels }: Specimen, image: Tensor, about: string, label: string): void {
    const [, height, width] = image.shape as [number, number, number];
    this.current = image;
    this.picture.draw({ data: image.data, height, width }, { map: "gray", min: 0, max: 1 });
    this.picture.words = about;
    this.picture.description = `Micrograph: ${about}`;
    const map = labels[label];
    this.labels.hidden = !map;
    if (map) tint(this.labels, map, label);
  }

  scale(bar: ScaleBar | null, width: number): void {
    this.bar.hidden = !bar;
    if (!bar) return;
    const [words, line] = this.bar.children as unknown as [HTMLElement, HTMLElement];
    words.textContent = bar.label;
    line.style.width = `${(100 * bar.pixels) / width}%`;
  }

  analysis(counts: Uint32Array, spectrum: Tensor, finest: string, brightest: Place): void {
    const most = Math.max(1, ...counts.subarray(1, -1));
    const bars = [...counts].map((count, i) => {
      const height = Math.min(40, (38 * count) / most);
      return svg("rect", { x: (i * 64) / counts.length + 0.1, y: 40 - height, width: 64 / counts.length - 0.2, height });
    });
    this.histogram.replaceChildren(...bars);
    this.counted.textContent = `${counts.length} bins`;
    this.spectral = { tensor: spectrum, finest };
    this.brightest = brightest;
    this.cursor = null;
    this.showSpectrum();
  }

  private zoomed(on: boolean): void {
    this.twice = on;
    this.zoom.set(on);
    if (this.spectral) this.showSpectrum();
  }

  /** Rows and columns of the spectrum that the zoom leaves out on each side. */
  private get margin(): number {
    return this.twice ? (this.spectral?.tensor.shape[2] ?? 0) / 4 : 0;
  }

  private showSpectrum(): void {
    const { tensor, finest } = this.spectral!;
    const n = tensor.shape[2]!;
    const { margin } = this;
    const side = n - 2 * margin;
    const data = new Float32Array(side * side);
    for (let y = 0; y < side; y++) data.set(tensor.data.subarray((y + margin) * n + margin, (y + margin) * n + margin + side), y * side);
    this.spectrum.draw({ data, height: side, width: side }, { map: "gray", min: 0.2, max: 1 });
    this.spectrum.words = this.twice ? "the middle half" : finest;
    this.spectrum.description = `Power spectrum, logarithmic, ${side} by ${side}, ${this.twice ? "its middle half" : finest}`;
    this.mark();
  }

  private look(at: Place): void {
    this.cursor = at;
    this.mark();
    this.frequency(this.spectral!.tensor.shape[2]!, at);
  }

  /** Both places of a frequency: a real picture has each twice. */
  private mark(): void {
    const n = this.spectral?.tensor.shape[2] ?? 0;
    const { cursor, margin } = this;
    const box = ([y, x]: Place) => ({ top: y - margin - 2, left: x - margin - 2, bottom: y - margin + 2, right: x - margin + 2 });
    this.spectrum.outline("now", cursor ? [box(cursor), box([n - cursor[0], n - cursor[1]])] : []);
  }

  /** Arrows move the place that is read off; Home goes back to the brightest. */
  private keyed(event: KeyboardEvent): void {
    const moves: Record<string, Place> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const by = moves[event.key];
    if (!this.spectral || !this.brightest || (!by && event.key !== "Home")) return;
    event.preventDefault();
    const n = this.spectral.tensor.shape[2]!;
    const inside = (value: number) => Math.max(this.margin, Math.min(n - 1 - this.margin, value));
    const [y, x] = this.cursor ?? this.brightest;
    this.look(by ? [inside(y + by[0]), inside(x + by[1])] : this.brightest);
  }

  private wordsAt([y, x]: [number, number]): string {
    if (!this.current) return "";
    return `row ${y}, column ${x}: ${decimal(this.current.data[y * this.current.shape[2]! + x]!)}`;
  }
}
