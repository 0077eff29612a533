// Small grey pictures of what was on the screen, to compare with those that were looked at and found good.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { decode, encodeGrey } from "./png.mjs";

const WIDTH = 260;
/** Greys are told apart to six bits: that keeps the files small. */
const STEP = 4;
/** Another font rasteriser changes the edges of letters; another picture or a missing part changes more. */
const MEAN = 0.02;
const TILE = { side: 26, most: 0.2 };

/** A PNG file's picture, small and grey: each pixel the mean of those it stands for. */
export function reduced(bytes) {
  const { width, height, channels, data } = decode(bytes);
  const scale = width / WIDTH;
  const rows = Math.round(height / scale);
  const out = Buffer.alloc(WIDTH * rows);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < WIDTH; x++) {
      let [sum, count] = [0, 0];
      for (let v = Math.floor(y * scale); v < Math.min(height, Math.ceil((y + 1) * scale)); v++) {
        for (let u = Math.floor(x * scale); u < Math.min(width, Math.ceil((x + 1) * scale)); u++) {
          const at = (v * width + u) * channels;
          sum += channels === 1 ? data[at] : 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
          count += 1;
        }
      }
      out[y * WIDTH + x] = Math.round(sum / count / STEP) * STEP > 255 ? 255 : Math.round(sum / count / STEP) * STEP;
    }
  }
  return { width: WIDTH, height: rows, data: out };
}

/** How far two reduced pictures are apart, from 0 to 1: on the whole, and where it is worst. */
export function apart(a, b) {
  const height = Math.min(a.height, b.height);
  const across = Math.ceil(WIDTH / TILE.side);
  const tiles = new Map();
  let sum = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const off = Math.abs(a.data[y * WIDTH + x] - b.data[y * WIDTH + x]) / 255;
      const tile = Math.floor(y / TILE.side) * across + Math.floor(x / TILE.side);
      const at = tiles.get(tile) ?? { sum: 0, count: 0 };
      tiles.set(tile, { sum: at.sum + off, count: at.count + 1 });
      sum += off;
    }
  }
  const full = [...tiles.values()].filter(({ count }) => count > (TILE.side * TILE.side) / 2);
  return { mean: sum / (WIDTH * height), worst: Math.max(...full.map(({ sum, count }) => sum / count)), height: Math.abs(a.height - b.height) / b.height };
}

/** Whether two reduced pictures show the same. */
export const alike = ({ mean, worst, height }) => mean <= MEAN && worst <= TILE.most && height <= 0.03;

/** Compares a PNG file's bytes with the reference, or writes it where UPDATE_SNAPSHOTS is set. */
export function compareWith(path, bytes) {
  const now = reduced(bytes);
  if (process.env.UPDATE_SNAPSHOTS) {
    mkdirSync(dirname(path), { recursive: true });
    // What is alike stays as it is: a reference changes only when the figure does.
    if (!existsSync(path) || !alike(apart(now, decode(readFileSync(path))))) writeFileSync(path, encodeGrey(now));
    return;
  }
  assert.ok(existsSync(path), `${path} is missing: look at the state in tests/gallery/index.html, then run with UPDATE_SNAPSHOTS=1`);
  const found = apart(now, decode(readFileSync(path)));
  const percent = (part) => `${(100 * part).toFixed(1)} %`;
  if (alike(found)) return;
  const seen = path.replace(/\.png$/, ".now.png");
  writeFileSync(seen, encodeGrey(now));
  assert.fail(`it looks otherwise than ${path}: ${percent(found.mean)} on the whole, ${percent(found.worst)} where it is worst, its height ${percent(found.height)}; see ${seen}`);
}
