// `cargo xtask still`: a state as PNG, SVG and PDF, a figure's time as frames; and what it refuses.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { decode } from "./harness/png.mjs";
import { ROOT } from "./harness/site.mjs";
import { plan, render } from "./still.mjs";

let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "kernelscope-stills-"));
});
after(() => rmSync(folder, { recursive: true }));
const table = JSON.parse(readFileSync(join(ROOT, "pkg/elements.json"), "utf8"));

/** The share of pixels in which two pictures of one size differ. */
function differing(a, b) {
  let count = 0;
  for (let i = 0; i < a.data.length; i += a.channels) if (Math.abs(a.data[i] - b.data[i]) > 24) count += 1;
  return count / (a.width * a.height);
}

test("PNG, SVG, PDF and frames", { timeout: 120_000 }, async () => {
  const file = (name) => join(folder, name);
  await render([
    ...plan(["convolution", "kernel=sobel-y&whole=yes", "--out", file("y.png"), "--width", "700", "--scale", "1"]),
    ...plan(["convolution", "whole=yes", "--out", file("x.png"), "--width", "700", "--scale", "1"]),
    ...plan(["convolution", "whole=yes", "--out", file("x2.png"), "--width", "700", "--scale", "2", "--theme", "dark"]),
    ...plan(["weight-sharing", "--out", file("lines.svg")]),
    ...plan(["layer-table", "--out", file("table.pdf"), "--width", "800"]),
    ...plan(["receptive-field", "stack=c3-m2-c3&layer=0", "--out", file("grow.png"), "--frames", "3", "--width", "700", "--scale", "1"]),
  ]);
  const [x, y, x2] = ["x", "y", "x2"].map((name) => decode(readFileSync(file(`${name}.png`))));
  assert.deepEqual([x.width, x2.width, Math.abs(x2.height - 2 * x.height) <= 2], [700, 1400, true]);
  assert.ok(differing(x, y) > 0.03, `another kernel is another picture: ${differing(x, y)}`);
  assert.ok(x.data[0] > 200 && x2.data[0] < 60, "light paper and dark paper");

  const svg = readFileSync(file("lines.svg"), "utf8");
  assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.ok((svg.match(/<(line|path|polyline|rect)\b/g) ?? []).length > 20, "it draws lines");
  assert.match(svg, /stroke="rgb\(/, "its style is written into it");
  assert.doesNotMatch(svg, / class=| style=|var\(|tabindex/);

  const pdf = readFileSync(file("table.pdf")).toString("latin1");
  assert.equal(pdf.match(/\/Type\s*\/Page\b/g).length, 1);
  assert.match(pdf, /\/Font/, "letters stay letters");

  const frames = readdirSync(folder).filter((name) => name.startsWith("grow")).sort();
  assert.deepEqual(frames, ["grow-001.png", "grow-002.png", "grow-003.png"]);
  const pictures = frames.map((name) => decode(readFileSync(file(name))));
  for (let i = 1; i < 3; i++) assert.ok(differing(pictures[i - 1], pictures[i]) > 0.001, `frame ${i + 1} shows another moment`);
});

test("the extension carries a picture of every figure", () => {
  const there = readdirSync(join(ROOT, "_extensions/kernelscope/stills")).sort();
  assert.deepEqual(there, Object.keys(table.figures).map((tag) => `${tag.slice(3)}.png`).sort(), "run `cargo xtask still --defaults`");
});

test("what cannot be is refused in words", async () => {
  assert.throws(() => plan(["convolutoin", "--out", "x.png"]), /there is no figure “convolutoin”; there are convolution/);
  assert.throws(() => plan(["convolution"]), /--out names the file/);
  assert.throws(() => plan(["convolution", "--out", "x.gif"]), /must end in \.png, \.svg or \.pdf; got “x\.gif”/);
  assert.throws(() => plan(["convolution", "--out", "x.png", "--width", "wide"]), /--width must be a number from 160 to 4000; got “wide”/);
  assert.throws(() => plan(["convolution", "--out", "x.svg", "--frames", "3"]), /--frames are PNG files/);
  const empty = join(folder, "empty.qmd");
  writeFileSync(empty, "No figure.\n");
  assert.throws(() => plan([empty]), /has no \{\{< kernelscope/);
  await assert.rejects(render(plan(["convolution", "stride=0", "--out", join(folder, "no.png")])), /stride must be a whole number of at least 1; got 0/);
  await assert.rejects(render(plan(["convolution", "--out", join(folder, "no.svg")])), /made of pixels and numbers.*ask for \.png/);
  await assert.rejects(render(plan(["translation", "--out", join(folder, "no.png"), "--frames", "2"])), /has no time of its own/);
});
