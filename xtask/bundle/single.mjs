// A whole page (the lecture, or embed.html) as one HTML file for file://: scripts, styles, typefaces and pictures inlined.
//   node xtask/bundle/single.mjs --out FILE [--html index.html] [--pkg pkg]
// The Content-Security-Policy names each inlined script by its hash: nothing else may run, and nothing is fetched.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: { out: { type: "string" }, html: { type: "string", default: "index.html" }, pkg: { type: "string", default: "pkg" } },
});
if (!options.out) throw new Error("single.mjs needs --out");
const home = dirname(resolve(options.html));
// index.html speaks of pkg/…, wherever that folder is for this build.
const fileOf = (address) => (address.startsWith("pkg/") ? join(options.pkg, address.slice(4)) : join(home, address));
const TYPES = { ".png": "image/png", ".jpg": "image/jpeg", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
const dataUrl = (path) => {
  const type = TYPES[extname(path)];
  if (!type) throw new Error(`do not know how to inline ${path}`);
  return `data:${type};base64,${readFileSync(path, "base64")}`;
};
const isLocal = (address) => !/^([a-z]+:|#|\/\/)/i.test(address);

let html = readFileSync(options.html, "utf8");

// Styles, with their typefaces.
html = html.replace(/<link\s+rel="stylesheet"\s+href="([^"]+)">/g, (_, address) => {
  const path = fileOf(address);
  const css = readFileSync(path, "utf8").replace(/url\(["']?([^"')]+)["']?\)/g, (whole, inner) =>
    isLocal(inner) ? `url(${dataUrl(join(dirname(path), inner))})` : whole,
  );
  if (/<\/style/i.test(css)) throw new Error(`${address} cannot be inlined`);
  return `<style>${css}</style>`;
});

// Scripts: taken from the head to the end, where `defer` would have run them. The chunks that the core would load
// later come right behind the core.
const named = [];
html = html.replace(/\s*<script\s+src="([^"]+)"\s+defer><\/script>/g, (_, address) => (named.push(address), ""));
const core = named.shift();
if (core !== "pkg/kernelscope.js") throw new Error(`the first script of ${options.html} must be pkg/kernelscope.js; it is ${core}`);
// A page's own chunk is there only where the page names it.
const PAGES = ["embed.js", "page.js"];
const chunks = readdirSync(join(options.pkg, "chunks")).filter((name) => !PAGES.includes(name)).sort().map((name) => `pkg/chunks/${name}`);
const order = [core, ...chunks.filter((chunk) => !named.includes(chunk)), ...named];
const scripts = order.map((address) => readFileSync(fileOf(address), "utf8").replace(/<\/(script)/gi, "<\\/$1").replaceAll("<!--", "<\\!--"));
const hashes = scripts.map((script) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`);
html = replaceOnce(html, "</body>", `${scripts.map((script) => `<script>${script}</script>`).join("\n")}\n</body>`);

// Pictures in the text.
html = html.replace(/(<(?:img|source)\b[^>]*\ssrc=")([^"]+)"/g, (whole, before, address) =>
  isLocal(address) ? `${before}${dataUrl(fileOf(address))}"` : whole,
);

html = html.replace(/(<meta http-equiv="Content-Security-Policy" content=")([^"]+)"/, (_, before, policy) => {
  const own = { "script-src": hashes.join(" "), "style-src": "", "img-src": "", "font-src": "data:" };
  const rules = policy.split(/;\s*/).map((rule) => {
    const [directive, ...sources] = rule.trim().split(/\s+/);
    if (!(directive in own)) return rule.trim();
    return [directive, own[directive], ...sources.filter((source) => source !== "'self'")].filter(Boolean).join(" ");
  });
  return `${before}${rules.filter(Boolean).join("; ")}"`;
});
if (!html.includes(hashes[0])) throw new Error(`${options.html} has no Content-Security-Policy to adapt`);

// Without the scripts, which speak of other things: nothing may be left that would be asked for.
const text = html.replace(/<(script|style)>.*?<\/\1>/gs, "");
for (const [, address] of text.matchAll(/\s(?:src|poster|data)="([^"]+)"/g)) {
  if (isLocal(address)) throw new Error(`${address} was not inlined`);
}
for (const [whole, address] of text.matchAll(/<link\b[^>]*\shref="([^"]+)"[^>]*>/g)) {
  if (!address.startsWith("data:")) throw new Error(`${whole} was not inlined`);
}

html += `<!--\nLicences of what this file contains\n\n${licences().replaceAll("--", "- -")}\n-->\n`;
mkdirSync(dirname(resolve(options.out)), { recursive: true });
writeFileSync(options.out, html);

function licences() {
  const files = ["LICENSE", "LICENSE-MIT"];
  for (const folder of ["www/images/LICENSES", "www/fonts"]) {
    if (!existsSync(folder)) continue;
    files.push(...readdirSync(folder).filter((name) => name.endsWith(".txt")).sort().map((name) => `${folder}/${name}`));
  }
  return files.map((file) => `== ${file}\n\n${readFileSync(file, "utf8").trim()}`).join("\n\n");
}

function replaceOnce(text, what, by) {
  const at = text.lastIndexOf(what);
  if (at < 0) throw new Error(`there is no ${what}`);
  return text.slice(0, at) + by + text.slice(at + what.length);
}
