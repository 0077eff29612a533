// esbuild plugins: the modules that exist only while bundling.
import { readFile } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { build, transform } from "esbuild";

const NAMES = /^(virtual:(engine|answers|answering|lessons|onnx|gpu|program|tags)|glue:(engine|lessons))$/;

/**
 * `virtual:engine` (base64 of the deflated module), `virtual:answers`, `virtual:lessons`, `virtual:onnx` and `virtual:gpu` (functions that fetch
 * the others'), `virtual:answering` (which functions are in `answers`), `virtual:program` (an instance's program as a function), and
 * `glue:engine` and `glue:lessons` (functions that give fresh wasm-bindgen glue: the glue keeps its instance in variables, so
 * two instances need two of it).
 */
export function virtualModules({ glues, answering, tags, www, ...modules }) {
  const made = {
    "virtual:answering": () => ({ contents: JSON.stringify(answering), loader: "json" }),
    "virtual:tags": () => ({ contents: JSON.stringify(tags), loader: "json" }),
  };
  for (const [name, loader] of Object.entries({ engine: "text", program: "js", answers: "js", lessons: "js", onnx: "js", gpu: "js" })) {
    made[`virtual:${name}`] = () => {
      if (modules[name] === undefined) throw new Error(`virtual:${name} may not be imported from this entry`);
      return { contents: modules[name], loader, resolveDir: www };
    };
  }
  for (const name of ["engine", "lessons"]) {
    made[`glue:${name}`] = async () => ({ contents: glues[name] ? await glueFactory(glues[name]) : NO_GLUE, loader: "js" });
  }
  return {
    name: "virtual-modules",
    setup(bundler) {
      bundler.onResolve({ filter: NAMES }, ({ path }) => ({ path, namespace: "virtual" }));
      bundler.onLoad({ filter: /.*/, namespace: "virtual" }, ({ path }) => made[path]());
    },
  };
}

/** Where an instance is never asked for them. */
const NO_GLUE = `export default function createGlue() { throw new Error("this instance has no such module"); }`;

async function glueFactory(glue) {
  const { outputFiles } = await build({
    entryPoints: [glue],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "glue",
    logLevel: "warning",
  });
  return `export default function createGlue() {\n${outputFiles[0].text}\nreturn glue;\n}`;
}

/** Style sheets of figures are imported as text, for their shadow roots; the page's own are bundled as CSS. */
export function cssAsText(www) {
  const folders = ["figure", "widgets"].map((folder) => join(www, folder));
  return {
    name: "css-as-text",
    setup(bundler) {
      bundler.onLoad({ filter: /\.css$/ }, async ({ path }) => {
        if (!folders.some((folder) => path.startsWith(folder))) return undefined;
        const { code } = await transform(await readFile(path, "utf8"), {
          loader: "css",
          minify: true,
          target: bundler.initialOptions.target,
        });
        return { contents: code.trim(), loader: "text" };
      });
    },
  };
}

/** What all figures have in common, as names relative to www/ without their ending: "figure/dom". */
const SHARED = ["figure", "draw", "engine/base64"];
const isShared = (name) => SHARED.some((shared) => name === shared || name.startsWith(`${shared}/`));

/** `entry:figure`: every shared module, put where the figures' chunks find them. */
export function figureEntry(www) {
  const names = ["figure", "draw"].flatMap((folder) =>
    readdirSync(join(www, folder)).filter((name) => name.endsWith(".ts")).sort().map((name) => `${folder}/${name.slice(0, -3)}`),
  );
  names.push("engine/base64");
  const lines = names.map((name, i) => `import * as m${i} from "./${name}";`);
  const record = names.map((name, i) => `${JSON.stringify(name)}: m${i}`).join(", ");
  return entry("figure", www, `${lines.join("\n")}\nObject.assign(kernelscope.modules, { ${record} });\nkernelscope.provide("figure", true);`);
}

/** `entry:ks-…`: one figure, handed over under its name. */
export function chunkEntry(www, { tag, name, path }) {
  return entry(tag, www, `import { ${name} } from "./widgets/${path}";\nkernelscope.provide(${JSON.stringify(tag)}, ${name});`);
}

function entry(name, www, contents) {
  return {
    name: `entry-${name}`,
    setup(bundler) {
      bundler.onResolve({ filter: /^entry:/ }, ({ path }) => ({ path, namespace: "entry" }));
      bundler.onLoad({ filter: /.*/, namespace: "entry" }, () => ({ contents, loader: "ts", resolveDir: www }));
    },
  };
}

/** Imports of shared modules are read from the page's global, which the chunk `figure` has filled. */
export function sharedModules(www) {
  return {
    name: "shared-modules",
    setup(bundler) {
      bundler.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
        const name = relative(www, resolve(resolveDir, path)).replaceAll(sep, "/");
        return isShared(name) && !name.endsWith(".css") ? { path: name, namespace: "shared" } : undefined;
      });
      bundler.onLoad({ filter: /.*/, namespace: "shared" }, ({ path }) => ({
        contents: `module.exports = kernelscope.modules[${JSON.stringify(path)}];`,
        loader: "js",
      }));
    },
  };
}
