// Makes pkg/ from the TypeScript in www/ and the optimised wasm. Called by `cargo xtask build`:
//   node xtask/bundle/bundle.mjs --hash HEX --out DIR [--www DIR] --module engine GLUE.js MODULE.wasm --module lessons … --module gpu …
// Deterministic: the same inputs give the same bytes.
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { deflateRawSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { customElementsManifest, documentation, readElements } from "./elements.mjs";
import { chunkEntry, cssAsText, figureEntry, sharedModules, virtualModules } from "./plugins.mjs";
import { readRegistry } from "./registry.mjs";
import { publicTypes } from "./types.mjs";

const { values: options, tokens } = parseArgs({
  options: {
    module: { type: "string", multiple: true },
    hash: { type: "string" },
    out: { type: "string" },
    www: { type: "string", default: "www" },
  },
  allowPositionals: true,
  tokens: true,
});
for (const name of ["module", "hash", "out"]) {
  if (!options[name]) throw new Error(`bundle.mjs needs --${name}`);
}
const www = resolve(options.www);
const out = resolve(options.out);
/** Each module's name → its glue and its bytes. */
const wasm = {};
for (const { value: name, index } of tokens.filter(({ kind }) => kind === "option").filter(({ name }) => name === "module")) {
  const [glue, file] = tokens.filter(({ kind, index: at }) => kind === "positional" && at > index).map(({ value }) => value);
  wasm[name] = { glue: resolve(glue), bytes: await readFile(file) };
}
/** The same, as the scripts carry them. */
const packed = Object.fromEntries(Object.entries(wasm).map(([name, { bytes }]) => [name, deflateRawSync(bytes, { level: 9 }).toString("base64")]));

const registry = readRegistry(join(www, "widgets/index.ts"));
const tags = registry.map(({ tag }) => tag);
const elements = readElements(join(www, "widgets/elements.json"), tags);

function bundle({ entry, name, format, modules, plugins = [], wasm: glues = wasm, ...more }) {
  return build({
    entryPoints: [{ in: entry.includes(":") ? entry : join(www, entry), out: name }],
    format,
    bundle: true,
    minify: true,
    write: false,
    outdir: out,
    legalComments: "none",
    logLevel: "warning",
    target: ["es2022", "chrome114", "firefox115", "safari16.4"],
    loader: { ".woff2": "file" },
    assetNames: "fonts/[name]",
    plugins: [...plugins, virtualModules({ wasm: glues, tags, www, ...modules }), cssAsText(www)],
    ...more,
  });
}

const worker = await bundle({ entry: "engine/worker.ts", name: "worker", format: "iife" });
// The graphics card's instance is the engine's program on a module that can do more.
const card = await bundle({ entry: "engine/card-worker.ts", name: "card", format: "iife", globalName: "card", wasm: { engine: wasm.gpu, onnx: wasm.onnx } });
const program = `function(){${card.outputFiles[0].text.trim()}return card}`;
const modules = { engine: packed.engine, worker: worker.outputFiles[0].text };
const inPage = (name) => `import { load } from "./engine/chunks"; export default () => load("${name}");`;
const inModule = (name) => `export default async () => (await import("./kernelscope-${name}.mjs")).default;`;
const bundles = await Promise.all([
  bundle({ entry: "core.ts", name: "kernelscope", format: "iife", modules: { ...modules, lessons: inPage("lessons"), onnx: inPage("onnx"), gpu: inPage("gpu") } }),
  bundle({
    entry: "module.ts", name: "kernelscope", format: "esm", outExtension: { ".js": ".mjs" }, external: ["./kernelscope-lessons.mjs", "./kernelscope-onnx.mjs", "./kernelscope-gpu.mjs"],
    modules: { ...modules, lessons: inModule("lessons"), onnx: inModule("onnx"), gpu: inModule("gpu") },
  }),
  bundle({ entry: "entry:figure", name: "chunks/figure", format: "iife", plugins: [figureEntry(www)] }),
  ...registry.map((figure) =>
    bundle({ entry: `entry:${figure.tag}`, name: `chunks/${figure.tag}`, format: "iife", plugins: [chunkEntry(www, figure), sharedModules(www)] }),
  ),
  bundle({ entry: "page/embed.ts", name: "chunks/embed", format: "iife" }),
  bundle({ entry: "page/page.ts", name: "chunks/page", format: "iife" }),
  bundle({ entry: "styles/page.css", name: "kernelscope" }),
  bundle({ entry: "styles/fonts.css", name: "fonts" }),
]);

/** Every file of pkg/: its path there → its bytes. */
const files = new Map();
for (const { outputFiles } of bundles) {
  for (const { path, contents } of outputFiles) files.set(relative(out, path).replaceAll(sep, "/"), contents);
}
files.set("kernelscope.wasm", wasm.engine.bytes);
files.set("kernelscope-lessons.wasm", wasm.lessons.bytes);
files.set("kernelscope-lessons.mjs", Buffer.from(`export default "${packed.lessons}";\n`));
files.set("chunks/lessons.js", Buffer.from(`kernelscope.provide("lessons","${packed.lessons}");\n`));
files.set("kernelscope-onnx.wasm", wasm.onnx.bytes);
files.set("kernelscope-onnx.mjs", Buffer.from(`export default "${packed.onnx}";\n`));
files.set("chunks/onnx.js", Buffer.from(`kernelscope.provide("onnx","${packed.onnx}");\n`));
files.set("kernelscope-gpu.wasm", wasm.gpu.bytes);
files.set("kernelscope-gpu.mjs", Buffer.from(`export default { module: "${packed.gpu}", program: ${program} };\n`));
files.set("chunks/gpu.js", Buffer.from(`kernelscope.provide("gpu",{module:"${packed.gpu}",program:${program}});\n`));
files.set("kernelscope.d.ts", Buffer.from(publicTypes(join(www, "engine/api.ts"))));
/** Pictures and networks as chunks that carry the file itself, in base64. */
async function carry(folder, kind, extension) {
  const names = await readdir(join(www, folder)).catch(() => []);
  for (const name of names.filter((name) => name.endsWith(extension)).sort()) {
    const chunk = `${kind}-${name.slice(0, -extension.length)}`;
    const bytes = await readFile(join(www, folder, name), "base64");
    files.set(`chunks/${chunk}.js`, Buffer.from(`kernelscope.provide("${chunk}","${bytes}");\n`));
  }
}
await carry("images", "image", ".png");
await carry("models", "model", ".safetensors");
files.set("custom-elements.json", Buffer.from(customElementsManifest(elements)));
files.set("elements.json", Buffer.from(`${JSON.stringify(elements)}\n`));
files.set("elements.html", Buffer.from(documentation(elements)));
files.set("manifest.json", Buffer.from(manifest(files)));

function manifest(files) {
  const sizes = [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, bytes]) => [name, { bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }]);
  return `${JSON.stringify({ sources: options.hash, files: Object.fromEntries(sizes) }, null, 2)}\n`;
}

for (const [name, bytes] of files) {
  const path = join(out, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath ?? entry.path, entry.name);
  if (!entry.isDirectory() && !files.has(relative(out, path).replaceAll(sep, "/"))) await rm(path);
}

const total = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
console.log(`  ${files.size} files, ${Math.round(total / 1024)} KiB; wasm ${Object.entries(wasm).map(([name, { bytes }]) => `${name} ${Math.round(bytes.length / 1024)}`).join(", ")} KiB`);
