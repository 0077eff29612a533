// `cargo xtask bench`: this engine and two others on the same workloads, in turns, in one Chromium; a table for the README.
//   node bench/run.mjs [--only W3,W6] [--rounds 5] [--write]
// Ratios within a row are what counts: all peers of a row ran in turns (A B C A B C …), so that the machine's other work meets all.
import binaryen from "binaryen";
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { built, difference, here, launch, open, outputs, PLACES, server, write } from "./stand.mjs";

const option = (name, otherwise) => {
  const i = process.argv.indexOf(`--${name}`);
  return i < 0 ? otherwise : process.argv[i + 1];
};
const NAMES = ["W1", "W2", "W3", "W4", "W5", "W6", "W7"];
const only = option("only", NAMES.join(",")).split(",");
const rounds = Number(option("rounds", "5"));
for (const name of only) if (!NAMES.includes(name)) throw new Error(`there is no workload ${name}; there are ${NAMES.join(", ")}`);

const PEERS = { ours: ["ours"], onnxruntime: ["onnxruntime"], tensorflow: ["tensorflow"] };
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

await build({
  stdin: {
    contents: `import * as core from "@tensorflow/tfjs-core"; import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
      const { tidy, tensor4d, tensor1d, fused, maxPool, image, concat, softmax } = core;
      export const tf = { tidy, tensor4d, tensor1d, fused, maxPool, image, concat, softmax };
      export async function start(folder) { setWasmPaths(folder); core.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false); await core.setBackend("wasm"); await core.ready(); }`,
    resolveDir: here,
  },
  bundle: true, minify: true, format: "esm", platform: "browser", outfile: join(built, "tensorflow.js"), logLevel: "error",
  external: ["fs", "path", "util", "worker_threads", "perf_hooks", "crypto", "os", "string_decoder"],
});

/** What one core can do at most with separate multiplications and additions: twelve chains in registers. */
function peakModule() {
  const chains = Array.from({ length: 12 }, (_, i) => i);
  const step = chains.map((i) => `(local.set $s${i} (f32x4.add (f32x4.mul (local.get $s${i}) (local.get $a)) (local.get $a)))`).join("");
  const all = chains.slice(1).reduce((sum, i) => `(f32x4.add ${sum} (local.get $s${i}))`, "(local.get $s0)");
  const module = binaryen.parseText(`(module (func (export "peak") (param $n i32) (result f32) (local $a v128)
    ${chains.map((i) => `(local $s${i} v128)`).join("")} (local.set $a (f32x4.splat (f32.const 0.5)))
    (loop $again ${step} (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (f32x4.extract_lane 0 ${all})))`);
  module.setFeatures(binaryen.Features.SIMD128);
  return Array.from(module.emitBinary());
}

/** The peers in turns on one workload; the median of all runs of each. */
async function turns(browser, name, peers, most = rounds) {
  const open_ = {};
  for (const [key, peer] of Object.entries(peers)) {
    const { page, context } = await open(browser, peer);
    open_[key] = { page, context, times: [], ...(await page.evaluate((name) => bench.load(name), name)) };
  }
  const all = Object.values(open_);
  for (const { page } of all) await page.evaluate(() => bench.times(400, 10));
  for (let round = 0; round < most; round++) for (const peer of all) peer.times.push(...(await peer.page.evaluate(() => bench.times(600, 20))));
  return open_;
}

