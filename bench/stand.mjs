// What both benches stand on: a server with the engine and its peers, a Chromium, and how outputs are compared.
import { createReadStream, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { execFileSync } from "node:child_process";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

export const here = fileURLToPath(new URL(".", import.meta.url));
export const root = join(here, "..");
export const built = join(root, "target/bench");
const { chromium } = createRequire(import.meta.url)("playwright-core");
const FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
mkdirSync(built, { recursive: true });

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
export const PLACES = { "/pkg/": join(root, "pkg"), "/peers/": join(here, "node_modules"), "/build/": built, "/": here };
export const server = createServer((request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname));
  const place = Object.keys(PLACES).find((prefix) => path.startsWith(prefix));
  const file = join(PLACES[place], path.slice(place.length));
  if (!existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end();
  // Isolated, for a clock that resolves microseconds.
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream", "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp",
  });
  createReadStream(file).pipe(response);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}`;
const executablePath = execFileSync("sh", ["-c", "command -v chromium || command -v google-chrome || command -v chrome"]).toString().trim();
export const launch = (...flags) => chromium.launch({ executablePath, args: [...FLAGS, ...flags] });

/** A peer in a page of its own; `script` runs there before everything else. */
export async function open(browser, peer, more = "", script = undefined) {
  const context = await browser.newContext();
  if (script) await context.addInitScript(script);
  const page = await context.newPage();
  const errors = [];
  const files = new Set();
  page.on("pageerror", (error) => errors.push(String(error)));
  context.on("request", (request) => files.add(new URL(request.url()).pathname));
  await page.goto(`${address}/page.html?peer=${encodeURIComponent(JSON.stringify(peer))}${more}`);
  await page.waitForFunction("globalThis.ready", null, { timeout: 120_000 }).catch((error) => {
    throw new Error(`${peer[0]}: ${errors.join("; ") || error}`);
  });
  return { page, context, files };
}

/** The first outputs of two peers. */
export const outputs = (...peers) =>
  Promise.all(
    peers.map(async ({ page }) => {
      const bytes = Buffer.from(await page.evaluate(() => bench.output()), "base64");
      return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    }),
  );

/** The largest difference of two outputs, in shares of the largest value (or of 1). */
export function difference(a, b) {
  if (a.length !== b.length) throw new Error(`outputs of ${a.length} and ${b.length} values`);
  let [far, large] = [0, 1];
  for (let i = 0; i < a.length; i++) {
    far = Math.max(far, Math.abs(a[i] - b[i]));
    large = Math.max(large, Math.abs(b[i]));
  }
  return far / large;
}


/** Puts lines into the README, where it has a place of this name for them. */
export function write(place, lines) {
  const file = join(root, "README.md");
  const [before, rest] = readFileSync(file, "utf8").split(`<!-- ${place} -->\n`);
  const after = rest?.split(`<!-- /${place} -->`)[1];
  if (after === undefined) throw new Error(`README.md has no place for the table: <!-- ${place} --> … <!-- /${place} -->`);
  writeFileSync(file, `${before}<!-- ${place} -->\n${lines.join("\n")}\n<!-- /${place} -->${after}`);
}
