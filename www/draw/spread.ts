/** How far values spread, for the ends of their colour scale. */
import type { Spread } from "../engine/api";

export type { Spread };

const BINS = 4096;

/**
 * The extremes, and the values below and above which two thousandths lie: exact, though nothing is sorted beyond two bins.
 * Plain loops: maps are drawn while a hand moves.
 */
export function spreadOf(values: Float32Array): Spread | null {
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
