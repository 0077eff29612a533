/**
 * A cross-section through the maps, drawn to scale: every map a row, every pixel of it as wide as the input pixels it
 * stands for, and in it what the chosen pixel reads. What is read comes from the crate; here it is only drawn.
 */
import { h, svg } from "../../figure/dom";
import { placing, type Story } from "./model";

const SIDE = { left: 88, right: 62, top: 20, foot: 56 };
/** Room for the arcs of skips, and between two of them. */
const ARCS = 40;
const ARC = 6;
/** Under this width in CSS pixels a cell would be only its own outline. */
const CELL = 5;
const LINE = 13;

export interface ConeEvents {
  /** A row was pressed: 0 is the picture. */
  visit(layer: number): void;
}

interface Frame {
  names: number;
  left: number;
  width: number;
  pitch: number;
  base: number;
  scale: number;
}

export class Cone {
  readonly element: HTMLElement;
  private readonly drawing = svg("svg", { class: "drawing", role: "img", "aria-label": "Cross-section of the stack" });
  private readonly still = svg("g");
  private readonly band = svg("path", { class: "band" });
  private readonly bars = svg("g");
  private readonly gaps = svg("g");
  private readonly words = svg("g");
  private readonly foot = svg("g", { class: "foot" });
  private story: Story | undefined;
  private names: string[] = [];
  private footWords: (layer: number) => string = () => "";
  private greys: (string | null)[] = [];
  private profile: { height: number; fill: string }[] | null = null;
  private position = 0;
  private frame: Frame = { names: 0, left: 0, width: 0, pitch: 0, base: 0, scale: 1 };

  constructor(events: ConeEvents) {
    this.drawing.append(this.still, this.band, this.bars, this.gaps, this.foot, this.words);
    this.element = h("div", { class: "cone" }, this.drawing);
    new ResizeObserver(() => this.layout()).observe(this.element);
    this.element.addEventListener("click", (event) => {
      if (!this.story) return;
      const box = this.drawing.getBoundingClientRect();
      const y = ((event.clientY - box.top) * this.drawing.viewBox.baseVal.height) / box.height;
      const layer = Math.round((this.frame.base - y) / this.frame.pitch);
      events.visit(Math.max(0, Math.min(this.story.maps.length - 1, layer)));
    });
  }

  set description(words: string) {
    this.drawing.setAttribute("aria-label", words);
  }

  /** A new stack, position or picture. `greys`: the input row's colours over the domain, null outside the picture. */
  show(story: Story, names: string[], greys: (string | null)[], footWords: (layer: number) => string): void {
    Object.assign(this, { story, names, greys, footWords, position: Math.min(this.position, story.maps.length - 1) });
    this.layout();
  }

  /** Bars under the input row: how often each of its pixels is used. */
  weigh(profile: { height: number; fill: string }[] | null): void {
    this.profile = profile;
    this.drawFoot();
  }

  /** Where time stands: 2.4 is on the way from layer 2 to layer 3. */
  stand(position: number): void {
    this.position = position;
    this.drawReach();
  }

  private layout(): void {
    const { story } = this;
    const outer = this.element.clientWidth;
    if (!story || !outer) return;
    const layers = story.maps.length - 1;
    const roomy = outer > 720;
    const height = Math.max(outer < 420 ? 250 : roomy ? 400 : 326, Math.min(roomy ? 460 : 372, SIDE.top + SIDE.foot + layers * LINE));
    const names = roomy ? 108 : SIDE.left;
    const left = names + (story.skips.length ? ARCS : 0);
    const width = outer - left - SIDE.right;
    const base = height - SIDE.foot;
    const pitch = Math.min(110, (base - SIDE.top) / Math.max(1, layers));
    this.frame = { names, left, width, pitch, base, scale: width / (story.domain.to - story.domain.from) };
    this.drawing.setAttribute("viewBox", `0 0 ${outer} ${height}`);
    this.drawing.style.height = `${height}px`;
    this.drawStill();
    this.drawReach();
  }

