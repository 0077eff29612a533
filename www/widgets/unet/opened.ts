/** Networks that the figure can show: the shipped one, and files of the reader's own, ONNX or safetensors. */
import type { Engine, Model, Run, Tensor } from "../../engine/api";
import type { Source } from "../../figure/sources";

export interface Opened {
  model: Model;
  /** The file's name; "" for the shipped network. */
  name: string;
  /** The node with the scores before they become probabilities, or the output itself. */
  logits: string;
  /** How scores become probabilities. */
  rule: "softmax" | "sigmoid";
  /** Whether the output already holds them. */
  done: boolean;
}

/** What a network's files are called. */
export const NETWORK_FILES = ".onnx,.data,.safetensors";

export const isNetwork = (file: File): boolean => /\.(onnx|safetensors)$/i.test(file.name);

/** Opens a network with the files of weights beside it. */
export async function openNetwork(engine: Engine, files: File[]): Promise<Opened> {
  const networks = files.filter(isNetwork);
  if (networks.length !== 1) {
    const got = files.map(({ name }) => name).join(", ") || "nothing";
    throw new Error(`A network is one .onnx or .safetensors file, with its .data file beside it if it has one; got ${got}.`);
  }
  const bytes = async (file: File) => new Uint8Array(await file.arrayBuffer());
  const beside = files.filter((file) => file !== networks[0]);
  const externalData = Object.fromEntries(await Promise.all(beside.map(async (file) => [file.name, await bytes(file)] as const)));
  return describe(await engine.loadModel(await bytes(networks[0]!), { externalData }), networks[0]!.name);
}

/** Finds the scores behind the output: what a last softmax or sigmoid reads, past nodes that only move values. */
export function describe(model: Model, name = ""): Opened {
  const nodes = new Map(model.graph.map((node) => [node.name, node]));
  const moved = ["permute", "reshape", "crop_to", "pad"];
  let node = model.graph.at(-1)!;
  while (moved.includes(node.op) && nodes.has(node.inputs[0]!)) node = nodes.get(node.inputs[0]!)!;
  const output = model.graph.at(-1)!.name;
  if (node.op !== "softmax" && node.op !== "sigmoid") return { model, name, logits: output, rule: "softmax", done: false };
  const rule = node.op;
  let logits = nodes.get(node.inputs[0]!)!;
  while (logits.op === "permute" && nodes.has(logits.inputs[0]!)) logits = nodes.get(logits.inputs[0]!)!;
  return { model, name, logits: logits.name, rule, done: true };
}

/** The picture as the network wants it: its channels, and the size it was exported with. */
export function fitting({ model, name }: Opened, source: Source): Source {
  const [, height, width] = source.image.shape as [number, number, number];
  const { channels, size } = model.graph[0]!.attributes as { channels?: number; size?: [number, number] };
  if (!name) return source;
  const fitted = size && (size[0] !== height || size[1] !== width) ? middle(source, size) : source;
  if (!channels || channels === 1) return fitted;
  const copies = Array.from({ length: channels }, () => fitted.image.data);
  const data = new Float32Array(fitted.image.data.length * channels);
  copies.forEach((copy, i) => data.set(copy, i * copy.length));
  return { ...fitted, image: { data, shape: [channels, ...fitted.image.shape.slice(1)] }, about: `${fitted.about} · the same grey in ${channels} channels` };
}

/** The middle of a picture, for networks that take one size or multiples of some number. */
export function middle(source: Source, [height, width]: [number, number]): Source {
  const [, rows, columns] = source.image.shape as [number, number, number];
  if (height > rows || width > columns) {
    throw new Error(`This network takes pictures of ${height} × ${width} pixels; this one has ${rows} × ${columns}. Choose a larger one.`);
  }
  const [top, left] = [(rows - height) >> 1, (columns - width) >> 1];
  const cut = ({ data, shape }: Tensor): Tensor => {
    const channels = shape.length > 2 ? shape[0]! : 1;
    const out = new Float32Array(channels * height * width);
    for (let row = 0; row < channels * height; row++) {
      const from = (Math.floor(row / height) * rows + top + (row % height)) * columns + left;
      out.set(data.subarray(from, from + width), row * width);
    }
    return { data: out, shape: shape.length > 2 ? [channels, height, width] : [height, width] };
  };
  return { ...source, image: cut(source.image), boundaries: source.boundaries && cut(source.boundaries), about: `${source.about} · the middle ${height} × ${width}` };
}

/** Runs the network; one that cannot halve this size often enough gets the middle of the picture. */
export async function runOn(opened: Opened, source: Source): Promise<{ source: Source; run: Run }> {
  const fitted = fitting(opened, source);
  const run = (picture: Source) => opened.model.run(picture.image, { keep: "all" });
  const [, height, width] = fitted.image.shape as [number, number, number];
  const even = [height, width].map((n) => n - (n % 32)) as [number, number];
  try {
    return { source: fitted, run: await run(fitted) };
  } catch (error) {
    if (!opened.name || (even[0] === height && even[1] === width) || !even.every(Boolean)) throw error;
    const smaller = middle(fitted, even);
    return { source: smaller, run: await run(smaller).catch(() => Promise.reject(error)) };
  }
}

/** The probabilities of a run, a map for each class; refuses answers that are no maps of the picture. */
export async function probabilities(engine: Engine, { name, rule, done }: Opened, run: Run, source: Source): Promise<Tensor> {
  const { shape } = run.output;
  const [, height, width] = source.image.shape;
  if (shape.length !== 3 || shape[1] !== height || shape[2] !== width) {
    throw new Error(`“${name}” answers with ${shape.join(" × ")} numbers; this figure shows networks whose answer is a map as large as the picture, here C × ${height} × ${width}.`);
  }
  if (done) return run.output;
  return rule === "softmax" && shape[0]! > 1 ? engine.softmax(run.output, { dim: 0 }) : engine.sigmoid(run.output);
}
