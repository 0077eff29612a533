/** What the reader has guessed, on this device only: nothing is ever sent. */

/** Told to the window, with a `Guessed`, when a question is answered or asked again. */
export const GUESSED = "kernelscope-guessed";

export interface Guessed {
  key: string;
  answered: boolean;
}

/** The index of a choice, or that the reader wanted to be told. */
export type Guess = number | "skipped";

const name = (key: string) => `kernelscope.guess.${key}`;
/** A sandboxed frame has no storage; the guess then lives as long as the page. */
const here = new Map<string, string>();

export function remember(key: string, guess: Guess): void {
  here.set(key, String(guess));
  stored((store) => store.setItem(name(key), String(guess)));
  tell(key, true);
}

export function forget(key: string): void {
  here.delete(key);
  stored((store) => store.removeItem(name(key)));
  tell(key, false);
}

/** Whether a question was answered here before, now or in an earlier visit. */
export const answered = (key: string): boolean => recall(key, Infinity) !== null;

const tell = (key: string, answered: boolean) => dispatchEvent(new CustomEvent<Guessed>(GUESSED, { detail: { key, answered } }));

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
