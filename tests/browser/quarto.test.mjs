// The Quarto extension: its shortcode through pandoc, and what pandoc makes of it opened and driven.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { Key } from "selenium-webdriver";
import { ConvolutionFigure } from "./harness/convolution.mjs";
import { fromFile, ROOT } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";
import { plan } from "./still.mjs";

const PANDOC = process.env.PANDOC ?? join(ROOT, "target/python/pypandoc/files/pandoc");
const OUT = join(ROOT, "target/quarto");
const SOURCE = "tests/quarto/lecture.qmd";
const FILTER = "_extensions/kernelscope/pandoc.lua";

function pandoc(args, input) {
  assert.ok(existsSync(PANDOC), `there is no pandoc at ${PANDOC}; \`cargo xtask test\` installs it`);
  const { status, stdout, stderr } = spawnSync(PANDOC, args, { cwd: ROOT, input, encoding: "utf8", maxBuffer: 1 << 26 });
  return { status, out: stdout, said: stderr };
}

/** Through the filter for plain pandoc, from a text. */
const filtered = (text, to, ...more) => pandoc(["-f", "markdown", "-t", to, "--lua-filter", FILTER, ...more], text);

before(() => {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
});

test("a shortcode becomes an element, its attributes checked and escaped", () => {
  const { out } = filtered(`{{< kernelscope convolution kernel="sobel-x" at="165.81" id="one" class="wide" width="80%" caption="1 < 2 & more" >}}`, "html");
  assert.equal(out.trim(), '<ks-convolution at="165.81" kernel="sobel-x" class="wide" id="one" style="width:80%">1 &lt; 2 &amp; more</ks-convolution>');
  assert.match(filtered("Said of {{< kernelscope >}} in a sentence.", "html").out, /Said of \{\{&lt; kernelscope &gt;\}\} in a sentence/);
  const hostile = pandoc(["-f", "markdown", "-t", "html", "--lua-filter", "tests/quarto/quarto.lua"], "::: {.shortcode figure=\"convolution\" caption='</ks-convolution><script>x</script>' style='\"><b'}\n:::\n");
  assert.equal(hostile.out.trim(), '<ks-convolution style="&quot;&gt;&lt;b">&lt;/ks-convolution&gt;&lt;script&gt;x&lt;/script&gt;</ks-convolution>');
});

test("what cannot be is refused with what there is", () => {
  for (const [text, words] of [
    ["{{< kernelscope convolutoin >}}", /there is no figure "convolutoin"; there are backend, channels/],
    ['{{< kernelscope convolution kernle="x" >}}', /convolution has no attribute "kernle"; it has at, bias/],
    ['{{< kernelscope convolution mode="wrap" >}}', /mode of convolution cannot be "wrap"; it is one of zeros, reflect/],
    ['{{< kernelscope convolution stride="two" >}}', /stride of convolution must be a number; got "two"/],
  ]) {
    const { status, said } = filtered(text, "html");
    assert.notEqual(status, 0, text);
    assert.match(said, words, text);
  }
});

