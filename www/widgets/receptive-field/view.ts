/** The two-dimensional truth: the whole picture with the field's rectangle, and the field enlarged. */
import type { Tensor } from "../../engine/api";
import { colour, gradient, type Scale, scaleFor } from "../../draw/colormaps";
import { paint } from "../../draw/heatmap";
import { h, svg } from "../../figure/dom";
import { Picture, type Rect } from "../../figure/picture";
import type { Story, Ways } from "./model";
import { times } from "./units";

export interface ViewEvents {
  /** The picture was pressed or dragged on: the field shall lie around this pixel. */
  aim(at: [number, number]): void;
  /** The pointer, or the cursor of the enlarged field, is at this input pixel. */
  inspect(at: [number, number] | null): void;
}

/** Under this width in CSS pixels a cell holds no number. */
const LEGIBLE = 25;
/** Path counts are coloured as shares of the largest. */
const SHARES: Scale = { map: "cividis", min: 0, max: 1 };

export class View {
  readonly whole: Picture;
  readonly near: Picture;
  private readonly heat = h("canvas", { class: "heat", "aria-hidden": "true", hidden: true });
  private readonly nearHeat = h("canvas", { class: "heat", "aria-hidden": "true", hidden: true });
  private readonly digits = svg("svg", { class: "digits", "aria-hidden": "true" });
  private readonly legend = h("div", { class: "legend", hidden: true });
  private image: Tensor | undefined;
  private scale: Scale = { map: "gray", min: 0, max: 1 };
  private story: Story | undefined;
  private layer = 0;
  private ways: Ways | null = null;
  private cursor: [number, number] | null = null;

  constructor(events: ViewEvents) {
    this.whole = new Picture({ label: "Picture", role: "input", point: (at, dragging) => (at && dragging ? events.aim(at) : events.inspect(at)) });
    this.near = new Picture({ label: "Field, enlarged", role: "input", point: (at) => {
      this.cursor = at && this.fromNear(at);
      events.inspect(this.cursor && this.inside(this.cursor) ? this.cursor : null);
      this.drawCursor();
    } });
    this.whole.canvas.after(this.heat);
    this.near.canvas.after(this.nearHeat);
    this.near.surface.append(this.digits);
    this.near.element.append(this.legend);
    this.near.surface.setAttribute("aria-label", "Field, enlarged. Arrow keys move a cursor from pixel to pixel.");
    this.whole.surface.setAttribute("aria-label", "Picture. Arrow keys move the output pixel whose field is shown.");
    this.near.surface.addEventListener("keydown", (event) => this.key(event, events));
    this.near.surface.addEventListener("blur", () => {
      this.cursor = null;
      events.inspect(null);
      this.drawCursor();
    });
    new ResizeObserver(() => this.drawDigits()).observe(this.near.surface);
  }

  picture(image: Tensor, about: string, dark: boolean): void {
    this.image = image;
    this.scale = scaleFor(image.data, dark);
    const [, height, width] = image.shape as [number, number, number];
    this.whole.draw({ data: image.data, height, width }, this.scale);
    this.whole.words = about;
    this.whole.description = `Input picture: ${about}`;
  }

  /** The colours of one row of the picture over the story's domain; null outside. */
  greys(story: Story): (string | null)[] {
    const [, height, width] = this.image!.shape as [number, number, number];
    const row = Math.max(0, Math.min(height - 1, story.row));
    return columns(story).map((x) => (x < 0 || x >= width ? null : colour(this.scale, this.image!.data[row * width + x]!).fill));
  }

