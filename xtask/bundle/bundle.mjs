// Makes pkg/ from the TypeScript in www/ and the optimised wasm. Called by `cargo xtask build`:
//   node xtask/bundle/bundle.mjs --hash HEX --glue DIR --wasm DIR --out DIR [--www DIR]
// The glue is engine.js, lessons.js …; the modules are engine.wasm and, deflated, engine.deflate …
// Deterministic: the same inputs give the same bytes.
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { customElementsManifest, documentation, readElements } from "./elements.mjs";
import { chunkEntry, cssAsText, figureEntry, sharedModules, virtualModules } from "./plugins.mjs";
import { readRegistry } from "./registry.mjs";
import { publicTypes } from "./types.mjs";

const { values: options } = parseArgs({
  options: {
    hash: { type: "string" },
    glue: { type: "string" },
    wasm: { type: "string" },
    out: { type: "string" },
    www: { type: "string", default: "www" },
  },
});
for (const name of ["hash", "glue", "wasm", "out"]) {
  if (!options[name]) throw new Error(`bundle.mjs needs --${name}`);
}
const www = resolve(options.www);
const out = resolve(options.out);
/** What is fetched when it is first needed. */
const LATER = ["answers", "lessons", "onnx", "gpu"];
/** Each module's name → its bytes. */
const wasm = {};
/** The same deflated, as the scripts carry them. */
const packed = {};
for (const name of ["engine", ...LATER]) {
  wasm[name] = await readFile(join(options.wasm, `${name}.wasm`));
  packed[name] = await readFile(join(options.wasm, `${name}.deflate`), "base64");
}
/** What the glue of the processor's instances calls; the graphics card's instance is the engine's program on a module that can do more. */
const glue = (name) => resolve(options.glue, `${name}.js`);
const PROCESSOR = { engine: glue("engine"), lessons: glue("lessons") };
const CARD = { engine: glue("gpu") };
/** The functions of the part that is loaded when it is first asked. */
const answering = WebAssembly.Module.exports(new WebAssembly.Module(wasm.answers)).map(({ name }) => name);

const registry = readRegistry(join(www, "widgets/index.ts"));
const tags = registry.map(({ tag }) => tag);
const elements = readElements(join(www, "widgets/elements.json"), tags);

function bundle({ entry, name, format, modules, plugins = [], glues = PROCESSOR, ...more }) {
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
    plugins: [...plugins, virtualModules({ glues, answering, tags, www, ...modules }), cssAsText(www)],
    ...more,
  });
}

/** A program as a function, for the page's own thread, whose text a worker can be started with. */
async function program(entry, glues) {
  const { outputFiles } = await bundle({ entry, name: "program", format: "iife", globalName: "program", glues });
  return `function(){${outputFiles[0].text.trim()}return program}`;
}
const [own, card] = await Promise.all([program("engine/program.ts", PROCESSOR), program("engine/card-worker.ts", CARD)]);
const later = (script) => ({ engine: packed.engine, program: `export default ${own};`, ...Object.fromEntries(LATER.map((name) => [name, script(name)])) });
const bundles = await Promise.all([
  bundle({ entry: "core.ts", name: "kernelscope", format: "iife", modules: later((name) => `import { load } from "./engine/chunks"; export default () => load("${name}");`) }),
  bundle({
    entry: "module.ts", name: "kernelscope", format: "esm", outExtension: { ".js": ".mjs" }, external: LATER.map((name) => `./kernelscope-${name}.mjs`),
    modules: later((name) => `export default async () => (await import("./kernelscope-${name}.mjs")).default;`),
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
files.set("kernelscope.wasm", wasm.engine);
for (const name of LATER) {
  const payload = name === "gpu" ? `{module:"${packed.gpu}",program:${card}}` : `"${packed[name]}"`;
  files.set(`kernelscope-${name}.wasm`, wasm[name]);
  files.set(`kernelscope-${name}.mjs`, Buffer.from(`export default ${payload};\n`));
  files.set(`chunks/${name}.js`, Buffer.from(`kernelscope.provide("${name}",${payload});\n`));
}
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
console.log(`  ${files.size} files, ${Math.round(total / 1024)} KiB; wasm ${Object.entries(wasm).map(([name, bytes]) => `${name} ${Math.round(bytes.length / 1024)}`).join(", ")} KiB`);
