/** Carries out calls with a graphics card at hand. What the card does is a promise; everything else is as in every instance. */
import type { Glue } from "glue:gpu";
import { type Described, offer, type Trial } from "./decide";
import { Executor, type Outcome } from "./executor";
import type { Call, CardStats } from "./protocol";

/** A trial's picture is as large as those of the figures, after a small one. */
const SIDE = 256;
const SMALL = 128;
/** The large picture is four times the processor's work and no less for a card: one so much slower with the small one has lost. */
const HOPELESS = 5;
/** Some browsers' clocks are coarse. */
const TICK_MS = 5;
const TIMES = 3;
/** Whoever takes longer than this for a run is slow enough to be measured once. */
const ENOUGH_MS = 300;

interface Made {
  trace: number;
  output: number;
  nodes: Record<string, number>;
  times?: { node: string; ms: number }[];
}

export class CardExecutor extends Executor {
  private get card(): Glue {
    return this.glue as unknown as Glue;
  }

  /** The card's counts, if one is open. */
  stats(): CardStats | undefined {
    try {
      return this.card.gpu_stats() as CardStats;
    } catch {
      return undefined;
    }
  }

  async perform(call: Call): Promise<Outcome> {
    const start = performance.now();
    const done = this.watch();
    try {
      const outcome = await this.onCard(call);
      return { ...outcome, ms: performance.now() - start };
    } catch (error) {
      throw done(error);
    }
  }

  private async onCard(call: Call): Promise<{ value: unknown; transfer: ArrayBuffer[] }> {
    switch (call.kind) {
      case "open_card":
        return { value: await this.open(call.half), transfer: [] };
      case "try_card":
        return { value: await this.trial(), transfer: [] };
      case "op": {
        const { handles, free } = this.lend(call.inputs);
        try {
          return this.take(await this.card.gpu_run(call.op, handles, call.options));
        } finally {
          free();
        }
      }
      case "forward": {
        const { handles, free } = this.lend([call.input]);
        try {
          const made = (await this.card.gpu_model_run(this.modelOf(call.model), handles[0]!, call.keep, call.timed === true)) as Made;
          // Questions about values are the processor's: it adds in the order of `explain`.
          this.glue.free_trace(made.trace);
          const { value, transfer } = this.maps(made);
          return { value: { ...value, times: made.times }, transfer };
        } finally {
          free();
        }
      }
      default:
        return this.execute(call);
    }
  }

  /** Some browsers tell a card's maker and kind, and no name. */
  private async open(half: boolean): Promise<Described> {
    const described = (await this.card.gpu_open({ half })) as Described;
    const offered = described.adapter ? "" : await offer();
    if (typeof offered === "string") return described;
    return { ...described, adapter: offered.adapter, software: described.software || offered.software };
  }

  /** A card that is no match is found out with a small picture: with the large one an imitation would be busy for seconds. */
  private async trial(): Promise<Trial> {
    const model = this.card.trial_network();
    try {
      const small = await this.compare(model, SMALL);
      return small.gpu > HOPELESS * Math.max(small.cpu, TICK_MS) ? small : await this.compare(model, SIDE);
    } finally {
      this.glue.free_model(model);
    }
  }

  /** The same network on the same picture, by the processor and by the card: the best of some runs each. */
  private async compare(model: number, side: number): Promise<Trial> {
    const picture = Float32Array.from({ length: side * side }, (_, i) => Math.sin(i * 0.7) * Math.cos(Math.floor(i / side) * 0.3));
    const x = this.glue.put(picture, Uint32Array.of(1, side, side));
    const timed = async (run: () => Promise<Made> | Made) => {
      const times: number[] = [];
      let values: Float32Array = new Float32Array();
      let spent = 0;
      // The first run makes what later ones use.
      for (let i = 0; i <= TIMES && spent < ENOUGH_MS; i++) {
        const start = performance.now();
        const made = await run();
        if (i > 0) times.push(performance.now() - start);
        spent = times.reduce((sum, ms) => sum + ms, 0);
        this.glue.free_trace(made.trace);
        values = this.take(made.output).value.data;
      }
      return { values, best: Math.min(...times) };
    };
    try {
      const gpu = await timed(() => this.card.gpu_model_run(model, x, "output", false) as Promise<Made>);
      const cpu = await timed(() => this.glue.model_run(model, x, "output", false) as Made);
      const largest = cpu.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const off = cpu.values.reduce((most, value, i) => Math.max(most, Math.abs(value - gpu.values[i]!)), 0);
      return { cpu: cpu.best, gpu: gpu.best, off: off / largest };
    } finally {
      this.glue.free(x);
    }
  }
}
