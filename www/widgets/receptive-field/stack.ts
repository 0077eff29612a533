/** The stack that a reader builds: rows of equal layers, written as text for the address, expanded for the crate. */

export const KINDS = ["conv", "maxpool", "avgpool", "upsample", "convtranspose", "concat", "add"] as const;
export type Kind = (typeof KINDS)[number];

export const NAMES: Record<Kind, string> = {
  conv: "convolution",
  maxpool: "max pooling",
  avgpool: "average pooling",
  upsample: "upsampling",
  convtranspose: "up-convolution",
  concat: "join a skip",
  add: "add a skip",
};

/** `times` equal layers one after another. */
export interface Row {
  /** Names the row while others come, go and move. */
  id: number;
  kind: Kind;
  /** The kernel, or the factor of upsampling. */
  kernel: number;
  stride: number;
  dilation: number;
  padding: number;
  times: number;
  /** Of a skip: the row it comes from; 0 is the picture. */
  from: number;
}

export type Setting = "kernel" | "stride" | "dilation" | "padding" | "times";

/** What a kind has to set, apart from how often. */
export const SETTINGS: Record<Kind, readonly Setting[]> = {
  conv: ["kernel", "stride", "dilation", "padding"],
  maxpool: ["kernel", "stride", "dilation", "padding"],
  avgpool: ["kernel", "stride", "padding"],
  upsample: ["kernel"],
  convtranspose: ["kernel", "stride", "padding"],
  concat: [],
  add: [],
};

/** A layer as the crate reads it. `from` counts layers from 0; -1 is the picture. */
export interface Layer {
  kind: Kind;
  kernel?: number;
  stride?: number;
  padding?: number;
  dilation?: number;
  scale?: number;
  from?: number;
  channels?: number;
  bias?: boolean;
}

export interface Preset {
  value: string;
  label: string;
  stack: string;
}

const encoder = (last: string) => `c3x2-m2-c3x2-m2-c3x2-m2-c3x2-m2-${last}`;

export const PRESETS: Preset[] = [
  { value: "one-3", label: "one 3 × 3", stack: "c3" },
  { value: "two-3", label: "two 3 × 3", stack: "c3-c3" },
  { value: "three-3", label: "three 3 × 3", stack: "c3-c3-c3" },
  { value: "one-7", label: "one 7 × 7", stack: "c7" },
  { value: "fifty-3", label: "fifty 3 × 3", stack: "c3x50" },
  { value: "dilated", label: "dilated: 1, 2, 4", stack: "c3-c3d2-c3d4" },
  { value: "blocks", label: "four conv–pool blocks", stack: "c3-m2-c3-m2-c3-m2-c3-m2" },
  { value: "lenet", label: "LeNet-5 encoder", stack: "c5p0-a2-c5p0-a2" },
  { value: "unet-encoder", label: "U-Net encoder", stack: encoder("c3x2") },
  { value: "unet", label: "whole U-Net", stack: `${encoder("c3x2")}-t2-k7-c3x2-t2-k5-c3x2-t2-k3-c3x2-t2-k1-c3x2` },
];

const LETTERS: Record<string, Kind> = { c: "conv", m: "maxpool", a: "avgpool", u: "upsample", t: "convtranspose", k: "concat", e: "add" };
const letterOf = (kind: Kind): string => Object.keys(LETTERS).find((letter) => LETTERS[letter] === kind)!;
const MARKS = { s: "stride", d: "dilation", p: "padding", x: "times" } as const;
const isSkip = (kind: Kind) => kind === "concat" || kind === "add";

let ids = 0;

/** A row as one would first write it: convolutions keep the size, pooling steps by its own width. */
export function newRow(kind: Kind, given: Partial<Row> = {}): Row {
  const kernel = given.kernel ?? (kind === "conv" ? 3 : 2);
  const dilation = given.dilation ?? 1;
  return {
    kind,
    kernel,
    dilation,
    stride: kind === "conv" ? 1 : kernel,
    padding: kind === "conv" ? keeps(kernel, dilation) : 0,
    times: 1,
    from: 0,
    ...given,
    id: ++ids,
  };
}

/** The padding that one chooses for an odd kernel to keep the size. */
const keeps = (kernel: number, dilation: number): number => (kernel >> 1) * dilation;

