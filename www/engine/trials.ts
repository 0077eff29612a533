/** What trials of graphics cards gave, remembered between visits where the browser allows it. */
import type { Described, Trial } from "./decide";

const KEY = "kernelscope:trial";
/** A driver or a browser may get better. */
const DAYS = 14;

interface Remembered {
  card: string;
  until: number;
  trial: Trial;
}

const nameOf = ({ adapter, features }: Described): string => [adapter, ...features, navigator.userAgent].join("|");

export function recall(card: Described): Trial | undefined {
  try {
    const known = JSON.parse(localStorage.getItem(KEY) ?? "null") as Remembered | null;
    if (known && known.card === nameOf(card) && known.until > Date.now()) return known.trial;
  } catch {
    // No storage, or something else in it: the card is tried again.
  }
  return undefined;
}

export function remember(card: Described, trial: Trial): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ card: nameOf(card), until: Date.now() + DAYS * 86_400_000, trial } satisfies Remembered));
  } catch {
    // Then it is tried at every visit.
  }
}
