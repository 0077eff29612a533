/** What the figure asks the crate: the chain of a stack, and what one place of it sees after each layer. */
import type { Engine, Tensor } from "../../engine/api";
import type { Rect } from "../../figure/picture";
import type { Source } from "../../figure/sources";
import type { Layer } from "./stack";

/** One map: its size, and the receptive field of its pixels. Number 0 is the picture itself. */
export interface MapInfo {
  output: [number, number];
  /** Input pixels along a side that one pixel sees; null where it depends on the place. */
  size: number | null;
  /** The smallest and the largest field; null where branches see places that drift apart. */
  sizes: [number, number] | null;
  /** Input pixels between neighbours; null as `sizes`. */
  jump: number | null;
  /** Where the first pixel looks: the centre of its field, in input pixels; null as `sizes`. */
  start: number | null;
  /** Weights of the layer for one input and one output channel. */
  weights: number;
}

/** As the crate says it: numbers along [vertical, horizontal]. */
interface Field {
  out: [number, number];
  size: [number | null, number | null];
  sizes: [[number, number] | null, [number, number] | null];
  jump: [number | null, number | null];
  start: [number | null, number | null];
  params?: number;
}

/** What is read of a map: inside of it, and as if it had no rim. */
interface Seen {
  rect: Rect | null;
  unclipped: Rect | null;
}
type Reach = { [K in keyof Seen]: Rect };

/** In how many ways the pixels of the picture reach an output. */
export interface Ways {
  /** For each pixel in reading order, as a share of the most. */
  shares: Float32Array;
  /** The number of ways of the pixel that has most. */
  most: number;
}

/** One place of a stack: everything that the drawings show of it. */
export interface Story {
  layers: Layer[];
  maps: MapInfo[];
  /** For each map the pixel whose field is shown while time stands there. */
  at: [number, number][];
  /** `reach[l][i]`: the columns of map `i` that pixel `at[l]` of map `l` reads, inclusive. */
  reach: [number, number][][];
  /** For each layer the field's columns in the picture, beyond its rim too. */
  fields: { from: number; to: number }[];
  /** For each layer the field inside the picture. */
  rects: Rect[];
  /** For each layer: does its field lie wholly inside the picture? */
  whole: boolean[];
  /** Pairs of maps that a skip joins. */
  skips: [number, number][];
  /** The input columns that the cross-section shows, as edges. */
  domain: { from: number; to: number };
  /** The square of the picture that the enlargement shows. */
  side: number;
  origin: [number, number];
  /** The picture's row of the cross-section, and the pixel in the middle of it all. */
  row: number;
  eye: [number, number];
}

const MARGIN = 2;

export class Model {
  image: Tensor | undefined;
  about = "";
  pixelSize: number | undefined;
  private layers: Layer[] = [];
  private maps: MapInfo[] = [];
  private counted: { story: Story; layer: number; ways: Promise<Ways> } | undefined;

  constructor(private engine: Engine) {}

  get input(): [number, number] {
    const [, height, width] = this.image!.shape as [number, number, number];
    return [height, width];
  }

  get ready(): boolean {
    return this.maps.length > 0;
  }

  show({ image, about, pixelSize }: Source): void {
    Object.assign(this, { image, about, pixelSize });
  }

  /** The maps of a stack over a picture of this size. */
  async chainOf(layers: Layer[], input: [number, number]): Promise<MapInfo[]> {
    // All layers of the figure are square, so one axis speaks for both. One channel in and one out: parameters are taps.
    const fields = await this.engine.ask<Field[]>("receptive_chain", layers, [1, ...input]).catch(countedFromOne);
    return fields.map(({ out, size, sizes, jump, start, params }) => ({ output: out, size: size[0], sizes: sizes[0], jump: jump[0], start: start[0], weights: params ?? 0 }));
  }

  /** The weights of a single square kernel for a pair of channels. */
  async weightsOf(kernel: number): Promise<number> {
    const maps = await this.chainOf([{ kind: "conv", kernel, channels: 1, bias: false }], [kernel, kernel]);
    return maps[1]!.weights;
  }

  private async seen(layers: Layer[], at: [number, number]): Promise<Reach[]> {
    const seen = await this.engine.ask<Seen[]>("receptive_rects", layers, this.input, at);
    return seen.map(({ rect, unclipped }, map) => {
      if (!rect || !unclipped) throw new Error(`This output pixel sees nothing of ${map === 0 ? "the picture" : `layer ${map}`}: the last layers leave gaps. Choose another place or a smaller stride.`);
      return { rect, unclipped };
    });
  }

  /** Takes another stack. Throws where it cannot be, and then leaves the last one in place. */
  async stack(layers: Layer[]): Promise<void> {
    this.maps = await this.chainOf(layers, this.input);
    this.layers = layers;
  }

