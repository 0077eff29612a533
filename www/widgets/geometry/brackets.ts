/** All windows of one direction as bars beside the picture: where each begins and ends. */
import { svg } from "../../figure/dom";

/** First and last pixel under every output's window. */
export type Axis = [number, number][];

const LEVELS = 6;
const THICK = 1 / (LEVELS + 0.5);

export class Brackets {
  readonly element: SVGSVGElement;

  constructor(private readonly along: "rows" | "columns") {
    this.element = svg("svg", { class: `brackets of-${along}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  }

  /** `padded` pixels in all, `before` of them before the first; `now` is the window under consideration. */
  show(axis: Axis, padded: number, before: number, now: number, locked: boolean): void {
    const across = this.along === "columns";
    this.element.setAttribute("viewBox", across ? `0 0 ${padded} 1` : `0 0 1 ${padded}`);
    // Neighbours that overlap stand on different levels, as bricks do.
    const levels = Math.min(LEVELS, Math.max(2, ...axis.map(([from], i) => axis.slice(0, i).filter(([, to]) => to >= from).length + 1)));
    // The number of windows is what a reader may be asked for.
    const shown = locked ? axis.slice(now, now + 1) : axis;
    this.element.replaceChildren(...shown.map(([from, to], i) => {
      const start = from + before + 0.12;
      const length = to - from + 1 - 0.24;
      const level = 1 - ((i % levels) + 1) * THICK;
      const name = i === now || locked ? "bracket now" : "bracket";
      return across
        ? svg("rect", { class: name, x: start, width: length, y: level, height: THICK * 0.62 })
        : svg("rect", { class: name, y: start, height: length, x: level, width: THICK * 0.62 });
    }));
  }
}
