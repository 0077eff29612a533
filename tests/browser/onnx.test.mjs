// A reader's own network in <ks-unet>: dropped on the figure or chosen as a file, computed as the engine in Node computes it, and
// refused in words without losing what was there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createEngine } from "../../pkg/kernelscope.mjs";
import { numberIn } from "./harness/convolution.mjs";
import { FigureOnPage } from "./harness/figure.mjs";
import { ROOT, fromFile } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";
import { titaniumSquare } from "./harness/unet.mjs";

const PAGE = fromFile("index.html");
const AT = [166, 82];
const FOLDER = "tests/golden/onnx";
const NAME = "unet-padding-itself-dynamo.onnx";

const SHOWN = (selector) => {
  const root = document.querySelector(selector).shadowRoot;
  const text = (css) => root.querySelector(css)?.textContent ?? "";
  return {
    facts: text(".facts"),
    bars: [...root.querySelectorAll(".why .bar")].map((bar) => ({ name: bar.querySelector("span").textContent, value: bar.querySelector("b").textContent })),
    logit: text(".why .out"),
    view: root.querySelector(".body").dataset.view,
    blocks: [...root.querySelectorAll(".network .block")].map((block) => block.getAttribute("aria-label")),
    network: root.querySelector("select").value,
    total: text(".apart .total b"),
  };
};

const file = (name) => ({ name: name.split("/").at(-1), base64: readFileSync(join(ROOT, FOLDER, name)).toString("base64") });

/** Files let fall on the figure. */
const drop = (figure, ...names) =>
  figure.browser.run((selector, files) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of files) transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    const target = document.querySelector(selector);
    for (const type of ["dragover", "drop"]) target.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, figure.selector, names.map(file));

/** The network on the page's picture, in Node. */
async function reference() {
  const engine = await createEngine({ thread: "here" });
  const square = await titaniumSquare(engine);
  const bytes = (name) => new Uint8Array(readFileSync(join(ROOT, FOLDER, "export", name)));
  const model = await engine.loadModel(bytes(NAME), { externalData: bytes(`${NAME}.data`) });
  return { model, size: square.shape[1], run: await model.run(square, { keep: "all" }) };
}

inBrowsers((browser) => {
  const opened = async () => {
    const figure = new FigureOnPage(browser(), "unet", SHOWN);
    await figure.open(PAGE);
    return { figure, before: await figure.until("the shipped network's story", ({ logit, facts }) => logit !== "" && facts.includes("F1")) };
  };

  test("an export dropped with its weights is computed and can be asked", async () => {
    const { model, run, size } = await reference();
    const { figure } = await opened();
    await drop(figure, `export/${NAME}`, `export/${NAME}.data`);
    const shown = await figure.until("the dropped network", ({ facts, bars }) => facts.includes(NAME) && bars[0]?.name === "p(class 1)");
    assert.equal(shown.alert, "");
    assert.equal(shown.network, "own");
    assert.deepEqual(shown.blocks, ["Encoder 1", "Decoder 1", "Encoder 2", "Decoder 2", "Bottleneck"]);
    const place = size * size + AT[0] * size + AT[1];
    assert.ok(Math.abs(numberIn(shown.bars[0].value) - run.output.data[place]) < 0.006, `p ${shown.bars[0].value}, in Node ${run.output.data[place]}`);
    const head = model.graph.filter(({ op }) => op === "conv2d").at(-1).name;
    const logit = run.nodes[head].data[place];
    await figure.until("its logit", ({ logit: words }) => Math.abs(numberIn(words) - logit) < 0.006);
    await figure.pressWords("Take the logit apart");
    await figure.until("the logit taken apart", ({ view, total }) => view === "value" && Math.abs(numberIn(total) - logit) < 0.0006);
    // The shipped network is one choice away.
    await figure.choose("network", "grains");
    await figure.until("the shipped network", ({ facts, bars }) => !facts.includes(NAME) && facts.includes("F1") && bars[0]?.name === "p(boundary)");
  });

  test("what is refused leaves the figure as it was, and says why", async () => {
    const { figure, before } = await opened();
    const refusals = [
      [["node/map_maxpool_1d_default.onnx"], /“map_maxpool_1d_default\.onnx” could not be opened; the network before stays\. onnx: the node "y" \(MaxPool\) works on a map of shape \(1, 3, 32\)/],
      [["export/unet-nearest-dynamo.onnx"], /lie in the file "unet-nearest-dynamo\.onnx\.data" \(none was given\)/],
      [["export/residual-script.onnx"], /This network takes pictures|answers with/],
      [["export/unet-nearest-script.onnx", "export/unet-bilinear-script.onnx"], /A network is one \.onnx or \.safetensors file/],
    ];
    for (const [files, words] of refusals) {
      await drop(figure, ...files);
      const shown = await figure.until(`the refusal of ${files}`, ({ alert }) => words.test(alert));
      assert.equal(shown.network, "grains");
      assert.equal(shown.facts, before.facts);
      assert.equal(shown.logit, before.logit);
      assert.deepEqual(shown.blocks, before.blocks);
    }
    await figure.choose("show", "probability");
    await figure.point(".side canvas", [60, 200], { press: true });
    await figure.until("an answer all the same", ({ logit }) => logit !== "" && logit !== before.logit);
  });

  test("a file chosen with the button is opened too", async () => {
    const { figure } = await opened();
    const input = await figure.element("input[type=file][multiple]");
    await input.sendKeys(join(ROOT, FOLDER, "export/unet-nearest-opset9.onnx"));
    const shown = await figure.until("the chosen network", ({ facts, bars }) => facts.includes("unet-nearest-opset9.onnx") && bars[0]?.name === "p(class 1)");
    assert.equal(shown.alert, "");
    await figure.choose("class", "0");
    await figure.until("the other class", ({ bars }) => bars[0]?.name === "p(class 0)");
  });
});
