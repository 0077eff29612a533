/** Colour maps: control points in sRGB, straight lines between them. All are safe for colour-blind readers. */
import stops from "./colormaps.json";

export type MapName = keyof typeof stops;

/** How values became colours: enough to read a value back from a colour. */
export interface Scale {
  map: MapName;
  min: number;
  max: number;
  /** Some values lie beyond the ends and share their colours. */
  clipped?: boolean;
}

const SIZE = 1024;
const tables = new Map<MapName, Uint32Array>();

/** 1024 packed RGBA colours (little-endian, as in ImageData). */
export function table(name: MapName): Uint32Array {
  let found = tables.get(name);
  if (!found) {
    const points = stops[name].map(parse);
    found = Uint32Array.from({ length: SIZE }, (_, i) => pack(mix(points, i / (SIZE - 1))));
    tables.set(name, found);
  }
  return found;
}

/** Where a value lies in the table; NaN lies nowhere (-1). */
export function indexOf(scale: Scale, value: number): number {
  const t = (value - scale.min) / (scale.max - scale.min || 1);
  // Truncation rounds what is not negative, in about two thirds of Math.round's time.
  return t >= 1 ? SIZE - 1 : t >= 0 ? (t * (SIZE - 1) + 0.5) | 0 : Number.isNaN(t) ? -1 : 0;
}

/** A CSS colour for a value, and ink that is legible on it. */
export function colour(scale: Scale, value: number): { fill: string; ink: string } {
  const index = indexOf(scale, value);
  if (index < 0) return { fill: "transparent", ink: "currentColor" };
  const packed = table(scale.map)[index]!;
  const [r, g, b] = [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255];
  return { fill: `rgb(${r} ${g} ${b})`, ink: luminance(r, g, b) > 0.179 ? "#000000" : "#ffffff" };
}

/**
 * A symmetric scale about zero for signed values, a plain one otherwise. A pit or a hot pixel must not decide the
 * contrast of the whole map: the most extreme 0.4 % share the last colours, and the legend says so.
 */
export function scaleFor(values: Float32Array, dark: boolean): Scale {
  const spread = spreadOf(values);
  if (!spread) return { map: "gray", min: 0, max: 1 };
  const { least, most, min, max } = spread;
  if (least >= 0) {
    const flat = !(max > min);
    return { map: "gray", min: flat ? 0 : min, max: flat ? Math.max(most, 1) : max, clipped: !flat && (least < min || most > max) };
  }
  // A map of zeros with a few marks keeps its full range.
  const reach = Math.max(-min, max) || Math.max(-least, most);
  return { map: dark ? "prgn-dark" : "prgn", min: -reach, max: reach, clipped: Math.max(-least, most) > reach };
}

const BINS = 4096;

/**
 * The extremes, and the values below and above which two thousandths lie: exact, though nothing is sorted beyond two bins.
 * Plain loops: maps are drawn while a hand moves.
 */
function spreadOf(values: Float32Array): { least: number; most: number; min: number; max: number } | null {
  let [least, most, count] = [Infinity, -Infinity, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    if (value < least) least = value;
    if (value > most) most = value;
    count += 1;
  }
  if (count === 0) return null;
  if (least === most) return { least, most, min: least, max: most };
  const range = most - least;
  const bins = new Uint32Array(BINS + 1);
  // The greatest value has a bin of its own, the last.
  const binOf = (value: number): number => (((value - least) / range) * BINS) | 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i]!)) bins[binOf(values[i]!)]! += 1;
  const binAt = (share: number) => {
    const rank = Math.round(share * (count - 1));
    let [bin, before] = [0, 0];
    while (before + bins[bin]! <= rank) before += bins[bin++]!;
    return { bin, within: rank - before, values: new Float32Array(bins[bin]!), taken: 0 };
  };
  const [low, high] = [binAt(0.002), binAt(0.998)] as const;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    const bin = binOf(value);
    if (bin === low.bin) low.values[low.taken++] = value;
    if (bin === high.bin) high.values[high.taken++] = value;
  }
  return { least, most, min: low.values.sort()[low.within]!, max: high.values.sort()[high.within]! };
}

/** A CSS gradient of the whole map, for a legend. */
export const gradient = (name: MapName): string => `linear-gradient(to right, ${stops[name].join(", ")})`;

type Rgb = [number, number, number];

const parse = (hex: string): Rgb => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) as Rgb;

function mix(points: Rgb[], t: number): Rgb {
  const at = t * (points.length - 1);
  const left = Math.min(points.length - 2, Math.floor(at));
  const [from, to] = [points[left]!, points[left + 1]!];
  return from.map((channel, i) => Math.round(channel + (to[i]! - channel) * (at - left))) as Rgb;
}

const pack = ([r, g, b]: Rgb): number => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** WCAG's relative luminance; 0.179 is where black and white ink contrast alike. */
function luminance(r: number, g: number, b: number): number {
  const [R, G, B] = [r, g, b].map((c) => (c <= 10 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * R! + 0.7152 * G! + 0.0722 * B!;
}
