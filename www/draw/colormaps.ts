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

/** The extremes, and the values below and above which two thousandths lie: exact, though nothing is sorted beyond two bins. */
function spreadOf(values: Float32Array): { least: number; most: number; min: number; max: number } | null {
  const ends = extremes(values);
  // Few maps hold what is not finite: only they are copied.
  if (!ends) return spreadOf(values.filter(Number.isFinite));
  const { least, most } = ends;
  if (least > most) return null;
  if (least === most) return { least, most, min: least, max: most };
  const perBin = BINS / (most - least);
  const bins = counted(values, least, perBin);
  const at = (share: number) => {
    const rank = Math.round(share * (values.length - 1));
    let [bin, before] = [0, 0];
    while (before + bins[bin]! <= rank) before += bins[bin++]!;
    return picked(values, least, perBin, bin, bins[bin]!)[rank - before]!;
  };
  return { least, most, min: at(0.002), max: at(0.998) };
}

// Maps are drawn while a hand moves: one plain loop a function is what browsers make the fastest code of.

/** Infinity, -Infinity for no values; null where some are not finite. */
function extremes(values: Float32Array): { least: number; most: number } | null {
  let least = Infinity;
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value - value !== 0) return null;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}

/** How many values each bin has; the greatest has one of its own, the last. */
function counted(values: Float32Array, least: number, perBin: number): Uint32Array {
  const bins = new Uint32Array(BINS + 1);
  for (let i = 0; i < values.length; i++) bins[((values[i]! - least) * perBin) | 0]! += 1;
  return bins;
}

/** The values of a bin, in order. */
function picked(values: Float32Array, least: number, perBin: number, bin: number, size: number): Float32Array {
  const own = new Float32Array(size);
  let taken = 0;
  for (let i = 0; taken < size; i++) if ((((values[i]! - least) * perBin) | 0) === bin) own[taken++] = values[i]!;
  return own.sort();
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
