/** What the reader has guessed, on this device only: nothing is ever sent. */

/** Told to the window when a question is answered or asked again. */
export const GUESSED = "kernelscope-guessed";

/** The index of a choice, or that the reader wanted to be told. */
export type Guess = number | "skipped";

const name = (key: string) => `kernelscope.guess.${key}`;
/** A sandboxed frame has no storage; the guess then lives as long as the page. */
const here = new Map<string, string>();

export function remember(key: string, guess: Guess): void {
  here.set(key, String(guess));
  stored((store) => store.setItem(name(key), String(guess)));
  dispatchEvent(new Event(GUESSED));
}

export function forget(key: string): void {
  here.delete(key);
  stored((store) => store.removeItem(name(key)));
  dispatchEvent(new Event(GUESSED));
}

/** The guess among `choices`; null where there is none, or none that makes sense. */
export function recall(key: string, choices: number): Guess | null {
  const kept = here.get(key) ?? stored((store) => store.getItem(name(key))) ?? null;
  if (kept === null || kept === "skipped") return kept;
  const guess = Number(kept);
  return Number.isInteger(guess) && guess >= 0 && guess < choices ? guess : null;
}

function stored<T>(use: (store: Storage) => T): T | undefined {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}
