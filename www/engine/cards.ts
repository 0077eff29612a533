/** Whether a graphics card computes: finding one, trusting it, and giving it up. */
import type { CardStats, RunOptions, Tensor } from "./api";
import { Card } from "./card";
import { decide, offer } from "./decide";
import { type Call, isKey } from "./protocol";
import { CardLost, InstanceLost, type Reply } from "./transport";
import { recall, remember } from "./trials";

/** A card that fails so often in a row, at calls that the processor can carry out, is given up. */
const MOST_FAILURES = 3;
/** What says nothing about the card: a map larger than it takes, values that are not finite. */
const THIS_TIME = /^webgpu \(this time\): /;

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/^webgpu: /, "");

/** What the engine holds, for instances that are given it when they first need it. */
export interface Holdings {
  held: Map<number, Tensor>;
  models: Map<number, { bytes: Uint8Array; external: (string | Uint8Array)[] }>;
}

export class Cards {
  /** Resolves when it has been decided. */
  settled: Promise<void> = Promise.resolve();
  /** The last run's counts. */
  stats: CardStats | null = null;
  private card: Card | undefined;
  /** Why it computes, or why not. */
  private why = "";
  private failures = 0;
  private losses = 0;
  private closed = false;

  constructor(private asked: "auto" | "cpu" | "webgpu", private half: boolean, private holdings: Holdings) {}

  /** Finds a card, if one is wanted, and whether it shall compute. Never rejects: the processor is always there. */
  choose(onThisThread: boolean): void {
    const chosen = this.asked === "webgpu" ? this.open(onThisThread) : this.asked === "auto" && !onThisThread ? this.try() : Promise.resolve();
    this.settled = chosen.catch((error) => void (this.why = wordsOf(error)));
  }

  get computes(): boolean {
    return this.card !== undefined;
  }

  get adapter(): string {
    return this.card?.described.adapter ?? "";
  }

  /** Where it is computed and why, given where the processor computes. */
  reason(processor: string): string {
    if (!this.card) return this.why ? `${processor}; ${this.why}` : processor;
    const { adapter, software } = this.card.described;
    const what = software ? "on an imitation of a graphics card by the processor" : "on the graphics card";
    return [adapter ? `${what} (${adapter})` : what, this.why].filter(Boolean).join(", ");
  }

  /** Whether operators are the card's: each is less work than its way there and back, so "auto" keeps them. */
  get takesOperators(): boolean {
    return this.asked === "webgpu" && this.computes;
  }

  /** Whether a run of a network with these wishes is. "auto" leaves it what nobody looks into. */
  takes(exact: boolean | undefined, keep: NonNullable<RunOptions["keep"]>): boolean {
    return this.computes && exact !== true && (this.asked === "webgpu" || keep === "output");
  }

  /**
   * Carries a call out: its reply, or why it failed. Whoever gets an error lets the processor carry the call out, and says with
   * `failed` that it could.
   */
  async carryOut(call: Call, signal?: AbortSignal): Promise<Reply | Error> {
    const { card } = this;
    if (!card) return new Error("no graphics card computes");
    try {
      await this.give(card, call);
      const reply = await card.send(call, { signal });
      this.failures = 0;
      this.stats = reply.card ?? null;
      return reply;
    } catch (error) {
      if (signal?.aborted || this.closed) throw error;
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** What a call names must be there before it. */
  private async give(card: Card, call: Call): Promise<void> {
    const { models, held } = this.holdings;
    if (call.kind === "forward") {
      const files = models.get(call.model);
      if (files) await card.give("load", call.model, () => ({ kind: "load", key: call.model, ...files }));
    }
    for (const ref of call.kind === "op" ? call.inputs : call.kind === "forward" ? [call.input] : []) {
      if (!isKey(ref)) continue;
      const tensor = held.get(ref.key);
      if (tensor) await card.give("hold", ref.key, () => ({ kind: "hold", key: ref.key, ...tensor }));
    }
  }

  /** It is not needed any more. */
  take(kind: "hold" | "load", key: number): void {
    this.card?.take(kind, key);
  }

  /** The processor could, so the card was at fault: a lost one is opened again once; one that keeps failing is given up. */
  failed(error: Error): void {
    const { card } = this;
    if (!card?.caused(error) || THIS_TIME.test(error.message)) return;
    const lost = error instanceof CardLost || error instanceof InstanceLost;
    this.failures += 1;
    if (!lost && this.failures < MOST_FAILURES) return;
    this.card = undefined;
    card.close();
    const words = wordsOf(error);
    if (!lost) {
      this.why = `the graphics card failed ${MOST_FAILURES} times in a row: ${words}`;
      return;
    }
    this.losses += 1;
    this.why = this.losses > 1 ? `the graphics card was lost twice: ${words}` : words;
    if (this.losses > 1) return;
    this.settled = this.open(card.here).then(
      () => void (this.why = "opened again after it was lost"),
      (again) => void (this.why = `${words}, and could not be opened again: ${wordsOf(again)}`),
    );
  }

  close(): void {
    this.closed = true;
    this.card?.close();
    this.card = undefined;
  }

  private async open(here: boolean): Promise<void> {
    const card = await Card.open(this.half, here);
    this.why = this.half && !card.described.features.includes("float16") ? "which has no half precision" : "";
    this.trust(card);
  }

  /** A card that is real, right and faster. */
  private async try(): Promise<void> {
    const offered = await offer();
    this.why = decide(offered).why;
    if (typeof offered === "string" || offered.software) return;
    const card = await Card.open(false, false);
    let trial: Parameters<typeof decide>[1] = recall(card.described);
    if (!trial && !card.described.software) {
      trial = await card.trial().catch(wordsOf);
      if (typeof trial === "object") remember(card.described, trial);
    }
    const { use, why } = decide(card.described, trial);
    this.why = why;
    if (use) this.trust(card);
    else card.close();
  }

  private trust(card: Card): void {
    if (this.closed) card.close();
    else this.card = card;
  }
}
