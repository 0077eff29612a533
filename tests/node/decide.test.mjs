// Which backend computes, and why: every answer of the one function that decides.
import assert from "node:assert/strict";
import { test } from "node:test";
import { page } from "./support/typescript.mjs";

const { decide, offer } = await page("engine/decide.ts");

const REAL = { adapter: "Card 3000", software: false, features: [] };
const trial = (cpu, gpu, off = 1e-7) => ({ cpu, gpu, off });

test("a real card that was right and faster computes", () => {
  const { use, why } = decide(REAL, trial(30, 4.26));
  assert.equal(use, true);
  assert.equal(why, "which took 4.3 ms for a trial where the processor took 30 ms");
});

test("everything else is the processor's, with its reason", () => {
  for (const [card, tried, reason] of [
    ["this browser has no WebGPU", undefined, /no WebGPU/],
    [{ ...REAL, software: true, adapter: "SwiftShader" }, trial(30, 4), /no graphics card but an imitation by the processor \(SwiftShader\)/],
    [REAL, undefined, /being tried/],
    [REAL, trial(4, 30), /the processor was faster on a trial than the graphics card \(Card 3000\): 4\.0 ms against 30 ms/],
    [REAL, trial(4, 4), /faster/],
    [REAL, trial(30, 4, 2e-4), /wrong values on a trial \(off by 0\.020 %\)/],
    [REAL, trial(30, 4, NaN), /wrong values on a trial \(off by without measure\)/],
    [REAL, "the device was lost", /failed on a trial: the device was lost/],
  ]) {
    const { use, why } = decide(card, tried);
    assert.equal(use, false, why);
    assert.match(why, reason);
  }
});

/** With this `navigator.gpu`. */
async function offered(gpu) {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
  try {
    return await offer();
  } finally {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else delete globalThis.navigator;
  }
}

test("what browsers offer is told apart", async () => {
  const card = (info, more = {}) => offered({ requestAdapter: async () => ({ info, ...more }) });
  assert.match(await offered(undefined), /no WebGPU/);
  assert.match(await offered({ requestAdapter: async () => null }), /offers no graphics card/);
  assert.match(await offered({ requestAdapter: () => Promise.reject(new Error("not today")) }), /refused its graphics card \(not today\)/);
  assert.deepEqual(await card({ vendor: "nvidia", architecture: "ampere", device: "", description: "" }), { adapter: "nvidia, ampere", software: false, features: [] });
  assert.equal((await card({ vendor: "google", architecture: "swiftshader" })).software, true);
  assert.equal((await card({ vendor: "mesa", description: "llvmpipe (LLVM 15)" })).software, true);
  assert.equal((await card({ vendor: "", isFallbackAdapter: true })).software, true, "it admits it");
  assert.equal((await card({ vendor: "" }, { isFallbackAdapter: true })).software, true, "as browsers used to admit it");
});
