// Where the page is opened from: this repository's own files, from file:// and over http.
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { serve } from "../../../xtask/serve/server.mjs";

export const ROOT = resolve(import.meta.dirname, "../../..");

/** The strictest policy under which the page must work. As a header it also forbids what a meta tag cannot. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src blob:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Serves the repository over http with the policy as a header; `close()` it. */
export const overHttp = (root = ROOT) => serve({ root, headers: { "content-security-policy": POLICY } });

/** The address of a file of the repository, for file://. */
export const fromFile = (path) => pathToFileURL(resolve(ROOT, path)).href;

/** The folder of the build that lies, with the page in it. */
export function sabotagedRoot() {
  const root = join(ROOT, "target/sabotage");
  if (!existsSync(join(root, "pkg/kernelscope.js"))) throw new Error("run `cargo xtask build --sabotage` first");
  mkdirSync(root, { recursive: true });
  copyFileSync(join(ROOT, "index.html"), join(root, "index.html"));
  return root;
}

/** Whether an address belongs to the page: its own folder or server, its own blobs, data in itself. */
export function isOwn(address, page) {
  if (address.startsWith("data:")) return true;
  const { protocol, origin, pathname } = new URL(page);
  if (address.startsWith("blob:")) return address.startsWith(protocol === "file:" ? "blob:null/" : `blob:${origin}/`);
  if (protocol === "file:") return address.startsWith(`file://${pathname.replace(/[^/]*$/, "")}`);
  return address.startsWith(`${origin}/`);
}