  /** Where an input coordinate lies; pixel 0 reaches from −0.5 to 0.5. */
  private x(at: number): number {
    return this.frame.left + (at - this.story!.domain.from) * this.frame.scale;
  }

  private y(layer: number): number {
    return this.frame.base - layer * this.frame.pitch;
  }

  /** The width of a map's pixel. */
  private cell(layer: number): number {
    const { maps } = this.story!;
    return placing(maps[layer]!, maps[0]!).jump * this.frame.scale;
  }

  private thickness(layer: number): number {
    const { pitch } = this.frame;
    const cell = this.cell(layer);
    // The picture's own row stays thick enough to show its greys.
    if (layer === 0) return Math.max(9, Math.min(pitch * 0.46, 20));
    const most = Math.max(2.5, Math.min(pitch * 0.46, 16));
    return cell < CELL ? Math.min(most, 4) : most;
  }

  /** Left and right edge, in drawing units, of cells `from` to `to` of a map. */
  private edges(layer: number, from: number, to: number): [number, number] {
    const { maps } = this.story!;
    const { start, jump } = placing(maps[layer]!, maps[0]!);
    return [this.x(start + (from - 0.5) * jump), this.x(start + (to + 0.5) * jump)];
  }

  /** Names and widths stand at every row, or where rows are close at every second, fifth, tenth; and at `top`. */
  private labelled(layer: number, top = this.story!.maps.length - 1): boolean {
    const step = [1, 2, 5, 10, 20, 50].find((step) => step * this.frame.pitch >= LINE) ?? 100;
    return layer === top || (layer % step === 0 && (top - layer) * this.frame.pitch >= LINE);
  }

  /** What does not move: the maps, their cells, their names, the skips. */
  private drawStill(): void {
    const { story } = this;
    const { width, left, names: gutter } = this.frame;
    if (!story) return;
    const right = left + width;
    const rows: SVGElement[] = [];
    const gaps: SVGElement[] = [];
    const names = svg("g");
    story.maps.forEach((map, layer) => {
      const [y, thick] = [this.y(layer), this.thickness(layer)];
      const [a, b] = this.edges(layer, 0, map.output[1] - 1);
      const [from, to] = [Math.max(left, a), Math.min(right, b)];
      if (to > from && layer > 0) rows.push(svg("rect", { class: "map", x: from, y: y - thick / 2, width: to - from, height: thick }));
      if (this.cell(layer) >= CELL) {
        let path = "";
        for (let i = 1; i < map.output[1]; i++) {
          const [x] = this.edges(layer, i, i);
          if (x > left && x < right) path += `M${x.toFixed(2)} ${(y - thick / 2).toFixed(2)}v${thick.toFixed(2)}`;
        }
        if (path) gaps.push(svg("path", { class: "gap", d: path }));
      }
      if (!this.labelled(layer)) return;
      names.append(svg("text", { class: "name", x: gutter - 10, y: y + 4, "data-layer": layer }, document.createTextNode(this.names[layer] ?? "")));
    });
    this.greys.forEach((grey, i) => {
      const [x, thick] = [this.x(story.domain.from + i), this.thickness(0)];
      const box = { x, y: this.y(0) - thick / 2, width: this.frame.scale + 0.3, height: thick };
      rows.push(grey === null ? svg("rect", { ...box, class: "outside" }) : svg("rect", { ...box, style: `fill:${grey}` }));
    });
    // The shortest skip lies nearest to the maps.
    for (const [i, [from, to]] of [...story.skips].sort(([a, b], [c, d]) => b - a - (d - c)).entries()) {
      const [x, y0, y1] = [left - 7 - Math.min(i * ARC, ARCS - 16), this.y(from), this.y(to)];
      rows.push(svg("path", { class: "skip", d: `M${left - 3} ${y0}H${x + 4}Q${x} ${y0} ${x} ${y0 - 4}V${y1 + 4}Q${x} ${y1} ${x + 4} ${y1}H${left - 3}` }));
    }
    this.still.replaceChildren(...rows, names);
    this.gaps.replaceChildren(...gaps);
  }