const ms = (value) => (value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0));
const lines = [];
const say = (line) => {
  lines.push(line);
  console.log(line);
};
let browser = await launch();
const load = loadavg()[0];
let peak;
{
  const { page, context } = await open(browser, PEERS.ours);
  peak = await page.evaluate((bytes) => bench.peak(bytes), peakModule());
  await context.close();
}
const machine = `${cpus()[0].model}, ${cpus().length} cores, load ${load.toFixed(1)} at the start; Chromium ${browser.version()}, one thread`;
say(`${new Date().toISOString().slice(0, 10)}, ${machine}. A multiply-add loop in registers reached ${peak.toFixed(0)} GFLOP/s in the same run. Medians in ms.\n`);
say("| | what | kernelscope | through the worker | onnxruntime-web | TensorFlow.js | against the better | GFLOP/s | of the peak | difference |");
say("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|");
for (const name of only) {
  const result = await turns(browser, name, { ...PEERS, worker: ["ours", { thread: "worker" }] });
  const of = Object.fromEntries(Object.entries(result).map(([key, { times }]) => [key, median(times)]));
  const { flops, what } = result.ours;
  const [mine, theirs] = await outputs(result.ours, result.onnxruntime);
  const far = difference(mine, theirs);
  if (!(far <= 1e-4)) throw new Error(`${name}: the output differs from onnxruntime's by ${far}`);
  const ratio = Math.min(of.onnxruntime, of.tensorflow) / of.ours;
  const rate = flops / of.ours / 1e6;
  const share = flops ? `${rate.toFixed(1)} | ${Math.round((100 * rate) / peak)} %` : "– | –";
  say(`| ${name} | ${what} | ${ms(of.ours)} | ${ms(of.worker)} | ${ms(of.onnxruntime)} | ${ms(of.tensorflow)} | **${ratio.toFixed(1)}×** | ${share} | ${far.toExponential(0)} |`);
  if (name === "W7") {
    const sizes = await result.ours.page.evaluate(() => bench.memory(110));
    if (sizes[0] !== sizes[1]) throw new Error(`W7: memory grew from ${sizes[0]} to ${sizes[1]} bytes`);
    lines.memory = `Memory after the 10th and the 110th run of W7: ${sizes.map((n) => (n / 2 ** 20).toFixed(0)).join(" and ")} MiB.`;
  }
  for (const { context } of Object.values(result)) await context.close();
}
say("");
say("GFLOP/s count the multiplications and additions of the plain sum; Winograd's kernels need fewer, so shares above 100 % are no mistake.");
if (lines.memory) say(lines.memory);
{
  const result = await turns(browser, "large", { one: ["ours", { thread: "worker" }], two: ["ours", { thread: "worker", workers: 2 }] });
  const [one, two] = [median(result.one.times), median(result.two.times)];
  const [a, b] = await outputs(result.one, result.two);
  if (a.some((value, i) => value !== b[i])) throw new Error("two workers gave other values than one");
  say(`The network of W6 on 1024²: ${ms(one)} ms with one worker, ${ms(two)} ms with two (${(one / two).toFixed(2)}×), the same bits.`);
}
await browser.close();

const starts = { ours: [], onnxruntime: [], tensorflow: [] };
const bytes = {};
for (let round = 0; round < 3; round++) {
  for (const [key, peer] of Object.entries(PEERS)) {
    browser = await launch(); // a fresh one: no cache of compiled code
    const { page, files } = await open(browser, peer, "&cold=W6");
    starts[key].push(await page.evaluate(() => globalThis.cold));
    bytes[key] = [...files].filter((path) => /^\/(pkg|peers|build)\//.test(path));
    await browser.close();
  }
}
const packed = (path) => {
  const place = Object.keys(PLACES).find((prefix) => path.startsWith(prefix));
  return gzipSync(readFileSync(join(PLACES[place], path.slice(place.length))), { level: 9 }).length;
};
/** Every network here is an ONNX file; those of our own need no reader of such. */
const reader = (path) => path.includes("kernelscope-onnx");
const own = Math.round(bytes.ours.filter((path) => !reader(path)).reduce((sum, path) => sum + packed(path), 0) / 1024);
const size = (key) => `${Math.round(bytes[key].reduce((sum, path) => sum + packed(path), 0) / 1024)} KiB`;
say(`From navigation to the first result of W6, and download (gzip): kernelscope ${ms(median(starts.ours))} ms, ${size("ours")} (${own} KiB without its reader of ONNX); onnxruntime-web ${ms(median(starts.onnxruntime))} ms, ${size("onnxruntime")}; TensorFlow.js ${ms(median(starts.tensorflow))} ms, ${size("tensorflow")}.`);
server.close();

if (process.argv.includes("--write")) write("bench", lines);
