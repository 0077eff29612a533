/** Numbers as the figures write them: a real minus sign, few digits, no leading zero where room is scarce. */

const MINUS = "−";

/** 0.40 · −0.05 · 12.3 · 1.2e5; `sign` also writes the plus. */
export function decimal(value: number, digits = 2, sign = false): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : `${MINUS}∞`;
  const size = Math.abs(value);
  const text = size >= 1e5 ? size.toExponential(1) : size.toFixed(size >= 1000 ? 0 : size >= 100 ? Math.min(digits, 1) : digits);
  const zero = Number(text) === 0;
  if (value < 0 && !zero) return MINUS + text;
  return sign ? `+${text}` : text;
}

/** As `decimal`, but .40 instead of 0.40: for cells. */
export const short = (value: number, sign = false, digits = 2): string => decimal(value, Math.abs(value) >= 10 ? Math.min(digits, 1) : digits, sign).replace(/^([−+]?)0\./, "$1.");

/** A weight as one would write it: 1, −2, 0.0625. */
export function weight(value: number, sign = false): string {
  if (!Number.isFinite(value)) return decimal(value);
  const rounded = Number(value.toPrecision(4));
  const text = String(Math.abs(rounded));
  return (rounded < 0 ? MINUS : sign && rounded > 0 ? "+" : "") + text;
}

/** As `weight`, for cells: so many digits at most, .11 instead of 0.11. */
export const tight = (value: number, digits: number): string => weight(Number.isFinite(value) ? Number(value.toPrecision(digits)) : value).replace(/^(−?)0\./, "$1.");

/** What a person types: "-1", "−1", "1/16", "0,5"; NaN where it is no number. */
export function parseNumber(text: string): number {
  const plain = text.trim().replace(/[−–]/g, "-").replace(",", ".");
  const fraction = /^([+-]?\d+(?:\.\d+)?)\s*\/\s*(\d+(?:\.\d+)?)$/.exec(plain);
  if (fraction) return Number(fraction[1]) / Number(fraction[2]);
  return plain === "" ? NaN : Number(plain);
}

/** 64 516 with thin spaces. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
