// Bad input and broken engines: a sentence at the figure, what was typed kept, the rest of the page alive.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { onnx, WORKLOADS } from "../../bench/workloads.mjs";
import { ConvolutionFigure, numberIn, sameShown } from "./harness/convolution.mjs";
import { CASES, compare, MICROGRAPH, openMicrograph } from "./harness/golden.mjs";
import { fromFile, sabotagedRoot } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

const PAGE = fromFile("index.html");
let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "kernelscope-pictures-"));
});
after(() => rmSync(folder, { recursive: true }));

const net = WORKLOADS.W3();
const file = Buffer.from(onnx(net)).toString("base64");

/** In the page: a network from an ONNX file, a panic, and the same network in the instance's successor. */
const survive = (base64, shape, done) => {
  (async () => {
    const bytes = window.Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const x = { data: window.Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)), shape };
    const engine = await kernelscope.createEngine();
    const network = await engine.loadModel(bytes);
    const last = network.graph.at(-1).name;
    const ask = async () => {
      const run = await network.run(x, { exact: true });
      return [run.output.data[4321], (await run.explain(last, [0, 0, 16, 225])).value];
    };
    const before = await ask();
    const weight = { data: window.Float32Array.of(666), shape: [1, 1, 1, 1] };
    const panic = await engine.conv2d({ data: window.Float32Array.of(1), shape: [1, 1, 1] }, weight, null).then(() => "", (error) => error.message);
    const after = await ask();
    const { restarts } = engine.stats();
    engine.close();
    return { before, panic, after, restarts };
  })().then(done, (error) => done({ error: String(error) }));
};

/** The figure still does what it should: moves, and computes. */
async function assertAlive(figure) {
  const before = await figure.read();
  await figure.press(before.at[1] > 0 ? "Step back" : "Step on");
  await figure.until("a step", ({ at }) => at.join() !== before.at.join());
}

inBrowsers((browser) => {
  test("a weight that is no number", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE, { at: [165, 81] });
    const before = await figure.read();
    await figure.type(await figure.weight(4), "abc");
    const wrong = await figure.until("the sentence", ({ alert }) => alert !== "");
    assert.match(wrong.alert, /weight in row 2, column 2 is “abc”, which is no number/);
    assert.deepEqual(wrong.invalid, ["abc"]);
    assert.equal(wrong.weights[4], "abc", "what was typed stays");
    assert.equal(wrong.sum, before.sum, "the last kernel stays in use");
    await assertAlive(figure);
    await figure.type(await figure.weight(4), "1");
    const mended = await figure.until("the end of the sentence", ({ alert, products }) => alert === "" && / 1 times /.test(products[4].label));
    assert.deepEqual(mended.invalid, []);
  });

  test("a stride of 0", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE);
    const before = await figure.read();
    const stride = await figure.field("stride");
    await figure.type(stride, "0");
    const wrong = await figure.until("the sentence", ({ alert }) => alert !== "");
    assert.match(wrong.alert, /stride .*at least 1; got 0/);
    assert.equal(await stride.getAttribute("value"), "0");
    assert.equal(wrong.sum, before.sum);
    await assertAlive(figure);
    await figure.type(stride, "2");
    await figure.until("stride 2", ({ alert, size }) => alert === "" && size[0] === 127);
  });

  test("a setting that is no number at all", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE);
    const dilation = await figure.field("dilation");
    await figure.type(dilation, "wide");
    const { alert } = await figure.until("the sentence", ({ alert }) => alert !== "");
    assert.match(alert, /dilation is “wide”, which is no number/);
    assert.equal(await dilation.getAttribute("value"), "wide");
    await assertAlive(figure);
  });

  test("a kernel larger than the picture", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE, { picture: "two-grains", at: [1, 1] });
    const dilation = await figure.field("dilation");
    await figure.type(dilation, "40");
    const { alert } = await figure.until("the sentence", ({ alert }) => alert !== "");
    assert.match(alert, /81/, "the window's span");
    assert.match(alert, /64/, "the picture's size");
    assert.equal(await dilation.getAttribute("value"), "40");
    await assertAlive(figure);
  });

  test("an address that cannot be computed shows the figure as it begins, and says why", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE, { stride: 0 });
    const { alert, sum } = await figure.until("the sentence", ({ alert }) => alert !== "");
    assert.match(alert, /stride .*got 0/);
    assert.ok(Number.isFinite(numberIn(sum)));
  });

  test("a broken picture, and a file that is none", async () => {
    const figure = await ConvolutionFigure.open(browser(), PAGE);
    const before = await figure.read();
    const good = readFileSync(MICROGRAPH);
    const broken = { "cut.png": good.subarray(0, 2000), "empty.png": Buffer.alloc(0), "text.png": Buffer.from("no picture at all") };
    const bent = Buffer.from(good);
    bent.fill(0xff, 3000, 3400);
    broken["bent.png"] = bent;
    for (const [name, bytes] of Object.entries(broken)) {
      writeFileSync(join(folder, name), bytes);
      await figure.openPicture(join(folder, name));
      const { alert, sum, size } = await figure.until(`a sentence about ${name}`, ({ alert }) => alert.includes(name));
      assert.match(alert, /could not be opened\. .{10,}/);
      assert.deepEqual([sum, size], [before.sum, before.size], "the last picture stays");
    }
    await assertAlive(figure);
    await openMicrograph(figure);
    assert.equal((await figure.read()).alert, "");
  });
});

inBrowsers((browser) => {
  const page = () => pathToFileURL(join(sabotagedRoot(), "index.html")).href;

  test("a build that lies turns the golden comparison red", async () => {
    const figure = await ConvolutionFigure.open(browser(), page());
    await openMicrograph(figure);
    await assert.rejects(compare(figure, CASES[0]), (error) => error.code === "ERR_ASSERTION" && /PyTorch has/.test(error.message));
    // By the quarter it lies: the page shows the engine's numbers, not stored ones.
    const { explained } = CASES[0];
    const shown = await figure.go({ picture: "own", kernel: CASES[0].kernel, at: explained[0].at, whole: "yes" });
    sameShown(numberIn(shown.sum), explained[0].products.reduce((sum, product) => sum + product, 0.25), "the sum");
  });

  test("a panic in the wasm is told at the figure, and the figure goes on", async () => {
    const figure = await ConvolutionFigure.open(browser(), page());
    const before = await figure.read();
    await figure.type(await figure.weight(4), "666");
    const { alert, weights, sum } = await figure.until("the sentence", ({ alert }) => alert !== "");
    assert.match(alert, /666/);
    assert.equal(weights[4], "666", "what was typed stays");
    assert.equal(sum, before.sum);
    await figure.type(await figure.weight(4), "1");
    await figure.until("a new instance's numbers", ({ alert, products }) => alert === "" && / 1 times /.test(products[4].label));
    await assertAlive(figure);
    const text = await browser().run(() => document.querySelector("main").innerText.length);
    assert.ok(text > 2000, "the text is there");
  });

  test("a network from an ONNX file outlives the instance that held it, and what it was taught", async () => {
    const { driver } = browser();
    await driver.get(page());
    await browser().until("the engine's script", () => typeof kernelscope === "object");
    const { error, before, panic, after, restarts } = await driver.executeAsyncScript(survive, file, net.input);
    assert.equal(error, undefined);
    assert.match(panic, /666/);
    assert.equal(restarts, 1);
    assert.deepEqual(after, before);
    assert.equal(before[0], before[1], "the value and its explanation");
  });
});
