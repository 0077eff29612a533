/** The whole weight tensor, drawn to scale: a row for each output channel, a kernel for each input channel. */
import { colour, type Scale } from "../../draw/colormaps";
import type { Tensor } from "../../engine/api";
import { h, svg } from "../../figure/dom";

const GAP = 0.7;

export class Weights {
  readonly element: HTMLElement;
  private readonly rows: { button: HTMLButtonElement; drawing: SVGSVGElement }[];
  private readonly words = h("p", { class: "parameters" });

  constructor(private readonly inputs: number, names: readonly string[], choose: (out: number) => void) {
    this.rows = names.map((name, out) => {
      const drawing = svg("svg", { "aria-hidden": "true" });
      const button = h("button", { type: "button", class: "kernels", "aria-pressed": "false", onclick: () => choose(out) }, h("span", {}, name), drawing);
      return { button, drawing };
    });
    this.element = h("div", { class: "tensor" }, h("div", { class: "label role-weight" }, h("b", {}, "All weights"), h("span", { class: "note" }, "a row is one output channel")), ...this.rows.map(({ button }) => button), this.words);
  }

  show({ data, shape }: Tensor, out: number, scale: Scale, words: string | null): void {
    const k = shape[3]!;
    const width = this.inputs * (k + GAP) - GAP;
    this.rows.forEach(({ button, drawing }, o) => {
      button.setAttribute("aria-pressed", String(o === out));
      drawing.setAttribute("viewBox", `-0.1 -0.1 ${width + 0.2} ${k + 0.2}`);
      drawing.replaceChildren(...Array.from({ length: this.inputs * k * k }, (_, i) => {
        const [c, y, x] = [Math.floor(i / (k * k)), Math.floor(i / k) % k, i % k];
        return svg("rect", { x: c * (k + GAP) + x, y, width: 1, height: 1, fill: colour(scale, data[o * this.inputs * k * k + i]!).fill });
      }));
    });
    this.words.textContent = words ?? "How many are these? Answer the question below.";
  }
}