/** Changes a setting; what followed from it as a habit follows it still. */
export function withSetting(row: Row, setting: Setting, value: number): Row {
  const next = { ...row, [setting]: value };
  if (row.kind === "conv" && row.padding === keeps(row.kernel, row.dilation) && setting !== "padding") next.padding = keeps(next.kernel, next.dilation);
  if (row.kind !== "conv" && row.stride === row.kernel && setting === "kernel") next.stride = value;
  return next;
}

/** "c3x2-m2": two 3×3 convolutions and a 2×2 maximum. Undefined where the text means nothing. */
export function parseStack(text: string): Row[] | undefined {
  const tokens = text.split("-");
  if (tokens.length > 60) return undefined;
  const rows: Row[] = [];
  for (const token of tokens) {
    const [, letter, first, rest] = /^([cmautke])(\d{1,3})((?:[sdpx]\d{1,3})*)$/.exec(token) ?? [];
    if (letter === undefined) return undefined;
    const kind = LETTERS[letter]!;
    const given: Partial<Row> = {};
    for (const [, mark, value] of rest!.matchAll(/([sdpx])(\d+)/g)) given[MARKS[mark as keyof typeof MARKS]] = Number(value);
    if (isSkip(kind)) {
      const source = Number(first);
      if (source > rows.length) return undefined;
      given.from = source === 0 ? 0 : rows[source - 1]!.id;
    } else given.kernel = Number(first);
    rows.push(newRow(kind, given));
  }
  return rows;
}

/** The shortest text that `parseStack` reads back. */
export function formatStack(rows: Row[]): string {
  return rows
    .map((row) => {
      const plain = newRow(row.kind, { kernel: row.kernel, dilation: row.dilation });
      const first = isSkip(row.kind) ? placeOf(rows, row.from) : row.kernel;
      const marks = (Object.entries(MARKS) as [string, Exclude<Setting, "kernel">][])
        .filter(([, name]) => (name === "dilation" ? row.dilation !== 1 : row[name] !== plain[name]))
        .map(([mark, name]) => `${mark}${row[name]}`);
      return `${letterOf(row.kind)}${first}${marks.join("")}`;
    })
    .join("-");
}

/** A row's number from 1; 0 is the picture, and also what a lost row is taken for. */
export const placeOf = (rows: Row[], id: number): number => rows.findIndex((row) => row.id === id) + 1;

export interface Expanded {
  layers: Layer[];
  /** For each layer the index of its row. */
  rowOf: number[];
  /** For each row the index of its first and its last layer. */
  spans: [number, number][];
}

/** A row's layers as people count them: "3", or "1–2" where it stands for two. */
export function numbersOf(rows: Row[], index: number): string {
  const before = rows.slice(0, index).reduce((sum, { times }) => sum + times, 0);
  const last = before + rows[index]!.times;
  return last > before + 1 ? `${before + 1}–${last}` : String(last);
}

/** Every repetition written out. */
export function expand(rows: Row[]): Expanded {
  const layers: Layer[] = [];
  const rowOf: number[] = [];
  const spans: [number, number][] = [];
  rows.forEach((row, index) => {
    const first = layers.length;
    for (let i = 0; i < row.times; i++) {
      layers.push(layerOf(row, rows, spans));
      rowOf.push(index);
    }
    spans.push([first, layers.length - 1]);
  });
  return { layers, rowOf, spans };
}

function layerOf(row: Row, rows: Row[], spans: [number, number][]): Layer {
  const { kind, kernel, stride, dilation, padding } = row;
  if (isSkip(kind)) return { kind, from: spans[placeOf(rows, row.from) - 1]?.[1] ?? -1 };
  if (kind === "upsample") return { kind, scale: kernel };
  return {
    kind, kernel, stride, padding,
    ...(kind === "conv" || kind === "maxpool" ? { dilation } : {}),
    // One channel, so that the crate counts the weights of one pair.
    ...(kind === "conv" || kind === "convtranspose" ? { channels: 1, bias: false } : {}),
  };
}

/** "conv 3×3": as short as a drawing needs it. */
export function shortName({ kind, kernel, scale, from }: Layer): string {
  switch (kind) {
    case "conv":
      return `conv ${kernel}×${kernel}`;
    case "maxpool":
      return `max ${kernel}×${kernel}`;
    case "avgpool":
      return `mean ${kernel}×${kernel}`;
    case "upsample":
      return `up ×${scale}`;
    case "convtranspose":
      return `up-conv ${kernel}×${kernel}`;
    case "concat":
      return `join ${from! + 1}`;
    case "add":
      return `add ${from! + 1}`;
  }
}
