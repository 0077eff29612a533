// Several workers on one picture: the values of one worker to the bit, progress, cancellation; from file:// too.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { onnx, WORKLOADS } from "../../bench/workloads.mjs";
import { fromFile, overHttp } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";

let server;
before(async () => {
  server = await overHttp();
});
after(() => server.close());

const model = Buffer.from(onnx(WORKLOADS.W6(), true)).toString("base64");

/** In the page: the same picture, perhaps with a hole in it, by one worker and by three; then a run that is stopped after its first tile. */
const share = (base64, hole, done) => {
  (async () => {
    const bytes = window.Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const [h, w] = [1024, 512];
    const x = { data: window.Float32Array.from({ length: h * w }, (_, i) => Math.sin(i * 0.37) + ((i * 7919) % 101) / 101), shape: [1, h, w] };
    if (hole) x.data[700] = NaN;
    const outputs = [];
    const seen = [];
    let stopped;
    for (const workers of [1, 3]) {
      const engine = await kernelscope.createEngine({ workers });
      const network = await engine.loadModel(bytes);
      const run = await network.run(x, { progress: (now, all) => seen.push([now, all]) });
      outputs.push(run.output.data);
      if (workers === 3) {
        const control = new AbortController();
        stopped = await network.run(x, { signal: control.signal, progress: () => control.abort() }).then(() => "finished", (error) => error.name);
        outputs.push((await network.run(x)).output.data);
      }
      engine.close();
    }
    const [one, three, again] = outputs;
    const differ = (a, b) => a.reduce((count, value, i) => count + !Object.is(value, b[i]), 0);
    return { length: one.length, differ: differ(one, three) + differ(one, again), seen, stopped, spread: Math.max(...one.subarray(0, 9999)) - Math.min(...one.subarray(0, 9999)) };
  })().then(done, (error) => done({ error: String(error) }));
};

inBrowsers((browser) => {
  for (const [place, address] of [["http", () => server.url], ["file://", () => fromFile("index.html")]]) {
    test(`three workers give the bits of one (${place})`, async () => {
      const { driver } = browser();
      await driver.get(address());
      await browser().until("the engine's script", () => typeof kernelscope === "object");
      await driver.manage().setTimeouts({ script: 120_000 });
      const told = await driver.executeAsyncScript(share, model, false);
      assert.equal(told.error, undefined);
      assert.equal(told.length, 2 * 1024 * 512);
      assert.ok(told.spread > 0.01, "the output is no constant");
      assert.equal(told.differ, 0);
      assert.ok(told.seen.length >= 3, `tiles: ${JSON.stringify(told.seen)}`);
      assert.deepEqual(told.seen, told.seen.map((_, i) => [i + 1, told.seen.length]));
      assert.equal(told.stopped, "AbortError");
    });

    test(`a value that is no number changes the order of sums everywhere or nowhere (${place})`, async () => {
      const { driver } = browser();
      await driver.get(address());
      await browser().until("the engine's script", () => typeof kernelscope === "object");
      await driver.manage().setTimeouts({ script: 120_000 });
      const told = await driver.executeAsyncScript(share, model, true);
      assert.equal(told.error, undefined);
      assert.equal(told.differ, 0);
    });
  }
});
