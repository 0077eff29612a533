/** The picture with its labels and bar; its histogram and power spectrum. */
import type { Specimen, Tensor } from "../../engine/api";
import { h, svg } from "../../figure/dom";
import { Picture } from "../../figure/picture";
import { decimal } from "../../draw/numbers";
import { tint } from "./tint";

export interface ScaleBar {
  pixels: number;
  label: string;
}

export class View {
  readonly picture: Picture;
  readonly spectrum: Picture;
  readonly knobs = h("div", { class: "allknobs" });
  private readonly labels = h("canvas", { class: "tint", "aria-hidden": "true" });
  private readonly bar = h("div", { class: "bar" }, h("span"), h("i"));
  private readonly histogram = svg("svg", { class: "histogram", viewBox: "0 0 64 40", preserveAspectRatio: "none", "aria-hidden": "true" });
  private readonly counted = h("span", { class: "note" });
  private current: Tensor | null = null;

  constructor(stage: HTMLElement, hint: (words: string) => void) {
    this.picture = new Picture({ label: "micrograph", role: "input", point: (at) => hint(at ? this.wordsAt(at) : "") });
    this.picture.surface.append(this.labels, this.bar);
    this.spectrum = new Picture({ label: "power spectrum", role: "output", point: () => undefined });
    this.spectrum.surface.removeAttribute("tabindex");
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

  analysis(counts: Uint32Array, spectrum: Tensor, finest: string): void {
    const most = Math.max(1, ...counts.subarray(1, -1));
    const bars = [...counts].map((count, i) => {
      const height = Math.min(40, (38 * count) / most);
      return svg("rect", { x: (i * 64) / counts.length + 0.1, y: 40 - height, width: 64 / counts.length - 0.2, height });
    });
    this.histogram.replaceChildren(...bars);
    this.counted.textContent = `${counts.length} bins`;
    const [, height, width] = spectrum.shape as [number, number, number];
    this.spectrum.draw({ data: spectrum.data, height, width }, { map: "gray", min: 0.2, max: 1 });
    this.spectrum.words = finest;
    this.spectrum.description = `Power spectrum, logarithmic, ${width} by ${height}, ${finest}`;
  }

  private wordsAt([y, x]: [number, number]): string {
    if (!this.current) return "";
    return `row ${y}, column ${x}: ${decimal(this.current.data[y * this.current.shape[2]! + x]!)}`;
  }
}
