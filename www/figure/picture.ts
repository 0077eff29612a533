/** A picture: a canvas with the values, an overlay in the picture's own pixels, a pointer in the same. */
import { type Field, paint } from "../draw/heatmap";
import { gradient, type Scale } from "../draw/colormaps";
import { decimal } from "../draw/numbers";
import { h, svg, write } from "./dom";

/** Inclusive, in pixels; may lie outside the picture. */
export interface Rect {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

/** What masks wear, on any theme: the micrograph below stays as it is, too. */
const CRIMSON = [214, 39, 67] as const;

export interface PictureOptions {
  label: string;
  role: "input" | "weight" | "output";
  /** The pointer at a pixel: hovering, or dragging with the button down; null when it leaves. */
  point(at: [number, number] | null, dragging: boolean): void;
}

export class Picture {
  readonly element: HTMLElement;
  readonly canvas = h("canvas", { role: "img" });
  readonly surface: HTMLElement;
  /** Over the canvas and under the outlines; its picture says in words what it shows. */
  readonly layer = h("canvas", { class: "layer", "aria-hidden": "true" });
  private readonly note = h("span", { class: "note" });
  private readonly overlay = svg("svg", { class: "overlay", "aria-hidden": "true", preserveAspectRatio: "none" });
  private readonly legend = h("div", { class: "legend", hidden: true });
  private size: [number, number] = [1, 1];
  /** What the legend tells. */
  private told = "";
  /** The outlines of each kind, in words. */
  private outlined = new Map<string, string>();
  /** CSS pixels the canvas is wide, told by the browser: to ask while a hand moves would cost a layout for each outline. */
  private across = 0;