  /** What the output pixel nearest to a place of the picture sees, and the pixels below it one after another. */
  async look(focus: [number, number]): Promise<Story> {
    const { layers, maps } = this;
    const last = layers.length;
    const at: [number, number][] = [];
    const seen: Reach[][] = [];
    at[last] = this.nearest(last, focus);
    const centre = this.centre(last, at[last]!);
    for (let layer = last; layer >= 1; layer--) {
      // Of the pixels that this one reads of the map below, the one nearest to the centre: so each field lies inside the next.
      const reach = await this.seen(layers.slice(0, layer), at[layer]!);
      seen[layer] = reach;
      const { top, left, bottom, right } = reach[layer - 1]!.rect;
      const [row, col] = this.nearest(layer - 1, centre);
      at[layer - 1] = [clamp(row, top, bottom), clamp(col, left, right)];
    }
    const origin = { top: at[0]![0], bottom: at[0]![0], left: at[0]![1], right: at[0]![1] };
    seen[0] = [{ rect: origin, unclipped: origin }];
    const rects = seen.map((reach) => reach[0]!.rect);
    const free = seen.map((reach) => reach[0]!.unclipped);
    const all = free.reduce((box, next) => ({
      top: Math.min(box.top, next.top), left: Math.min(box.left, next.left), bottom: Math.max(box.bottom, next.bottom), right: Math.max(box.right, next.right),
    }));
    const span = Math.max(all.right - all.left, all.bottom - all.top) + 1;
    const side = Math.max(11, span + 2 * Math.max(MARGIN, Math.round(span * 0.06)));
    const top = Math.floor((all.top + all.bottom + 1 - side) / 2);
    const left = Math.floor((all.left + all.right + 1 - side) / 2);
    return {
      layers,
      maps,
      at,
      reach: seen.map((reach) => reach.map(({ rect }) => [rect.left, rect.right])),
      fields: free.map((rect) => ({ from: rect.left, to: rect.right })),
      rects,
      whole: seen.map(([first]) => same(first!.rect, first!.unclipped)),
      skips: layers.flatMap(({ from }, i) => (from === undefined ? [] : [[from + 1, i + 1] as [number, number]])),
      domain: { from: left - 0.5, to: left + side - 0.5 },
      side,
      origin: [top, left],
      row: at[0]![0],
      eye: at[0]!,
    };
  }

  /** The middle of a pixel's field in the picture. */
  private centre(map: number, at: [number, number]): [number, number] {
    return both((axis) => {
      const { start, jump } = placing(this.maps[map]!, this.maps[0]!, axis);
      return start + at[axis] * jump;
    });
  }

  /** The pixel of a map that looks nearest to a place of the picture. */
  private nearest(map: number, place: [number, number]): [number, number] {
    return both((axis) => {
      const { start, jump } = placing(this.maps[map]!, this.maps[0]!, axis);
      return clamp(Math.round((place[axis] - start) / jump), 0, this.maps[map]!.output[axis] - 1);
    });
  }

  /** In how many ways each input pixel reaches the pixel of a layer. */
  ways(story: Story, layer: number): Promise<Ways> {
    if (this.counted?.story !== story || this.counted.layer !== layer) {
      this.counted = { story, layer, ways: this.count(story.layers.slice(0, layer), story.at[layer]!) };
    }
    return this.counted.ways;
  }

  private async count(layers: Layer[], at: [number, number]): Promise<Ways> {
    const { engine, input } = this;
    const [{ data }, most] = await Promise.all([engine.askTensor("receptive_shares", layers, input, at), engine.ask<number>("receptive_most", layers, input, at)]);
    return { shares: data, most };
  }

  /** The place in the picture around which the neighbouring output pixel looks; null at the rim of the map. */
  neighbour({ maps, at }: Story, move: [number, number]): [number, number] | null {
    const map = maps.at(-1)!;
    const to = at.at(-1)!.map((index, axis) => index + move[axis]!);
    if (to.some((index, axis) => index < 0 || index >= map.output[axis]!)) return null;
    return this.centre(maps.length - 1, to as [number, number]);
  }
}

/** Where a map's first pixel and its pixels' distance are drawn: as the crate says, or spread over the picture where it says nothing. */
export function placing({ start, jump, output }: MapInfo, picture: MapInfo, axis: 0 | 1 = 1): { start: number; jump: number } {
  if (start !== null && jump !== null) return { start, jump };
  const spread = picture.output[axis] / output[axis];
  return { start: (spread - 1) / 2, jump: spread };
}

/** The crate counts layers from 0, people count them from 1: so must what is said about one. */
function countedFromOne(error: unknown): never {
  if (error instanceof Error) error.message = error.message.replace(/^layer (\d+)/, (_, index) => `layer ${Number(index) + 1}`);
  throw error;
}

const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value));

const both = (value: (axis: 0 | 1) => number): [number, number] => [value(0), value(1)];

const same = (a: Rect, b: Rect): boolean => a.top === b.top && a.left === b.left && a.bottom === b.bottom && a.right === b.right;
