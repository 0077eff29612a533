/** Pixels and lengths as the figure writes them. */
import { count, decimal } from "../../draw/numbers";

/** 4.4 µm, 630 nm, 10.1 nm: a value in nanometres with the unit that keeps it short. */
export function distance(nm: number): string {
  const size = Math.abs(nm);
  const [value, unit] = size >= 1e6 ? [nm / 1e6, "mm"] : size >= 1000 ? [nm / 1000, "µm"] : [nm, "nm"];
  return `${trim(value)} ${unit}`;
}

/** At most two decimals, and none that say nothing. */
export function pixels(value: number): string {
  return trim(value);
}

/** How often: exact where it can be read, with a power of ten where it cannot. */
export function times(value: number): string {
  if (!(value >= 1e6)) return count(Math.round(value));
  const power = Math.floor(Math.log10(value));
  return `${(value / 10 ** power).toFixed(1)} · 10${[...String(power)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("")}`;
}

function trim(value: number): string {
  const size = Math.abs(value);
  const text = decimal(value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