  /** Another stack or place. */
  show(story: Story): void {
    this.story = story;
    const [, height, width] = this.image!.shape as [number, number, number];
    const { side } = story;
    const [top, left] = story.origin;
    const data = new Float32Array(side * side).fill(NaN);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const [row, col] = [top + y, left + x];
        if (row >= 0 && col >= 0 && row < height && col < width) data[y * side + x] = this.image!.data[row * width + col]!;
      }
    }
    this.near.draw({ data, height: side, width: side }, this.scale);
    this.near.words = `${side} × ${side} pixels around it`;
    this.near.description = `The same field enlarged: ${side} by ${side} pixels`;
    this.digits.setAttribute("viewBox", `0 0 ${side} ${side}`);
    this.stand(Math.min(this.layer, story.maps.length - 1));
  }

  /** The rectangles of the layer that time stands at, and of those before it. */
  stand(layer: number): void {
    const { story } = this;
    this.layer = layer;
    if (!story) return;
    const now = story.rects[layer]!;
    const [row, col] = story.eye;
    for (const picture of [this.whole, this.near]) {
      const [dy, dx] = picture === this.near ? story.origin : [0, 0];
      const shift = (rect: Rect): Rect => ({ top: rect.top - dy, bottom: rect.bottom - dy, left: rect.left - dx, right: rect.right - dx });
      picture.outline("earlier", this.ways ? [] : apart(story.rects.slice(1, layer), now, Math.max(1, 7 / picture.pixel)).map(shift), true);
      picture.outline("now", [shift(now)]);
      picture.outline("eye", picture === this.near && layer > 0 ? [shift({ top: row, bottom: row, left: col, right: col })] : [], true);
    }
  }

  /** Path counts as a heat map over the greys, or the plain box. */
  weigh(ways: Ways | null): void {
    this.ways = ways;
    this.heat.hidden = this.nearHeat.hidden = this.legend.hidden = !ways;
    this.stand(this.layer);
    if (!ways || !this.story || !this.image) return void this.digits.replaceChildren();
    const [, height, width] = this.image.shape as [number, number, number];
    const values = ways.shares.map((share) => (share > 0 ? share : NaN));
    paint(this.heat, { data: values, height, width }, SHARES);
    const { side, origin: [top, left] } = this.story;
    const near = new Float32Array(side * side).fill(NaN);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const [row, col] = [top + y, left + x];
        if (row >= 0 && col >= 0 && row < height && col < width) near[y * side + x] = values[row * width + col]!;
      }
    }
    paint(this.nearHeat, { data: near, height: side, width: side }, SHARES);
    this.legend.replaceChildren(h("span", {}, "0"), h("i", { style: `background:${gradient("cividis")}` }), h("span", {}, `${times(ways.most)} way${ways.most === 1 ? "" : "s"}`));
    this.drawDigits();
  }

  /** Bars for the cross-section: the counts along the chosen row, as parts of the largest there is. */
  profile(): { height: number; fill: string }[] | null {
    const { story, ways } = this;
    if (!story || !ways || !this.image) return null;
    const [, height, width] = this.image.shape as [number, number, number];
    const row = Math.max(0, Math.min(height - 1, story.row));
    return columns(story).map((x) => {
      const share = x < 0 || x >= width ? 0 : ways.shares[row * width + x]!;
      return { height: share, fill: colour(SHARES, share).fill };
    });
  }

  private drawDigits(): void {
    const { story, ways } = this;
    const cell = this.near.surface.clientWidth / (story?.side ?? 1);
    if (!story || !ways || cell < LEGIBLE) return void this.digits.replaceChildren();
    const { side, origin: [top, left] } = story;
    const [, height, width] = this.image!.shape as [number, number, number];
    const long = times(ways.most).length;
    const words: SVGElement[] = [];
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const [row, col] = [top + y, left + x];
        const share = row >= 0 && col >= 0 && row < height && col < width ? ways.shares[row * width + col]! : 0;
        if (share <= 0) continue;
        const size = Math.min(0.46, 1.5 / long);
        // A number that would be smaller than 11 px is left to the pointer.
        if (size * cell < 10.9) continue;
        words.push(svg("text", { x: x + 0.5, y: y + 0.5 + size * 0.36, "font-size": size, "text-anchor": "middle", style: `fill:${colour(SHARES, share).ink}` }, document.createTextNode(times(share * ways.most))));
      }
    }
    this.digits.replaceChildren(...words);
  }

  private fromNear([y, x]: [number, number]): [number, number] {
    const [top, left] = this.story?.origin ?? [0, 0];
    return [top + y, left + x];
  }

  private inside([y, x]: [number, number]): boolean {
    const [, height, width] = this.image?.shape ?? [1, 0, 0];
    return y >= 0 && x >= 0 && y < height! && x < width!;
  }

  private drawCursor(): void {
    const { cursor, story } = this;
    if (!story) return;
    const [top, left] = story.origin;
    this.near.outline("cursor", cursor ? [{ top: cursor[0] - top, bottom: cursor[0] - top, left: cursor[1] - left, right: cursor[1] - left }] : [], true);
  }

  private key(event: KeyboardEvent, events: ViewEvents): void {
    const moves: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const move = moves[event.key];
    if (!move || !this.story || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const from = this.cursor ?? this.story.eye;
    const { origin: [top, left], side } = this.story;
    const to: [number, number] = [Math.max(top, Math.min(top + side - 1, from[0] + move[0])), Math.max(left, Math.min(left + side - 1, from[1] + move[1]))];
    if (!this.inside(to)) return;
    this.cursor = to;
    this.drawCursor();
    events.inspect(to);
  }
}

/** The input columns of a story's domain. */
const columns = ({ side, origin }: Story): number[] => Array.from({ length: side }, (_, i) => origin[1] + i);

/** Those rectangles that keep a distance from one another and from the present one, so that lines do not run together. */
function apart(rects: Rect[], now: Rect, room: number): Rect[] {
  const kept: Rect[] = [];
  let last = now;
  for (const rect of [...rects].reverse()) {
    const distance = Math.max(rect.left - last.left, last.right - rect.right, rect.top - last.top, last.bottom - rect.bottom);
    if (distance < room) continue;
    kept.push(rect);
    last = rect;
  }
  return kept.filter(({ left, right }) => right - left + 1 >= room);
}
