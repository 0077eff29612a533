/** A cut through the picture and its two gradients: what the kernels answer along one row, or down one column. */
import { decimal } from "../../draw/numbers";
import { h, svg } from "../../figure/dom";

const [WIDTH, HEIGHT, GAP] = [400, 74, 12];

export class Profile {
  readonly element: HTMLElement;
  private readonly title = h("b", {});
  private readonly drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${2 * HEIGHT + GAP}`, preserveAspectRatio: "none", role: "img" });
  private readonly words = h("div", { class: "ends" });

  constructor() {
    this.element = h("div", { class: "profile" }, h("div", { class: "label" }, this.title), this.drawing, this.words);
  }

  /** `input` wears its own scale; `x` and `y` share one, symmetric about zero. */
  show(title: string, input: Float32Array, x: Float32Array, y: Float32Array, at: number, [low, high]: [number, number], reach: number): void {
    const n = input.length;
    const across = (i: number) => ((i + 0.5) / n) * WIDTH;
    const points = (values: Float32Array, height: (value: number) => number) => Array.from(values, (value, i) => `${across(i).toFixed(1)},${height(value).toFixed(1)}`).join(" ");
    const clamp = (t: number) => Math.max(0, Math.min(1, t));
    const above = (value: number) => HEIGHT * (1 - clamp((value - low) / (high - low || 1)));
    const zero = HEIGHT + GAP + HEIGHT / 2;
    const below = (value: number) => zero - (HEIGHT / 2) * Math.max(-1, Math.min(1, value / reach));
    const line = (name: string, values: Float32Array, height: (value: number) => number) => svg("polyline", { class: name, points: points(values, height) });
    this.title.textContent = title;
    this.drawing.replaceChildren(
      svg("line", { class: "axis", x1: 0, x2: WIDTH, y1: zero, y2: zero }),
      svg("line", { class: "here", x1: across(at), x2: across(at), y1: 0, y2: 2 * HEIGHT + GAP }),
      line("grey", input, above),
      line("along y", y, below),
      line("along x", x, below),
    );
    this.drawing.setAttribute("aria-label", `${title}: the picture's values, and the answers of Sobel x and Sobel y. Here ${decimal(input[at]!)}, Sobel x ${decimal(x[at]!, 2, true)}, Sobel y ${decimal(y[at]!, 2, true)}`);
    this.words.replaceChildren(
      h("span", { class: "in" }, `grey ${decimal(input[at]!)}`),
      h("span", { class: "key x" }, `Sobel x ${decimal(x[at]!, 2, true)}`),
      h("span", { class: "key y" }, `Sobel y ${decimal(y[at]!, 2, true)}`),
    );
  }
}
