// Colours back to values: written from the colour maps' published points, not from the page's code.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./site.mjs";

const SIZE = 1024;
const maps = JSON.parse(readFileSync(join(ROOT, "www/draw/colormaps.json"), "utf8"));
const tables = new Map();

/** For each colour of a map, the places in its table (0 to 1023) that have it. */
function places(name) {
  if (!tables.has(name)) {
    const points = maps[name].map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
    const found = new Map();
    for (let i = 0; i < SIZE; i++) {
      const at = (i / (SIZE - 1)) * (points.length - 1);
      const left = Math.min(points.length - 2, Math.floor(at));
      const colour = points[left].map((from, c) => Math.round(from + (points[left + 1][c] - from) * (at - left))).join();
      found.set(colour, [...(found.get(colour) ?? []), i]);
    }
    tables.set(name, found);
  }
  return tables.get(name);
}

/** The values that a colour may stand for: { low, high }, open-ended where it is a clipped end of the scale. */
export function valuesOf([r, g, b, alpha], { map, min, max, clipped }) {
  if (alpha !== 255) throw new Error(`a pixel that was not painted (alpha ${alpha})`);
  const found = places(map).get([r, g, b].join());
  if (!found) throw new Error(`rgb(${r}, ${g}, ${b}) is no colour of the map ${map}`);
  const value = (place) => min + (place / (SIZE - 1)) * (max - min);
  const [first, last] = [Math.min(...found), Math.max(...found)];
  return {
    low: clipped && first === 0 ? -Infinity : value(first - 0.5),
    high: clipped && last === SIZE - 1 ? Infinity : value(last + 0.5),
  };
}
