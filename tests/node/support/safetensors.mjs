// Reads the golden files of numbers.
import { readFileSync } from "node:fs";

export function safetensors(url) {
  const file = readFileSync(url);
  const length = Number(file.readBigUInt64LE(0));
  const { __metadata__: _, ...entries } = JSON.parse(file.subarray(8, 8 + length).toString());
  const data = file.buffer.slice(file.byteOffset + 8 + length, file.byteOffset + file.length);
  return Object.fromEntries(Object.entries(entries).map(([name, { shape, data_offsets: [from, until] }]) => [name, { shape, data: new Float32Array(data.slice(from, until)) }]));
}
