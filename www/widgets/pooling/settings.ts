/** What a reader can set, and how it is called in the address. */
import { choice, flag, number, numbers, text } from "../../figure/state";

/** The lecture's worked example. */
export const SIDE = 4;
export const EXAMPLE = [1, 3, 2, 4, 5, 6, 7, 8, 3, 2, 1, 0, 1, 2, 3, 4];

export const RULES = ["difference", "average", "corner", "custom"] as const;
export type Rule = (typeof RULES)[number];
export const MAPS = ["edges", "picture"] as const;
/** Which changes count: any, or only those above a share of the colours' range. */
export const LIMITS = ["any", "1", "5", "10"] as const;
export const SPEEDS = ["slow", "normal", "fast"] as const;

export const params = {
  values: numbers(EXAMPLE),
  /** From row, from column, to row, to column: the two values that last changed places. */
  moved: numbers([], "."),
  kernel: number(2),
  /** Empty means the kernel's size. */
  stride: text("", /^-?[\d.]{0,6}$/),
  padding: number(0),
  ceil: flag(false),
  count: flag(true),
  rule: choice(RULES, "difference"),
  weights: numbers([]),
  at: numbers([0, 0], "."),
  speed: choice(SPEEDS, "normal"),
  picture: text("titanium", /^[\w-]{1,40}$/),
  map: choice(MAPS, "edges"),
  place: numbers([38, 26], "."),
  shift: number(0),
  limit: choice(LIMITS, "any"),
};
export type Values = { [K in keyof typeof params]: (typeof params)[K]["initial"] };

/** The strided convolution's weights: a preset of the kernel's size, or the reader's own. */
export function weightsOf({ rule, weights, kernel }: Pick<Values, "rule" | "weights" | "kernel">): number[] {
  const size = kernel * kernel;
  if (rule === "custom" && weights.length === size) return weights;
  return Array.from({ length: size }, (_, i) => {
    if (rule === "average") return 1 / size;
    if (rule === "corner") return i === 0 ? 1 : 0;
    const column = i % kernel;
    return column === 0 ? 1 : column === kernel - 1 ? -1 : 0;
  });
}

/** ¼, ⅑ or 1/25: a share as one writes it. */
export function share(parts: number): string {
  return { 1: "1", 2: "½", 4: "¼", 9: "⅑" }[parts] ?? `1/${parts}`;
}

/** The values with two of them exchanged. */
export function swapped(values: number[], from: number, to: number): number[] {
  const next = [...values];
  [next[from], next[to]] = [values[to]!, values[from]!];
  return next;
}