  /** What moves with time: the reach of the layer that time stands at, and its widths. */
  private drawReach(): void {
    const { story, position } = this;
    if (!story || !this.frame.width) return;
    const below = Math.floor(position);
    const above = Math.min(story.maps.length - 1, Math.ceil(position));
    const part = position - below;
    const bars: SVGElement[] = [];
    const words: SVGElement[] = [];
    const outline: [number, number, number][] = [];
    const [now, next] = [story.reach[below]!, story.reach[above]!];
    for (let layer = 0; layer <= above; layer++) {
      const growing = layer > below;
      const [a0, b0] = this.edges(layer, ...(growing ? next[layer]! : now[layer]!));
      const [a1, b1] = this.edges(layer, ...next[layer]!);
      const [a, b] = [a0 + (a1 - a0) * part, b0 + (b1 - b0) * part];
      const top = layer === above;
      const thick = this.thickness(layer);
      const y = growing ? this.y(below + part) : this.y(layer);
      outline.push([a, b, y]);
      const place = { x: a, y: y - thick / 2, width: Math.max(1, b - a), height: thick };
      bars.push(svg("rect", { ...place, rx: 1, class: layer === 0 ? "reach input" : top ? "reach output" : "reach" }));
      if (!this.labelled(layer, above)) continue;
      const [from, to] = next[layer]!;
      const role = top ? " output" : layer === 0 ? " input" : "";
      words.push(svg("text", { class: `width${role}`, x: this.frame.left + this.frame.width + 12, y: y + 4 }, document.createTextNode(`${to - from + 1}${layer === 0 ? " px" : ""}`)));
    }
    const right = outline.map(([, b, y]) => `L${b.toFixed(2)} ${y.toFixed(2)}`).reverse();
    const left = outline.map(([a, , y], i) => `${i ? "L" : "M"}${a.toFixed(2)} ${y.toFixed(2)}`);
    this.band.setAttribute("d", `${left.join("")}${right.join("")}Z`);
    this.bars.replaceChildren(...bars);
    this.words.replaceChildren(...words);
    for (const name of this.still.querySelectorAll<SVGElement>(".name")) name.classList.toggle("past", Number(name.dataset.layer) > Math.round(position));
    for (const map of [...this.still.querySelectorAll<SVGElement>(".map")].entries()) map[1].classList.toggle("past", map[0] + 1 > above);
    this.drawFoot();
  }

  /** Under the input row: the field's bracket and its length, or the profile of the path counts. */
  private drawFoot(): void {
    const { story, position } = this;
    if (!story || !this.frame.width) return;
    const layer = Math.round(position);
    const y = this.y(0) + this.thickness(0) / 2;
    const parts: SVGElement[] = [];
    const { from, to } = story.fields[layer]!;
    const [a, b] = [this.x(from - 0.5), this.x(to + 0.5)];
    if (this.profile && position === layer) {
      for (const [i, { height, fill }] of this.profile.entries()) {
        if (height <= 0) continue;
        const tall = Math.max(0.75, height * 32);
        parts.push(svg("rect", { x: this.x(story.domain.from + i), y: y + 5, width: Math.max(0.8, this.frame.scale - (this.frame.scale > CELL ? 1 : 0)), height: tall, style: `fill:${fill}` }));
      }
    } else {
      parts.push(svg("path", { class: "bracket", d: `M${a.toFixed(2)} ${y + 5}v6H${b.toFixed(2)}v-6` }));
      const words = svg("text", { class: "length", y: y + 28, "text-anchor": "middle" }, document.createTextNode(this.footWords(layer)));
      const half = 78;
      words.setAttribute("x", String(Math.max(half, Math.min(this.frame.left + this.frame.width + SIDE.right - half, (a + b) / 2))));
      parts.push(words);
    }
    this.foot.replaceChildren(...parts);
  }
}
