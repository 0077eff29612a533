// A static server for the page: on this machine only, GET and HEAD only, nothing outside its folder.
// Imported by the browser tests; run by `cargo xtask serve`:  node xtask/serve/server.mjs --root DIR [--port N]
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".ts": "text/plain; charset=utf-8",
  ".md": "text/plain; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};

/**
 * Serves the folder `root`. `port` 0 takes a free one. `headers` go with every answer. `mounts` maps a first path
 * segment to another folder ({ pkg: "target/sabotage/pkg" }). Resolves to { url, port, close }.
 */
export async function serve({ root, port = 0, headers = {}, mounts = {} }) {
  const server = createServer((request, response) => {
    answer(request, response, { root, headers, mounts }).catch(() => end(response, 500, "the server failed"));
  });
  await new Promise((listening, failed) => {
    server.once("error", failed);
    server.listen(port, "127.0.0.1", listening);
  });
  return {
    port: server.address().port,
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () =>
      new Promise((closed) => {
        server.close(closed);
        server.closeAllConnections();
      }),
  };
}

async function answer(request, response, { root, headers, mounts }) {
  if (request.method !== "GET" && request.method !== "HEAD") return end(response, 405, "only GET and HEAD");
  const path = await fileFor(request.url, root, mounts);
  if (!path) return end(response, 404, "there is no such file");
  const { size } = await stat(path);
  response.writeHead(200, {
    "content-type": TYPES[extname(path)] ?? "application/octet-stream",
    "content-length": size,
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  if (request.method === "HEAD") return response.end();
  createReadStream(path).on("error", () => response.destroy()).pipe(response);
}

/** The file behind an address, if it lies in the served folder: neither `..` nor a link leads out of it. */
async function fileFor(address, root, mounts) {
  let name;
  try {
    name = decodeURIComponent(address.split(/[?#]/, 1)[0]);
  } catch {
    return undefined;
  }
  // Hidden files (.git) are nobody's business; `..` begins with a dot as well.
  if (/[\0\\]|\/\./.test(name)) return undefined;
  const [, first, ...rest] = name.split("/");
  const mounted = Object.hasOwn(mounts, first);
  const folder = resolve(mounted ? mounts[first] : root);
  let path = join(folder, mounted ? rest.join("/") : name);
  try {
    if ((await stat(path)).isDirectory()) path = join(path, "index.html");
    const real = await realpath(path);
    const inside = real.startsWith((await realpath(folder)) + sep);
    return inside && (await stat(real)).isFile() ? real : undefined;
  } catch {
    return undefined;
  }
}

function end(response, status, words) {
  if (response.headersSent) return response.destroy();
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${status}: ${words}\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { root: { type: "string", default: "." }, port: { type: "string", default: "0" } } });
  const { url } = await serve({ root: values.root, port: Number(values.port) });
  console.log(url);
  // The parent holds our input open; when it is gone, so are we.
  process.stdin.on("close", () => process.exit()).resume();
}
