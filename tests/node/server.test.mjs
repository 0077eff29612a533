// The static server of `cargo xtask serve` and of the browser tests.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { serve } from "../../xtask/serve/server.mjs";

let folder, server;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "kernelscope-server-"));
  mkdirSync(join(folder, "site/pkg"), { recursive: true });
  mkdirSync(join(folder, "site/.git"));
  writeFileSync(join(folder, "secret.txt"), "secret");
  writeFileSync(join(folder, "site/.git/config"), "secret");
  writeFileSync(join(folder, "site/index.html"), "page");
  for (const name of ["a.wasm", "a.mjs", "a.woff2", "a.js"]) writeFileSync(join(folder, "site/pkg", name), name);
  symlinkSync(join(folder, "secret.txt"), join(folder, "site/link.txt"));
  server = await serve({ root: join(folder, "site"), headers: { "x-test": "yes" } });
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** As typed: `fetch` would resolve `..` by itself. */
const get = (path, method = "GET") =>
  new Promise((done, failed) => {
    request({ host: "127.0.0.1", port: server.port, path, method }, (response) => {
      let body = "";
      response.on("data", (part) => (body += part));
      response.on("end", () => done({ status: response.statusCode, headers: response.headers, body }));
    }).on("error", failed).end();
  });

test("serves files with their types and the given headers", async () => {
  for (const [path, type, body] of [
    ["/", "text/html; charset=utf-8", "page"],
    ["/index.html?x=1", "text/html; charset=utf-8", "page"],
    ["/pkg/a.wasm", "application/wasm", "a.wasm"],
    ["/pkg/a.mjs", "text/javascript; charset=utf-8", "a.mjs"],
    ["/pkg/a.js", "text/javascript; charset=utf-8", "a.js"],
    ["/pkg/a.woff2", "font/woff2", "a.woff2"],
  ]) {
    const answer = await get(path);
    assert.deepEqual([answer.status, answer.headers["content-type"], answer.body], [200, type, body]);
    assert.equal(answer.headers["x-test"], "yes");
  }
});

test("nothing outside its folder, nothing hidden", async () => {
  for (const path of ["/../secret.txt", "/%2e%2e/secret.txt", "/pkg/../../secret.txt", "/..%2fsecret.txt", "/..%5csecret.txt",
    "//../secret.txt", "/link.txt", "/.git/config", "/pkg/%00", "/%ff", "/pkg", "/none"]) {
    const { status, body } = await get(path);
    assert.equal(status, 404, path);
    assert.ok(!body.includes("secret"), path);
  }
});

test("only GET and HEAD", async () => {
  assert.equal((await get("/", "POST")).status, 405);
  const head = await get("/", "HEAD");
  assert.deepEqual([head.status, head.headers["content-length"], head.body], [200, "4", ""]);
});
