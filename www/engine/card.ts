/** The graphics card, from the page's side: an instance of the engine with the card at hand, in a worker of its own. */
import { compileCard } from "./compile";
import type { Described, Trial } from "./decide";
import { Patience } from "./patience";
import type { Call } from "./protocol";
import { type Reply, type SendOptions, WorkerTransport } from "./transport";

/** What a card that computes may take for one call. An imitated one may take its time. */
const SILENT_MS = 10_000;
const SILENT_IMITATED_MS = 240_000;

export class Card {
  private held = new Set<number>();
  private models = new Set<number>();
  private errors = new WeakSet<object>();

  private constructor(private transport: WorkerTransport, private patience: Patience, readonly described: Described, readonly here: boolean) {
    if (described.software) patience.ms = SILENT_IMITATED_MS;
  }

  /** Rejects, in words, where there is no card. */
  static async open(half: boolean, here: boolean): Promise<Card> {
    const { module, program } = await compileCard();
    const transport = here ? await WorkerTransport.beside(module, program) : await WorkerTransport.start(module, program);
    const patience = new Patience(SILENT_MS);
    transport.heard = patience.heard;
    try {
      const { value } = await patience.wait(transport.send({ kind: "open_card", half }));
      return new Card(transport, patience, value as Described, here);
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  /** Both ways of computing, tried on a small network. */
  async trial(): Promise<Trial> {
    return (await this.send({ kind: "try_card" })).value as Trial;
  }

  /** What a call names must be there before it: tensors and models travel when they are first used. */
  async give(kind: "hold" | "load", key: number, call: () => Call): Promise<void> {
    const given = kind === "hold" ? this.held : this.models;
    if (given.has(key)) return;
    given.add(key);
    await this.send(call()).catch((error) => {
      given.delete(key);
      throw error;
    });
  }

  take(kind: "hold" | "load", key: number): void {
    const given = kind === "hold" ? this.held : this.models;
    if (given.delete(key)) this.send({ kind: kind === "hold" ? "release" : "unload", key }).catch(() => undefined);
  }

  async send(call: Call, options?: SendOptions): Promise<Reply> {
    try {
      const reply = await this.patience.wait(this.transport.send(call, options));
      const { adapter, software } = this.described;
      if (reply.card) reply.card = { ...reply.card, adapter, software };
      return reply;
    } catch (error) {
      if (error instanceof Error) this.errors.add(error);
      throw error;
    }
  }

  /** Whether an error came from this card: one before it may have left calls that the processor is long about. */
  caused(error: Error): boolean {
    return this.errors.has(error);
  }

  close(): void {
    this.transport.close();
  }
}
