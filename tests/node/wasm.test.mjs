// The optimised module: an optimiser once made one that no browser takes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const file = (name) => readFileSync(new URL(`../../pkg/${name}`, import.meta.url));

const MODULES = {
  "kernelscope.wasm": ["put", "read", "run", "explain", "load_model", "model_run", "memory"],
  "kernelscope-answers.wasm": ["explain", "geometry", "model_receptive_field", "trace_shares"],
  "kernelscope-onnx.wasm": ["onnx_read", "onnx_graph", "onnx_sample", "onnx_describe"],
  "kernelscope-gpu.wasm": ["put", "read", "run", "model_run", "gpu_open", "gpu_run", "gpu_model_run", "gpu_stats", "memory"],
  "kernelscope-lessons.wasm": ["put", "read", "specimen", "microscope", "decode", "receptive_chain", "memory"],
};

for (const [name, functions] of Object.entries(MODULES)) {
  test(`pkg/${name} is a valid module that uses SIMD`, async () => {
    const bytes = file(name);
    assert.ok(WebAssembly.validate(bytes));
    const module = await WebAssembly.compile(bytes);
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    for (const name of functions) assert.ok(names.includes(name), `${name} is exported`);
    const [hash] = WebAssembly.Module.customSections(module, "kernelscope-sources");
    assert.match(new TextDecoder().decode(hash), /^[0-9a-f]{64}$/);
  });
}

test("a graphics card costs 200 KB at most, and only those who have one", () => {
  const length = (names) => names.reduce((sum, name) => sum + file(`kernelscope${name}.wasm`).length, 0);
  const more = length(["-gpu"]) - length(["", "-answers", "-onnx"]);
  assert.ok(more <= 200_000, `${more} bytes more than the engine with all its parts`);
  const functions = WebAssembly.Module.imports(new WebAssembly.Module(file("kernelscope.wasm"))).map(({ name }) => name);
  assert.deepEqual(functions.filter((name) => /gpu|adapter|device/i.test(name)), [], "the engine for the processor knows no card");
});

test("nothing in pkg/ says where it was built", () => {
  for (const name of [...Object.keys(MODULES), "kernelscope.js", "kernelscope.mjs", "kernelscope-gpu.mjs", "chunks/gpu.js", "chunks/figure.js", "chunks/ks-convolution.js", "chunks/page.js"]) {
    // Not in the wasm as text: among so many letters any short word stands somewhere.
    const text = file(name).toString("latin1").replace(/[A-Za-z0-9+/=]{400,}/g, "");
    const found = /(?:\/home|\/root|\/Users|\/work|\/tmp|\/usr)\/[\w./-]+/.exec(text);
    assert.equal(found?.[0], undefined, `a path in ${name}`);
  }
});
