/** One network on one picture, by everything that can compute here. */
import type { Engine, GraphNode, Tensor } from "../../engine/api";
import { fromBase64 } from "../../engine/base64";
import { host } from "../../figure/host";

/** A way to compute. */
export type Way = "reading" | "fast" | "card";

export const WAYS: { way: Way; name: string; about: string }[] = [
  { way: "reading", name: "processor, in reading order", about: "adds products as they are explained, one by one" },
  { way: "fast", name: "processor, as fast as it can", about: "adds them in another order, and saves products" },
  { way: "card", name: "WebGPU", about: "adds them in yet another order" },
];

export interface Result {
  way: Way;
  /** The best of some runs for the output alone, in milliseconds. */
  ms: number;
  /** The largest difference from the reading order at each node, as a share of the node's largest value. */
  off: Record<string, number>;
  /** Milliseconds of each node, where a card tells them. */
  times: Record<string, number>;
  /** It is no card but an imitation: its time says nothing about cards. */
  imitated: boolean;
  /** The card's name. */
  adapter: string;
}

export interface Refused {
  way: Way;
  why: string;
}

export interface Layer {
  name: string;
  shape: number[];
}

const RUNS = 5;
/** An imitated card takes so long that its time is taken once. */
const SLOW_MS = 400;

/** Runs every way; `told` hears of each that has finished. The first one is what the others are compared with. */
export async function tryAll(engine: Engine, image: Tensor, signal: AbortSignal, told: (result: Result | Refused) => void): Promise<{ layers: Layer[] }> {
  const bytes = fromBase64(await host.load<string>("model-grains"));
  let truth: Record<string, Tensor> = {};
  let layers: Layer[] = [];
  for (const { way } of WAYS) {
    signal.throwIfAborted();
    const own = await engineFor(way);
    try {
      if (way === "card" && own.backend !== "webgpu") {
        told({ way, why: own.reason.split("; ").slice(1).join("; ") || own.reason });
        continue;
      }
      const model = await own.loadModel(bytes);
      const exact = way === "reading" ? true : way === "fast" ? false : undefined;
      const { nodes, times = [] } = await model.run(image, { keep: "all", exact, timed: true, signal });
      if (way === "card" && own.stats().last?.backend !== "webgpu") {
        told({ way, why: own.reason });
        continue;
      }
      if (way === "reading") {
        truth = nodes;
        layers = layersOf(model.graph, nodes);
      }
      const ms = await best(async () => void (await model.run(image, { exact, signal })));
      const off = Object.fromEntries(layers.map(({ name }) => [name, difference(nodes[name]!, truth[name]!)]));
      told({ way, ms, off, times: sums(times), imitated: own.stats().gpu?.software ?? false, adapter: own.adapter });
    } finally {
      own.close();
    }
  }
  return { layers };
}

/** An engine of its own for each way, so that nothing of the page's waits. */
const engineFor = (way: Way): Promise<Engine> => host.createEngine({ backend: way === "card" ? "webgpu" : "cpu" });

/** The convolutions, and what the network answers. */
function layersOf(graph: GraphNode[], nodes: Record<string, Tensor>): Layer[] {
  const last = graph.length - 1;
  return graph.filter(({ op }, i) => op === "conv2d" || i === last).map(({ name }) => ({ name, shape: nodes[name]!.shape }));
}

function difference(a: Tensor, b: Tensor): number {
  let most = 0;
  let largest = 0;
  for (let i = 0; i < b.data.length; i++) {
    most = Math.max(most, Math.abs(a.data[i]! - b.data[i]!));
    largest = Math.max(largest, Math.abs(b.data[i]!));
  }
  return largest > 0 ? most / largest : most;
}

async function best(run: () => Promise<void>): Promise<number> {
  const once = async () => {
    const start = performance.now();
    await run();
    return performance.now() - start;
  };
  // The first one makes what the others use; where it is slow all the same, it is enough.
  const first = await once();
  if (first > SLOW_MS) return first;
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) times.push(await once());
  return Math.min(...times);
}

/** Milliseconds by node; one may take several calls. */
function sums(times: { node: string; ms: number }[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { node, ms } of times) all[node] = (all[node] ?? 0) + ms;
  return all;
}