  constructor({ label, role, point }: PictureOptions) {
    this.canvas.setAttribute("aria-label", label);
    this.surface = h("div", { class: "surface", tabindex: 0, role: "group", "aria-label": label }, this.canvas, this.layer, this.overlay);
    this.element = h("div", { class: `picture role-${role}` }, h("div", { class: "label" }, h("b", {}, label), this.note), this.surface, this.legend);
    new ResizeObserver(([entry]) => (this.across = entry!.contentRect.width)).observe(this.canvas);
    let dragging = false;
    const at = (event: PointerEvent): [number, number] => {
      // Measured on screen, so that a container scaled by CSS (a slide) changes nothing.
      const box = this.canvas.getBoundingClientRect();
      const clamp = (value: number, size: number) => Math.max(0, Math.min(size - 1, Math.floor(value)));
      return [
        clamp(((event.clientY - box.top) * this.size[0]) / box.height, this.size[0]),
        clamp(((event.clientX - box.left) * this.size[1]) / box.width, this.size[1]),
      ];
    };
    this.surface.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      dragging = true;
      this.surface.setPointerCapture(event.pointerId);
      point(at(event), true);
    });
    this.surface.addEventListener("pointermove", (event) => point(at(event), dragging));
    const stop = () => (dragging = false);
    this.surface.addEventListener("pointerup", stop);
    this.surface.addEventListener("pointercancel", stop);
    this.surface.addEventListener("pointerleave", () => !dragging && point(null, false));
  }

  set words(text: string) {
    write(this.note, text);
  }

  set description(text: string) {
    this.canvas.setAttribute("aria-label", text);
  }

  /** How many CSS pixels wide a pixel of the picture is. */
  get pixel(): number {
    return (this.across || this.canvas.clientWidth || this.size[1]) / this.size[1];
  }

  draw(field: Field, scale: Scale, until?: number): void {
    paint(this.canvas, field, scale, until);
    const { height, width } = field;
    if (this.size[0] !== height || this.size[1] !== width) {
      this.size = [height, width];
      this.overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.surface.style.setProperty("--ratio", `${width} / ${height}`);
    }
    this.canvas.dataset.scale = JSON.stringify(scale);
  }

  /** Lays a mask over the picture, the more crimson the higher its values (0 to 1); none takes it away. */
  tint(mask: Field | null): void {
    const { data, height, width } = mask ?? { data: [], height: 1, width: 1 };
    [this.layer.width, this.layer.height] = [width, height];
    const context = this.layer.getContext("2d")!;
    const pixels = context.createImageData(width, height);
    const [red, green, blue] = CRIMSON;
    for (let i = 0, at = 0; i < data.length; i++, at += 4) {
      pixels.data[at] = red;
      pixels.data[at + 1] = green;
      pixels.data[at + 2] = blue;
      pixels.data[at + 3] = Math.round(data[i]! * 255);
    }
    context.putImageData(pixels, 0, 0);
  }

  /** The colours' meaning, under the picture. */
  scale(scale: Scale | null): void {
    this.legend.hidden = !scale;
    const told = JSON.stringify(scale);
    if (!scale || told === this.told) return;
    this.told = told;
    const middle = scale.min < 0 ? "0" : "";
    this.legend.replaceChildren(
      h("span", {}, `${scale.clipped && scale.min !== 0 ? "≤ " : ""}${decimal(scale.min)}`),
      h("i", { style: `background:${gradient(scale.map)}` }, h("span", {}, middle)),
      h("span", {}, `${scale.clipped ? "≥ " : ""}${decimal(scale.max, 2, scale.min < 0)}`),
    );
  }

  /** Replaces the outlines of one kind. A white halo keeps them visible on any grey. */
  outline(kind: string, rects: Rect[], filled = false): void {
    // A window of three pixels on a phone would vanish under its own outline: the outline keeps its distance.
    const least = filled || rects.length === 0 ? 0 : 11 / this.pixel;
    const told = rects.length === 0 ? "" : JSON.stringify([rects, filled, least]);
    if (told === (this.outlined.get(kind) ?? "")) return;
    this.outlined.set(kind, told);
    for (const old of this.overlay.querySelectorAll(`[data-kind="${kind}"]`)) old.remove();
    const shapes = rects.slice(0, 400).flatMap(({ top, left, bottom, right }) => {
      const room = Math.max(0, (least - Math.min(right - left + 1, bottom - top + 1)) / 2);
      const box = { x: left - room, y: top - room, width: right - left + 1 + 2 * room, height: bottom - top + 1 + 2 * room, "data-kind": kind };
      if (filled) return [svg("rect", { ...box, class: `fill ${kind}` })];
      return [svg("rect", { ...box, class: "halo" }), svg("rect", { ...box, class: `line ${kind}` })];
    });
    this.overlay.append(...shapes);
  }

  /** Tints the pixels at `start`, `start + step`, …: all uses of one weight. */
  pattern(uses: { start: [number, number]; step: [number, number]; count: [number, number] } | null): void {
    this.overlay.querySelector(".uses")?.remove();
    if (!uses) return;
    const { start: [y, x], step: [dy, dx], count: [rows, cols] } = uses;
    const tile = svg("pattern", { id: "uses", patternUnits: "userSpaceOnUse", x, y, width: dx, height: dy }, svg("rect", { width: 1, height: 1 }));
    const area = svg("rect", { x, y, width: (cols - 1) * dx + 1, height: (rows - 1) * dy + 1, fill: dx * dy === 1 ? "currentColor" : "url(#uses)" });
    this.overlay.append(svg("g", { class: "uses" }, tile, area));
  }

  /** Hatches the rows and columns that no window reads. */
  shade(rows: boolean[], cols: boolean[]): void {
    const [height, width] = this.size;
    const bands = (used: boolean[], rect: (from: number, to: number) => Rect) =>
      runs(used).map(([from, to]) => rect(from, to));
    this.outline("unreached", [
      ...bands(rows, (top, bottom) => ({ top, bottom, left: 0, right: width - 1 })),
      ...bands(cols, (left, right) => ({ left, right, top: 0, bottom: height - 1 })),
    ], true);
  }
}

/** Runs of `false`, as inclusive pairs. */
function runs(used: boolean[]): [number, number][] {
  const found: [number, number][] = [];
  used.forEach((is, i) => {
    const last = found.at(-1);
    if (is) return;
    if (last && last[1] === i - 1) last[1] = i;
    else found.push([i, i]);
  });
  return found;
}
