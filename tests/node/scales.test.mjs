// The colours' ends, found without sorting a map, are those that sorting it gives.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dice } from "./support/random.mjs";
import { page } from "./support/typescript.mjs";

const { indexOf, scaleFor } = await page("draw/colormaps.ts");

const sorted = (values) => values.filter(Number.isFinite).sort();
const rank = (values, share) => sorted(values)[Math.round(share * (sorted(values).length - 1))];

const CASES = {
  "evenly spread": (next) => next(),
  "heavy tails": (next) => (next() - 0.5) ** 9 * 1e6,
  "few different values": (next) => Math.floor(next() * 3),
  "one hot pixel": (next, i) => (i === 17 ? 1e9 : next()),
  "one pit": (next, i) => (i === 17 ? -1e9 : next()),
  "gaps: not numbers, infinite": (next, i) => (i % 7 === 0 ? NaN : i % 11 === 0 ? Infinity : i % 13 === 0 ? -Infinity : next() - 0.3),
  "the whole range of floats": (next) => (next() - 0.5) * 6e38,
  "hardly any range": (next) => 1 + Math.floor(next() * 4) * 2 ** -23,
};

for (const [name, make] of Object.entries(CASES)) {
  for (const length of [1, 2, 5, 499, 500, 501, 5000]) {
    test(`${name}, ${length} values`, () => {
      const next = dice(length);
      const values = Float32Array.from({ length }, (_, i) => make(next, i));
      const own = sorted(values);
      const scale = scaleFor(values, false);
      if (own.length === 0) return assert.deepEqual(scale, { map: "gray", min: 0, max: 1 });
      const [low, high] = [rank(values, 0.002), rank(values, 0.998)];
      const [least, most] = [own[0], own.at(-1)];
      if (least >= 0) {
        const flat = low === high;
        assert.equal(scale.map, "gray");
        assert.deepEqual([scale.min, scale.max], flat ? [0, Math.max(most, 1)] : [low, high]);
        assert.equal(scale.clipped, !flat && (least < low || most > high));
      } else {
        const reach = Math.max(-low, high) || Math.max(-least, most);
        assert.equal(scale.map, "prgn");
        assert.deepEqual([scale.min, scale.max], [-reach, reach]);
        assert.equal(scale.clipped, Math.max(-least, most) > reach);
      }
    });
  }
}

test("a value's colour is the nearest of 1024, and the ends take what lies beyond", () => {
  const scale = { map: "gray", min: -2, max: 3 };
  const next = dice(1);
  for (let i = 0; i < 10_000; i++) {
    const value = next() * 7 - 3;
    const nearest = Math.round(((value + 2) / 5) * 1023);
    assert.equal(indexOf(scale, value), Math.max(0, Math.min(1023, nearest)));
  }
  assert.deepEqual([-Infinity, -2, 3, Infinity, NaN].map((value) => indexOf(scale, value)), [0, 0, 1023, 1023, -1]);
  assert.equal(indexOf({ map: "gray", min: 1, max: 1 }, 1), 0);
});
