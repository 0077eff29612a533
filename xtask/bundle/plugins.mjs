// esbuild plugins: the modules that exist only while bundling.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build, transform } from "esbuild";

const NAMES = /^(virtual:wasm|virtual:worker|kernelscope-wasm)$/;

/**
 * `virtual:wasm` (base64 of the deflated module), `virtual:worker` (the worker's program as text) and
 * `kernelscope-wasm` (a function that gives fresh wasm-bindgen glue: the glue keeps its instance in variables, so
 * two instances need two of it).
 */
export function virtualModules({ glue, wasm, worker }) {
  const text = (value, name) => {
    if (value === undefined) throw new Error(`${name} may not be imported from this entry`);
    return { contents: value, loader: "text" };
  };
  return {
    name: "virtual-modules",
    setup(bundler) {
      bundler.onResolve({ filter: NAMES }, ({ path }) => ({ path, namespace: "virtual" }));
      bundler.onLoad({ filter: /.*/, namespace: "virtual" }, async ({ path }) => {
        if (path === "virtual:wasm") return text(wasm, path);
        if (path === "virtual:worker") return text(worker, path);
        return { contents: await glueFactory(glue), loader: "js" };
      });
    },
  };
}

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
