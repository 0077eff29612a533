/** A kernel's response in every direction: how far out the line runs is how strong it is; solid where positive, dashed where negative. */
import { decimal } from "../../draw/numbers";
import { h, svg } from "../../figure/dom";

const R = 84;

export class Polar {
  readonly element: HTMLElement;
  private readonly note = h("span", { class: "note" });
  private readonly drawing = svg("svg", { viewBox: "-110 -100 220 200", role: "img", class: "polar" });

  constructor() {
    this.element = h("div", { class: "plot" }, h("div", { class: "label role-output" }, h("b", {}, "Response by direction"), this.note), this.drawing);
  }

  /** `values` at equal steps from 0°, right, clockwise; `noun` names the stimulus. */
  show(values: Float64Array, noun: string): void {
    const reach = Math.max(...values.map(Math.abs), 1e-9);
    const point = (i: number, value: number) => {
      const angle = (2 * Math.PI * i) / values.length;
      const r = (R * Math.abs(value)) / reach;
      return `${(r * Math.cos(angle)).toFixed(1)},${(r * Math.sin(angle)).toFixed(1)}`;
    };
    const lobe = (sign: 1 | -1) => svg("polygon", {
      class: sign > 0 ? "more" : "less",
      points: Array.from(values, (value, i) => point(i, Math.sign(value) === sign ? value : 0)).join(" "),
    });
    const best = values.reduce((at, value, i) => (Math.abs(value) > Math.abs(values[at]!) + 1e-9 ? i : at), 0);
    const degrees = Math.round((360 * best) / values.length);
    this.drawing.replaceChildren(
      ...[1, 0.5].map((share) => svg("circle", { r: R * share, class: "ring" })),
      svg("line", { x1: -R, x2: R, y1: 0, y2: 0, class: "ring" }), svg("line", { x1: 0, x2: 0, y1: -R, y2: R, class: "ring" }),
      lobe(1), lobe(-1),
      ...([["0°", R + 4, 4, "start"], ["90°", 0, R + 13, "middle"], ["180°", -R - 4, 4, "end"], ["270°", 0, -R - 6, "middle"]] as const).map(([words, x, y, anchor]) => svg("text", { x, y, "text-anchor": anchor }, new Text(words))),
    );
    this.note.textContent = `strongest ${decimal(values[best]!, 2, true)} at ${degrees}°`;
    const at = (degrees: number) => decimal(values[Math.round((degrees / 360) * values.length) % values.length]!, 2, true);
    this.drawing.setAttribute("aria-label", `Response to ${noun}: 0° ${at(0)}, 45° ${at(45)}, 90° ${at(90)}, 135° ${at(135)}, 180° ${at(180)}`);
  }
}
