/** “Your micrograph”: the picture chosen in the specimen figure, for every other figure that wants it. */
import type { Source } from "./sources";

/** Told on `window` when another micrograph was chosen; `chosen.source` has it. */
export const CHOSEN = "kernelscope-chosen";

class Chosen {
  source: Source | null = null;

  choose(source: Source): void {
    this.source = source;
    dispatchEvent(new Event(CHOSEN));
  }
}

export const chosen = new Chosen();
