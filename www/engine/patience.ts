/** How long somebody who says nothing is waited for. Browsers may lose a graphics card without a word: only the clock tells. */
import { CardLost } from "./transport";

/** Calls are carried out one after the other, so the last of many may wait long: what counts is how long none was answered. */
export class Patience {
  private waiting = new Set<(error: Error) => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(public ms: number) {}

  /** The answer, or a `CardLost` once nothing has been heard for so long. */
  async wait<T>(answer: Promise<T>): Promise<T> {
    let reject!: (error: Error) => void;
    const late = new Promise<never>((_, failed) => (reject = failed));
    this.waiting.add(reject);
    if (this.waiting.size === 1) this.heard();
    try {
      return await Promise.race([answer, late]);
    } finally {
      this.waiting.delete(reject);
      if (!this.waiting.size) clearTimeout(this.timer);
    }
  }

  /** A sign of life: the clock starts again. */
  readonly heard = (): void => {
    clearTimeout(this.timer);
    if (this.waiting.size) this.timer = setTimeout(() => this.giveUp(), this.ms);
  };

  private giveUp(): void {
    const error = new CardLost(`the graphics card did not answer for ${Math.round(this.ms / 1000)} seconds`);
    for (const reject of this.waiting) reject(error);
  }
}