test("scripts are named once, and only those that are needed", () => {
  const { status } = pandoc(["-f", "markdown", "-t", "html", "-s", "--lua-filter", FILTER, SOURCE, "-o", join(OUT, "head.html")]);
  assert.equal(status, 0);
  const scripts = [...readFileSync(join(OUT, "head.html"), "utf8").matchAll(/<script src="[^"]*pkg\/([^"]+)"/g)].map(([, path]) => path);
  assert.deepEqual(scripts, ["kernelscope.js", "chunks/figure.js", "chunks/answers.js", "chunks/lessons.js", "chunks/ks-convolution.js", "chunks/image-grain_ti_sem.js", "chunks/image-grain_ti_sem_boundaries.js", "chunks/ks-parameter-count.js"]);
});

test("where scripts cannot run there is a picture of the state", () => {
  const still = (text, to) => filtered(text, to);
  for (const to of ["latex", "native", "docx", "pptx", "epub"]) {
    const args = ["docx", "pptx", "epub"].includes(to) ? ["-o", join(OUT, `still.${to}`)] : [];
    const { status, said } = filtered('{{< kernelscope translation caption="A precipitate moves" >}}', to, ...args);
    assert.equal(status, 0, said);
    assert.equal(said, "", `${to} shows it as it begins, which is what was asked for`);
    // The picture itself is inside: a PNG is stored, not packed.
    if (args.length) assert.ok(readFileSync(args[1]).length > readFileSync(join(ROOT, "_extensions/kernelscope/stills/translation.png")).length * 0.9, `${to} holds the picture`);
  }
  assert.match(still('{{< kernelscope translation caption="A precipitate moves" >}}', "latex").out, /\\includegraphics.*stills\/translation\.png.*\n?.*\\caption\{A precipitate moves\}/s);
  assert.match(still('{{< kernelscope translation shift="5.12" >}}', "latex").said, /translation is shown as it begins, since no picture was made of shift="5.12"; run `cargo xtask still`/);
  assert.match(still('{{< kernelscope translation still="docs/unet.png" shift="5.12" >}}', "latex").out, /docs\/unet\.png/);
  // The extension and the command agree on a picture's name.
  const document = join(OUT, "named.qmd");
  writeFileSync(document, '{{< kernelscope translation shift="5.12" theme="light" alt="It moved" >}}\n');
  const [{ out, name, state }] = plan([document]);
  assert.deepEqual([name, state], ["translation", "shift=5.12"]);
  mkdirSync(join(OUT, "kernelscope-stills"), { recursive: true });
  writeFileSync(out, readFileSync(join(ROOT, "docs/unet.png")));
  const inside = spawnSync(PANDOC, ["-f", "markdown", "-t", "latex", "--lua-filter", join(ROOT, FILTER), "named.qmd"], { cwd: OUT, encoding: "utf8" });
  assert.equal(inside.stderr, "");
  assert.match(inside.stdout, new RegExp(`kernelscope-stills/translation-[0-9a-f]{12}\\.png`));
});

test("under Quarto's own interface: dependencies once, as it documents them", () => {
  const source = '::: {.shortcode figure="convolution" kernel="sobel-y"}\n:::\n\n::: {.shortcode figure="convolution"}\n:::\n\n::: {.shortcode figure="unet" controls="none"}\n:::\n';
  const { out, said } = pandoc(["-f", "markdown", "-t", "revealjs", "--lua-filter", "tests/quarto/quarto.lua"], source);
  assert.equal(out.match(/<ks-convolution/g).length, 2);
  assert.match(out, /<ks-unet controls="none"><\/ks-unet>/);
  const dependencies = JSON.parse(/\[asked\] (.*)/.exec(said)[1]);
  assert.deepEqual(dependencies.map(({ name }) => name), ["kernelscope", "kernelscope-figure", "kernelscope-answers", "kernelscope-lessons", "kernelscope-ks-convolution", "kernelscope-image-grain_ti_sem", "kernelscope-image-grain_ti_sem_boundaries", "kernelscope-ks-unet", "kernelscope-model-grains", "kernelscope-onnx"]);
  for (const { version, scripts, stylesheets = [], resources = [] } of dependencies) {
    assert.match(version, /^\d+\.\d+\.\d+$/);
    for (const { path } of [...scripts, ...resources]) assert.ok(existsSync(join(ROOT, path)) || existsSync(path), path);
    for (const path of stylesheets) assert.ok(existsSync(join(ROOT, path)) || existsSync(path), path);
  }
  // Every typeface of the style sheet lies where the style sheet looks for it.
  const fonts = [...readFileSync(join(ROOT, "pkg/fonts.css"), "utf8").matchAll(/url\(["']?\.?\/?(fonts\/[\w-]+\.woff2)/g)].map(([, path]) => path).sort();
  assert.deepEqual(dependencies[0].resources.map(({ name }) => name).sort(), [...new Set(fonts)]);
  const printed = pandoc(["-f", "markdown", "-t", "latex", "--lua-filter", "tests/quarto/quarto.lua"], source);
  assert.deepEqual(JSON.parse(/\[asked\] (.*)/.exec(printed.said)[1]), []);
  assert.equal(printed.out.match(/includegraphics/g).length, 3);
});

test("the extension's version is the project's", () => {
  const version = /^version = "(.*)"/m.exec(readFileSync(join(ROOT, "Cargo.toml"), "utf8"))[1];
  assert.match(readFileSync(join(ROOT, "_extensions/kernelscope/_extension.yml"), "utf8"), new RegExp(`^version: ${version}$`, "m"));
  assert.match(readFileSync(join(ROOT, "_extensions/kernelscope/kernelscope.lua"), "utf8"), new RegExp(`VERSION = "${version}"`));
});

/** reveal.js 6 where pandoc's template looks for the files of reveal.js 5. */
function revealForPandoc() {
  const dist = join(ROOT, "node_modules/reveal.js/dist");
  cpSync(dist, join(OUT, "reveal/dist"), { recursive: true });
  for (const name of ["notes", "search", "zoom", "math"]) {
    mkdirSync(join(OUT, "reveal/plugin", name), { recursive: true });
    copyFileSync(join(dist, "plugin", `${name}.js`), join(OUT, "reveal/plugin", name, `${name}.js`));
  }
}

inBrowsers((browser) => {
  test("the deck that pandoc makes", async () => {
    const { status, said } = pandoc(["-f", "markdown", "-t", "revealjs", "-s", "--lua-filter", FILTER, "-V", "revealjs-url=reveal", "-V", "hash=true", SOURCE, "-o", join(OUT, "deck.html")]);
    assert.equal(status, 0, said);
    revealForPandoc();
    // The filter names scripts as seen from the folder in which pandoc ran.
    writeFileSync(join(OUT, "deck.html"), readFileSync(join(OUT, "deck.html"), "utf8").replaceAll('="_extensions/', '="../../_extensions/'));
    await browser().open(`${fromFile("target/quarto/deck.html")}#/a-window-slides`);
    await browser().until("the figure", () => document.getElementById("sliding")?.dataset.state === "ready");
    const figure = new ConvolutionFigure(browser(), "#sliding");
    await figure.until("Sobel y at its place", ({ at, weights }) => at.join() === "20,30" && weights.join() === "−1,−2,−1,0,0,0,+1,+2,+1");
    await figure.press("Step on");
    await figure.until("a step", ({ at }) => at.join() === "20,31");
    await browser().driver.actions().sendKeys(Key.ARROW_RIGHT).perform();
    assert.match(await browser().run("return location.hash"), /a-window-slides/, "the figure keeps its keys");
    await browser().driver.actions().sendKeys(Key.ESCAPE).perform();
    await browser().driver.actions().sendKeys(Key.ARROW_RIGHT).perform();
    await browser().until("the next slide", () => location.hash.includes("again"));
  });

  test("the page with everything embedded asks for no file", async () => {
    const { status, said } = pandoc(["-f", "markdown", "-t", "html", "-s", "--embed-resources", "--lua-filter", FILTER, SOURCE, "-o", join(OUT, "alone.html")]);
    assert.equal(status, 0, said);
    await browser().open(fromFile("target/quarto/alone.html"));
    for (const css of ["#sliding", "ks-parameter-count"]) {
      await browser().run((css) => document.querySelector(css).scrollIntoView({ behavior: "instant" }), css);
      await browser().until(css, (css) => document.querySelector(css).dataset.state === "ready", css);
    }
    const figure = new ConvolutionFigure(browser(), "#sliding");
    await figure.until("its numbers", ({ sum }) => /^= /.test(sum));
    const files = (await browser().log.addresses()).filter((url) => !/^(data|blob):/.test(url) && !url.includes("alone.html"));
    assert.deepEqual(files, []);
    assert.deepEqual(browser().log.errors, []);
  });
});
