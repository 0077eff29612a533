// `cargo xtask bench --gpu`: what a run of the tiny U-Net (W6) asks of a graphics card, here and by two others, counted at WebGPU's own
// interface. Where there is a card, times too; an imitation of one by the processor says nothing about cards, so there none are taken.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { built, difference, here, launch, open, outputs, server, write } from "./stand.mjs";

await build({
  stdin: {
    contents: `import * as core from "@tensorflow/tfjs-core"; import "@tensorflow/tfjs-backend-webgpu";
      const { tidy, tensor4d, tensor1d, fused, maxPool, image, concat, softmax } = core;
      export const tf = { tidy, tensor4d, tensor1d, fused, maxPool, image, concat, softmax };
      export async function start() { await core.setBackend("webgpu"); await core.ready(); if (core.getBackend() !== "webgpu") throw new Error("no WebGPU"); }`,
    resolveDir: here,
  },
  bundle: true, minify: true, format: "esm", platform: "browser", outfile: join(built, "tensorflow-webgpu.js"), logLevel: "error",
});

const NAMES = { ours: "kernelscope", onnxruntime: "onnxruntime-web", tensorflow: "TensorFlow.js" };
const count = readFileSync(join(here, "count.js"), "utf8");
const flags = ["--enable-unsafe-webgpu", "--enable-features=Vulkan"];
let browser = await launch(...flags);
const described = async () => {
  const { page, context } = await open(browser, ["ours"]);
  const card = await page.evaluate(async () => {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
    return adapter && { name: [adapter.info.vendor, adapter.info.architecture, adapter.info.description].filter(Boolean).join(", "), software: Boolean(adapter.info.isFallbackAdapter) || /swiftshader|llvmpipe|lavapipe/i.test(adapter.info.architecture + adapter.info.description) };
  });
  await context.close();
  return card;
};
let card = await described();
if (!card) {
  await browser.close();
  browser = await launch(...flags, "--use-webgpu-adapter=swiftshader");
  card = await described();
}
if (!card) throw new Error("this Chromium offers no WebGPU, not even an imitation");

const lines = [];
const say = (line) => {
  lines.push(line);
  console.log(line);
};
const processor = await open(browser, ["ours"]);
await processor.page.evaluate(() => bench.load("W6"));
say(`${new Date().toISOString().slice(0, 10)}, Chromium ${browser.version()}, ${card.software ? `an imitation of a card (${card.name}): counts, and no times` : card.name}. W6, 256 × 256, one picture.\n`);
const kb = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;
const columns = [["dispatches", "dispatches"], ["passes", "passes"], ["submits", "submits"], ["writes", "writes"], ["uploaded", "uploaded", kb], ["readBack", "read back", kb], ["buffers", "buffers made"], ["bindGroups", "bind groups made"], ["pipelines", "pipelines made"]];
say(`| | run | ${columns.map(([, head]) => head).join(" | ")} |${card.software ? "" : " ms |"} difference |`);
say(`|---|---|${columns.map(() => "--:|").join("")}${card.software ? "" : "--:|"}--:|`);
for (const [key, name] of Object.entries(NAMES)) {
  const peer = await open(browser, [key, { gpu: true }], "", count);
  await peer.page.evaluate(() => bench.load("W6"));
  const first = await peer.page.evaluate(() => counted());
  await peer.page.evaluate(() => bench.once());
  await peer.page.evaluate(() => counted());
  await peer.page.evaluate(() => bench.once());
  const warm = await peer.page.evaluate(() => counted());
  const [theirs, mine] = await outputs(peer, processor);
  const far = difference(theirs, mine);
  if (!(far <= 1e-3)) throw new Error(`${name}: the output differs from the processor's by ${far}`);
  const times = card.software ? [] : await peer.page.evaluate(() => bench.times(2000, 200));
  const ms = card.software ? "" : ` ${times.toSorted((a, b) => a - b)[times.length >> 1].toFixed(2)} |`;
  const row = (counts) => columns.map(([key, , words = String]) => words(counts[key])).join(" | ");
  say(`| ${name} | first, with what is loaded | ${row(first)} |${card.software ? "" : " |"} |`);
  say(`| | third | ${row(warm)} |${ms} ${far.toExponential(0)} |`);
  await peer.context.close();
}
await browser.close();
server.close();
if (process.argv.includes("--write")) write("bench-gpu", lines);
