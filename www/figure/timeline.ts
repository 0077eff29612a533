/** Time in a figure: one position, moved by play, by steps and by a slider. */

export interface TimelineOptions {
  /** Milliseconds between two steps, asked anew at each. */
  interval(): number;
  /** Moves on by one step; false at the end. */
  advance(): boolean;
  changed(playing: boolean): void;
}

export class Timeline {
  private frame = 0;
  private due = 0;

  constructor(private options: TimelineOptions) {}

  get playing(): boolean {
    return this.frame !== 0;
  }

  play(): void {
    if (this.playing) return;
    this.due = performance.now();
    const tick = (now: number) => {
      this.frame = requestAnimationFrame(tick);
      if (now < this.due) return;
      // A slow machine drops steps behind it instead of piling them up.
      this.due = Math.max(this.due + this.options.interval(), now);
      if (!this.options.advance()) this.pause();
    };
    this.frame = requestAnimationFrame(tick);
    this.options.changed(true);
  }

  pause(): void {
    if (!this.playing) return;
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.options.changed(false);
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.play();
  }
}
