/** A figure that is one function of its parameters: whatever changes, it computes anew, and the newest request wins. */
import { h, latest } from "./dom";
import { Figure } from "./figure";
import { type Specs, State } from "./state";

export abstract class Lesson<V extends object> extends Figure {
  protected state!: State<V>;
  private asked = 0;
  private answered = -1;

  protected abstract readonly specs: Specs<V>;
  /** Makes the elements, once. */
  protected abstract assemble(): void;
  /** Computes with the present values and shows the result. */
  protected abstract compute(): Promise<void>;
  /** Brings the controls to the present values. */
  protected abstract controls(): void;
  /** The figure's question, once there is an engine to answer it. */
  protected question(): HTMLElement | null {
    return null;
  }

  protected build(): void {
    this.state = new State<V>(this.specs, this.key, (name) => this.getAttribute(name));
    this.assemble();
  }

  protected async start(): Promise<void> {
    const question = this.question();
    if (question) this.addBelow(question);
    const refused = await this.state.orPlain(() => this.once());
    this.controls();
    if (refused) this.fail(refused);
  }

  /** Lights what a symbol of the formula stands for; the figure's own rules dim the rest. */
  light(role: string | null): void {
    this.stage.dataset.light = role ?? "";
  }

  /** New values; the figure follows. */
  change(change: Partial<V>): void {
    this.state.set(change);
    this.renew();
  }

  /** When what was asked for last stands in the figure. */
  async settled(): Promise<void> {
    for (let tries = 0; this.answered !== this.asked; tries++) {
      if (tries > 400) throw new Error("The figure could not show this; reset it and try again.");
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  protected renew(): void {
    this.asked++;
    this.controls();
    this.again(undefined);
  }

  private readonly again = latest(() => this.once(), (error) => this.fail(error));

  private async once(): Promise<void> {
    const asked = this.asked;
    this.stage.classList.toggle("dark", this.dark);
    this.controls();
    await this.compute();
    this.mend();
    this.sayComputed();
    this.answered = asked;
  }

  protected draw(): void {
    this.renew();
  }

  protected reset(): void {
    this.state.reset();
    this.renew();
  }

  protected addressed(): void {
    if (this.state.follow()) this.renew();
  }

  protected link(): string {
    return this.state.link();
  }

  /** The row under the sliders: buttons, reset, link. */
  protected choices(...elements: HTMLElement[]): HTMLElement {
    return h("div", { class: "choices" }, ...elements, this.ending());
  }
}
