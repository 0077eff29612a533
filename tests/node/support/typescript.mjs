// A TypeScript module of the page, as Node can import it.
import { build } from "esbuild";

/** `path` is relative to www/. */
export async function page(path) {
  const { outputFiles } = await build({
    entryPoints: [new URL(`../../../www/${path}`, import.meta.url).pathname],
    bundle: true,
    format: "esm",
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
