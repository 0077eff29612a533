/** Kernels kept beside the present one: each with its map of the same picture. */
import { colour, scaleFor } from "../../draw/colormaps";
import { paint } from "../../draw/heatmap";
import type { Tensor } from "../../engine/api";
import { h } from "../../figure/dom";

export interface Pin {
  name: string;
  kernel: Tensor;
  map: Tensor;
}

export class Pins {
  readonly element = h("div", { class: "pins", role: "group", "aria-label": "Kernels kept beside" });

  constructor(private readonly remove: (name: string) => void, private readonly take: (name: string) => void) {}

  show(pins: Pin[], dark: boolean): void {
    this.element.replaceChildren(...pins.map(({ name, kernel, map }) => {
      const canvas = h("canvas", { role: "img", "aria-label": `Feature map of ${name}` });
      paint(canvas, { data: map.data, height: map.shape[1]!, width: map.shape[2]! }, scaleFor(map.data, dark));
      const scale = { map: dark ? "prgn-dark" : "prgn", min: -1, max: 1 } as const;
      const most = Math.max(...kernel.data.map(Math.abs), 1e-9);
      const k = kernel.shape[3]!;
      return h("div", { class: "pin" },
        canvas,
        h("div", { class: "pinwords" },
          h("span", { class: "glyph", style: `--k:${k}`, "aria-hidden": "true" }, ...Array.from(kernel.data, (w) => h("i", { style: `background:${colour(scale, w / most).fill}` }))),
          h("button", { type: "button", class: "plain", onclick: () => this.take(name) }, name.replace("-", " ")),
          h("button", { type: "button", class: "plain off", "aria-label": `Put ${name} away`, onclick: () => this.remove(name) }, "×")));
    }));
  }
}
