/** A layer on one row of pixels: inputs above, outputs below, a line for every product; or the same as a matrix. */
import { colour, type Scale } from "../../draw/colormaps";
import { decimal } from "../../draw/numbers";
import type { Tensor } from "../../engine/api";
import { h, svg } from "../../figure/dom";

/** One product: from an input to an output. Wires of one group share their weight. */
export interface Wire {
  from: number;
  to: number;
  value: number;
  group: number;
}

const [WIDTH, HEIGHT, BOX] = [400, 230, 26];

export class Lines {
  readonly element: HTMLElement;
  private readonly note = h("span", { class: "note" });
  private readonly drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  private title: string;

  constructor(title: string, point: (group: number | null) => void) {
    this.title = title;
    this.element = h("div", { class: "layer" }, h("div", { class: "label role-weight" }, h("b", {}, title), this.note), this.drawing);
    this.drawing.addEventListener("pointerover", (event) => {
      const group = (event.target as SVGElement).dataset.group;
      if (group !== undefined) point(Number(group));
    });
  }

  set words(text: string) {
    this.note.textContent = text;
  }

  show(input: Float32Array, grey: Scale, output: Float32Array, signed: Scale, wires: Wire[], weights: Scale, matrix: Tensor, view: "lines" | "matrix", lit: number | null): void {
    const n = input.length;
    const x = (i: number) => ((i + 0.5) / n) * WIDTH;
    const size = Math.min(BOX, (WIDTH / n) * 0.8);
    const box = (i: number, y: number, scale: Scale, value: number, name: string) => {
      const { fill, ink } = colour(scale, value);
      return [
        svg("rect", { class: name, x: x(i) - size / 2, y, width: size, height: size, rx: 2, fill }),
        svg("text", { x: x(i), y: y + size / 2 + 3.4, fill: ink }, new Text(decimal(value, 1).replace(/^(−?)0\./, "$1."))),
      ];
    };
    const middle = view === "lines" ? this.wires(wires, weights, x, size, lit) : this.matrix(matrix, weights, wires, lit, n);
    this.drawing.replaceChildren(...middle, ...Array.from(input, (value, i) => box(i, 1, grey, value, "in")).flat(), ...Array.from(output, (value, i) => box(i, HEIGHT - size - 1, signed, value, "out")).flat());
    this.drawing.setAttribute("aria-label", `${this.title}: ${n} pixels in, ${output.length} numbers out, ${wires.length} lines`);
  }

  private wires(wires: Wire[], weights: Scale, x: (i: number) => number, size: number, lit: number | null): SVGElement[] {
    const most = Math.max(Math.abs(weights.min), weights.max, 1e-9);
    const sorted = [...wires].sort((a, b) => Number(a.group === lit) - Number(b.group === lit));
    return sorted.map(({ from, to, value, group }) => svg("line", {
      class: lit === null ? "wire" : group === lit ? "wire lit" : "wire dim",
      x1: x(from), y1: size + 3, x2: x(to), y2: HEIGHT - size - 3,
      stroke: colour(weights, value).fill, "stroke-width": (0.8 + (2.6 * Math.abs(value)) / most).toFixed(2), "data-group": group,
    }));
  }

  private matrix({ data, shape }: Tensor, weights: Scale, wires: Wire[], lit: number | null, n: number): SVGElement[] {
    const rows = shape[0]!;
    const side = Math.min((HEIGHT - 2 * BOX - 22) / rows, WIDTH / n);
    const [left, top] = [(WIDTH - side * n) / 2, BOX + 11];
    const group = new Map(wires.map(({ from, to, group }) => [to * n + from, group]));
    return Array.from(data, (value, i) => {
      const own = group.get(i);
      return svg("rect", {
        class: own === undefined ? "entry none" : lit !== null && own === lit ? "entry lit" : lit === null ? "entry" : "entry dim",
        x: left + (i % n) * side + 0.5, y: top + Math.floor(i / n) * side + 0.5, width: side - 1, height: side - 1,
        fill: own === undefined ? "transparent" : colour(weights, value).fill, ...(own === undefined ? {} : { "data-group": own }),
      });
    });
  }
}
