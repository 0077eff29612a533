// The figures of www/widgets/index.ts: which element is which class of which file.
import { readFileSync } from "node:fs";

/** [{ tag: "ks-convolution", name: "Convolution", path: "convolution/convolution" }] in the order of their names. */
export function readRegistry(file) {
  const text = readFileSync(file, "utf8");
  const paths = new Map([...text.matchAll(/^import \{ (\w+) \} from "\.\/([\w/-]+)";$/gm)].map(([, name, path]) => [name, path]));
  const figures = [...text.matchAll(/^ {2}"(ks-[a-z0-9-]+)": (\w+),$/gm)].map(([, tag, name]) => ({ tag, name, path: paths.get(name) }));
  const lost = figures.find(({ path }) => !path);
  if (lost) throw new Error(`${file}: ${lost.tag} is ${lost.name}, which is not imported`);
  // Every line must have been understood: a figure that is written otherwise would silently have no chunk.
  if (figures.length === 0 || figures.length !== paths.size) throw new Error(`${file}: ${paths.size} imports and ${figures.length} figures; one line each, please`);
  return figures.sort((a, b) => (a.tag < b.tag ? -1 : 1));
}
