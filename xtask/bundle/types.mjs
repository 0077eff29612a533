// The public types, as one file without imports.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The declarations of a TypeScript file that imports nothing. */
export function publicTypes(source) {
  const out = mkdtempSync(join(tmpdir(), "kernelscope-types-"));
  try {
    const compiler = "node_modules/typescript/bin/tsc";
    const options = ["--declaration", "--emitDeclarationOnly", "--ignoreConfig", "--target", "es2022"];
    const more = ["--lib", "es2022,dom", "--types", "", "--skipLibCheck", "--outDir", out];
    execFileSync(process.execPath, [compiler, ...options, ...more, source], { stdio: ["ignore", "inherit", "inherit"] });
    const text = readFileSync(join(out, "api.d.ts"), "utf8");
    if (/^\s*(import|export)\b[^;]*\bfrom\s/m.test(text)) {
      throw new Error(`${source} must import nothing: its declarations are shipped as one file`);
    }
    return text;
  } finally {
    rmSync(out, { recursive: true });
  }
}
