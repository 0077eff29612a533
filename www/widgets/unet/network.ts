/** The network as the figure draws it: its nodes gathered into blocks, in the roles that the lecture colours. */
import type { GraphNode, Tensor } from "../../engine/api";

export interface Block {
  key: string;
  title: string;
  role: "input" | "output" | "third";
  /** Counted from the full resolution, 0. */
  level: number;
  /** Its nodes in order; the last one is what the block hands on. */
  nodes: GraphNode[];
}

export interface Layout {
  encoder: Block[];
  bottleneck: Block | undefined;
  decoder: Block[];
  /** After the last decoder block: logits and probabilities. */
  head: GraphNode[];
}

const ENCODER = /^(enc|encoder)(\d+)/;
const DECODER = /^(dec|decoder|up|cat)(\d+)/;

/** Blocks of any network: by its names where they are the crate's, else by the sizes of its maps. */
export function arranged(graph: GraphNode[], nodes: Record<string, Tensor>, logits: string): Layout {
  const named = layout(graph);
  if (named.encoder.length > 1 && named.bottleneck && named.decoder.length) return named;
  return bySize(graph, nodes, logits);
}

/** Down to the smallest maps, and up again: every halving begins a level. */
function bySize(graph: GraphNode[], nodes: Record<string, Tensor>, logits: string): Layout {
  const maps = graph.filter(({ name, op }) => op !== "input" && nodes[name]?.shape.length === 3);
  const height = nodes[graph[0]!.name]!.shape[1]!;
  const levels = maps.map(({ name }) => Math.max(0, Math.round(Math.log2(height / nodes[name]!.shape[1]!))));
  const deepest = Math.max(0, ...levels);
  const [first, last] = [levels.indexOf(deepest), levels.lastIndexOf(deepest)];
  const end = maps.findIndex(({ name }) => name === logits);
  const head = end < 0 ? [] : maps.slice(end);
  const body = end < 0 ? maps : maps.slice(0, end);
  const blocks = new Map<string, Block>();
  body.forEach((node, i) => {
    const level = levels[i]!;
    const down = i < first || deepest === 0;
    const key = level === deepest && deepest > 0 ? "bottleneck" : `${down || i <= last ? "enc" : "dec"}${level + 1}`;
    const made: Block = key === "bottleneck"
      ? { key, title: "Bottleneck", role: "third", level, nodes: [] }
      : { key, title: `${key.startsWith("enc") ? "Encoder" : "Decoder"} ${level + 1}`, role: key.startsWith("enc") ? "input" : "output", level, nodes: [] };
    const block = blocks.get(key) ?? made;
    block.nodes.push(node);
    blocks.set(key, block);
  });
  const all = [...blocks.values()].sort((a, b) => a.level - b.level);
  return { encoder: all.filter(({ key }) => key.startsWith("enc")), bottleneck: blocks.get("bottleneck"), decoder: all.filter(({ key }) => key.startsWith("dec")), head };
}

/** Blocks by the names that the crate gives: enc1.…, pool1, bottleneck.…, up1, cat1, dec1.…, then the head. */
export function layout(graph: GraphNode[]): Layout {
  const blocks = new Map<string, Block>();
  const head: GraphNode[] = [];
  const into = (key: string, make: () => Omit<Block, "key" | "nodes">, node: GraphNode) => {
    const block = blocks.get(key) ?? { key, nodes: [], ...make() };
    block.nodes.push(node);
    blocks.set(key, block);
  };
  for (const node of graph) {
    const encoder = ENCODER.exec(node.name) ?? /^(pool)(\d+)/.exec(node.name);
    const decoder = DECODER.exec(node.name);
    if (encoder) into(`enc${encoder[2]}`, () => ({ title: `Encoder ${encoder[2]}`, role: "input", level: Number(encoder[2]) - 1 }), node);
    else if (decoder) into(`dec${decoder[2]}`, () => ({ title: `Decoder ${decoder[2]}`, role: "output", level: Number(decoder[2]) - 1 }), node);
    else if (node.name.startsWith("bottleneck")) into("bottleneck", () => ({ title: "Bottleneck", role: "third", level: 0 }), node);
    else if (node.op !== "input") head.push(node);
  }
  const all = [...blocks.values()];
  const bottleneck = blocks.get("bottleneck");
  const encoder = all.filter(({ key }) => key.startsWith("enc")).sort((a, b) => a.level - b.level);
  if (bottleneck) bottleneck.level = encoder.length;
  return { encoder, bottleneck, decoder: all.filter(({ key }) => key.startsWith("dec")).sort((a, b) => a.level - b.level), head };
}

/** The block's map for the overview: its last activation (a pooled copy belongs to the next level). */
export function shown(block: Block): GraphNode {
  const own = block.nodes.filter(({ op }) => op !== "max_pool2d" && op !== "avg_pool2d");
  return own.at(-1) ?? block.nodes.at(-1)!;
}

/** A node's name as a person reads it. */
export function title(node: GraphNode): string {
  const words: Record<string, string> = {
    conv2d: "convolution",
    relu: "ReLU",
    max_pool2d: "max pooling",
    avg_pool2d: "average pooling",
    interpolate: "upsampled",
    conv_transpose2d: "upsampled",
    concat: "joined with the skip",
    softmax: "probabilities",
    sigmoid: "probabilities",
    batch_norm: "normalised",
    input: "input",
    add: "sum",
    leaky_relu: "leaky ReLU",
    pad: "padded",
    reflect_pad: "padded",
    crop_to: "cut back",
    adaptive_avg_pool2d: "mean of the map",
  };
  return node.name === "logits" ? "logits" : (words[node.op] ?? node.op);
}

/** dec1.relu2 → decoder 1, ReLU 2. */
export function fullTitle(name: string): string {
  return name
    .replace(/^enc(\d+)\./, "encoder $1, ")
    .replace(/^dec(\d+)\./, "decoder $1, ")
    .replace(/^bottleneck\./, "bottleneck, ")
    .replace(/^pool(\d+)$/, "pooled $1")
    .replace(/^up(\d+)$/, "upsampled $1")
    .replace(/^cat(\d+)$/, "joined $1")
    .replace(/relu(\d*)$/, "ReLU $1")
    .replace(/conv(\d*)$/, "convolution $1")
    .replace(/bn(\d*)$/, "normalised $1")
    .trim();
}
