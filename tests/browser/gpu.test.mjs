// The graphics card fails in every way that can be made up: the results are there all the same, the reason is told, nothing hangs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before as beforeAll, test } from "node:test";
import { serve } from "../../xtask/serve/server.mjs";
import { overHttp, ROOT } from "./harness/site.mjs";
import { inBrowsers } from "./harness/suite.mjs";
import { before, destroyedAt, FAULTS } from "./harness/webgpu.mjs";

let server;
/** Without a policy: for pages with scripts in them, and in frames. */
let plain;
beforeAll(async () => {
  [server, plain] = await Promise.all([overHttp(), serve({ root: ROOT })]);
});
after(() => Promise.all([server.close(), plain.close()]));

/** In the page: an engine with this backend computes an operator and a network, several times; so does one on the processor. */
const compute = (options, times, done) => {
  (async () => {
    const x = { data: window.Float32Array.from({ length: 48 * 40 }, (_, i) => Math.sin(i * 0.7) + Math.cos(i * 0.13)), shape: [1, 48, 40] };
    const weight = { data: window.Float32Array.from({ length: 45 }, (_, i) => Math.sin(i)), shape: [5, 1, 3, 3] };
    const bytes = window.Uint8Array.from(atob(await kernelscope.load("model-grains")), (character) => character.charCodeAt(0));
    const results = async (engine, count) => {
      const model = await engine.loadModel(bytes);
      const all = [];
      for (let i = 0; i < count; i++) {
        const map = await engine.conv2d(x, weight, null, { padding: 1 });
        const ran = engine.stats().last.backend;
        const run = await model.run(x, { keep: ["enc1.relu2"], exact: options.backend === "cpu" ? true : undefined });
        all.push({ map, ran: [ran, engine.stats().last.backend], output: run.output, node: run.nodes["enc1.relu2"], logit: (await run.explain("logits", [0, 3, 4])).value });
        await engine.settled;
      }
      return all;
    };
    const off = (a, b) => {
      const largest = b.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b.data[i])), 0) / largest;
    };
    const plain = await kernelscope.createEngine({ backend: "cpu" });
    const [truth] = await results(plain, 1);
    const start = performance.now();
    const engine = await kernelscope.createEngine(options);
    const first = { backend: engine.backend, reason: engine.reason };
    const all = await results(engine, times);
    await engine.settled;
    const told = {
      first,
      backend: engine.backend,
      adapter: engine.adapter,
      reason: engine.reason,
      stats: engine.stats(),
      ran: all.flatMap(({ ran }) => ran),
      off: Math.max(...all.flatMap(({ map, output, node }) => [off(map, truth.map), off(output, truth.output), off(node, truth.node)])),
      logits: Math.max(...all.map(({ logit }) => Math.abs(logit - truth.logit))),
      ms: performance.now() - start,
    };
    engine.close();
    plain.close();
    return told;
  })().then(done, (error) => done({ error: String(error?.stack ?? error) }));
};

/** In the page: an ONNX network by the card and by the processor, for two sizes of picture. */
const computeOnnx = (base64, done) => {
  (async () => {
    const bytes = window.Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const runs = { ran: [], off: 0, shapes: [] };
    const engines = [await kernelscope.createEngine({ backend: "webgpu" }), await kernelscope.createEngine({ backend: "cpu" })];
    const models = await Promise.all(engines.map((engine) => engine.loadModel(bytes)));
    for (const [h, w] of [[24, 32], [40, 48]]) {
      const x = { data: window.Float32Array.from({ length: h * w }, (_, i) => Math.sin(i * 0.7) + Math.cos(i * 0.13)), shape: [1, h, w] };
      const [card, own] = [await models[0].run(x), await models[1].run(x)];
      runs.ran.push(engines[0].stats().last.backend);
      runs.shapes.push(card.output.shape);
      const largest = own.output.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      runs.off = card.output.data.reduce((most, value, i) => Math.max(most, Math.abs(value - own.output.data[i]) / largest), runs.off);
    }
    for (const engine of engines) engine.close();
    return runs;
  })().then(done, (error) => done({ error: String(error?.stack ?? error) }));
};

async function told(browser, fault, { options = { backend: "webgpu" }, times = 3, workers } = {}) {
  const { driver } = browser;
  await browser.open(`${server.url}tests/browser/pages/empty.html`);
  await browser.until("the engine's script", () => typeof kernelscope === "object");
  await before(browser, fault, workers);
  await driver.manage().setTimeouts({ script: 120_000 });
  const result = await driver.executeAsyncScript(compute, options, times);
  assert.equal(result.error, undefined);
  assert.ok(result.off < 1e-4, `off by ${result.off}`);
  assert.equal(result.logits, 0, "a value is taken apart by the processor, whoever computed the map");
  return result;
}

inBrowsers(
  (browser, name) => {
    // Firefox has a card only where its driver suits it; without one there is nothing here to break.
    const only = async (context) => {
      const offered = await told(browser(), FAULTS.none, { times: 1 });
      if (name === "firefox" && offered.backend === "cpu") context.skip(`no card: ${offered.reason}`);
      return offered.backend === "webgpu";
    };

    test("without a fault the card computes, and says what it is", async (context) => {
      if (!(await only(context))) return;
      const { backend, adapter, reason, ran, stats } = await told(browser(), FAULTS.none);
      assert.equal(backend, "webgpu", reason);
      assert.deepEqual([...new Set(ran)], ["webgpu"]);
      // Firefox tells no name.
      assert.match(reason, name === "firefox" ? /^on an imitation of a graphics card by the processor/ : /^on an imitation of a graphics card by the processor \(.+\)$/);
      if (name === "chromium") assert.match(adapter, /swiftshader/i);
      assert.deepEqual([stats.gpu.passes, stats.gpu.submits, stats.gpu.writes, stats.gpu.buffersCreated], [1, 1, 1, 0]);
    });

    for (const thread of ["worker", "here"]) {
      test(`from a file, too: ${thread}`, async (context) => {
        if (!(await only(context))) return;
        await browser().open(new URL("pages/empty.html", import.meta.url).href);
        await browser().until("the engine's script", () => typeof kernelscope === "object");
        const result = await browser().driver.executeAsyncScript((thread, done) => {
          (async () => {
            const engine = await kernelscope.createEngine({ backend: "webgpu", thread });
            const { data } = await engine.relu({ data: window.Float32Array.of(-1, 2), shape: [2] });
            const told = { at: location.protocol, data: [...data], reason: engine.reason, ran: engine.stats().last.backend };
            engine.close();
            return told;
          })().then(done, (error) => done({ error: String(error) }));
        }, thread);
        assert.deepEqual([result.error, result.at, result.data, result.ran], [undefined, "file:", [0, 2], "webgpu"], result.reason);
      });
    }

    test("an ONNX network is the card's too, whatever the size of the picture", async (context) => {
      if (!(await only(context))) return;
      const file = readFileSync(join(ROOT, "tests/golden/onnx/export/unet-nearest-opset9.onnx")).toString("base64");
      const result = await browser().driver.executeAsyncScript(computeOnnx, file);
      assert.equal(result.error, undefined);
      assert.deepEqual(result.ran, ["webgpu", "webgpu"]);
      assert.deepEqual(result.shapes.map((shape) => shape.slice(-2)), [[24, 32], [40, 48]]);
      assert.ok(result.off < 1e-4, `off by ${result.off}`);
    });

    test("auto leaves an imitated card alone, and says why", async () => {
      const { backend, reason, ran } = await told(browser(), FAULTS.none, { options: {}, times: 1 });
      assert.equal(backend, "cpu");
      assert.deepEqual([...new Set(ran)], ["cpu"]);
      assert.match(reason, /^on the processor, in a worker; (what WebGPU offers here is no graphics card but an imitation by the processor|the browser offers no graphics card|this browser, or this place in a page, has no WebGPU)/);
    });

    for (const [fault, words] of [
      ["no adapter", /the browser offers no graphics card/],
      ["the device is refused", /could not be opened .*limits too high/],
      ["no WebGPU in the worker", /has no WebGPU/],
    ]) {
      test(`${fault}: the processor from the beginning`, async (context) => {
        if (!(await only(context))) return;
        const { first, backend, reason, ran } = await told(browser(), FAULTS[fault]);
        assert.deepEqual([first.backend, backend], ["cpu", "cpu"]);
        assert.match(reason, words);
        assert.deepEqual([...new Set(ran)], ["cpu"]);
      });
    }

    for (const [fault, words] of [
      ["a shader that does not compile", /failed 3 times in a row: the graphics card refuses a program/],
      ["not enough memory", /failed 3 times in a row: the graphics card has not enough memory/],
      ["results that cannot be read", /failed 3 times in a row: the results could not be read back/],
    ]) {
      test(`${fault}: given up after three failures`, async (context) => {
        if (!(await only(context))) return;
        const { first, backend, reason, ran } = await told(browser(), FAULTS[fault]);
        assert.equal(first.backend, "webgpu");
        assert.equal(backend, "cpu");
        assert.match(reason, words);
        assert.deepEqual([...new Set(ran)], ["cpu"]);
      });
    }

    for (const [when, owner, method] of [
      ["before a run", "GPUDevice", "createCommandEncoder"],
      ["during a run", "GPUQueue", "submit"],
      ["after a run", "GPUBuffer", "unmap"],
    ]) {
      test(`a device lost once ${when}: opened again`, async (context) => {
        if (!(await only(context))) return;
        // Another device is another worker's, which is left alone.
        const { backend, reason, ran } = await told(browser(), destroyedAt(owner, method, "=== 2"), { workers: 1 });
        assert.equal(backend, "webgpu", reason);
        assert.match(reason, /opened again after it was lost/);
        assert.ok(ran.includes("cpu") && ran.at(-1) === "webgpu", ran.join());
      });

      test(`a device lost again and again ${when}: the processor`, async (context) => {
        if (!(await only(context))) return;
        const { backend, reason, ran } = await told(browser(), destroyedAt(owner, method, "=== 1"), { times: 4 });
        assert.equal(backend, "cpu", reason);
        assert.match(reason, /the graphics card was lost twice/);
        assert.equal(ran.at(-1), "cpu");
      });
    }

    test("a card that falls silent is waited for, and no longer than that", async (context) => {
      if (!(await only(context))) return;
      // An imitated card may take minutes; this one passes for a real one.
      const real = "Object.defineProperty(GPUAdapterInfo.prototype, 'isFallbackAdapter', { get: () => false }); Object.defineProperty(GPUAdapterInfo.prototype, 'description', { get: () => 'Card 3000' });";
      const { backend, reason, ms } = await told(browser(), `${real} GPUBuffer.prototype.mapAsync = () => new Promise(() => {})`, { times: 2 });
      assert.equal(backend, "cpu");
      assert.match(reason, /lost twice: the graphics card did not answer for 10 seconds/);
      assert.ok(ms > 15_000 && ms < 60_000, `${ms} ms`);
    });

    test("a map larger than a card takes is computed by the processor, the next one by the card", async (context) => {
      if (!(await only(context))) return;
      const result = await browser().driver.executeAsyncScript((done) => {
        (async () => {
          const engine = await kernelscope.createEngine({ backend: "webgpu" });
          const side = 1500;
          const weight = { data: new window.Float32Array(16).fill(1), shape: [16, 1, 1, 1] };
          const big = await engine.conv2d({ data: new window.Float32Array(side * side).fill(2), shape: [1, side, side] }, weight, null);
          const first = engine.stats().last.backend;
          // Nor does it hold against a card what no card does.
          for (const value of [NaN, Infinity, -Infinity]) await engine.relu({ data: window.Float32Array.of(value, 1), shape: [2] });
          const small = await engine.relu({ data: window.Float32Array.of(-1, 2), shape: [2] });
          const told = { first, second: engine.stats().last.backend, length: big.data.length, last: big.data.at(-1), small: [...small.data], backend: engine.backend };
          engine.close();
          return told;
        })().then(done, (error) => done({ error: String(error) }));
      });
      assert.deepEqual(result, { first: "cpu", second: "webgpu", length: 16 * 1500 * 1500, last: 2, small: [0, 2], backend: "webgpu" });
    });

    test("a mistake of the caller's stays his, and leaves the card", async (context) => {
      if (!(await only(context))) return;
      const result = await browser().driver.executeAsyncScript((done) => {
        (async () => {
          const engine = await kernelscope.createEngine({ backend: "webgpu" });
          const x = { data: new window.Float32Array(9), shape: [1, 3, 3] };
          const messages = [];
          for (let i = 0; i < 4; i++) messages.push(await engine.maxPool2d(x, { kernelSize: 7 }).then(() => "computed", (error) => error.message));
          const control = new AbortController();
          const aborted = engine.relu(x, { signal: control.signal }).then(() => "computed", (error) => error.name);
          control.abort();
          const given = { data: new window.Float32Array([-1, 4]), shape: [2] };
          const moved = await engine.relu(given, { transfer: true });
          const told = { messages, aborted: await aborted, backend: engine.backend, moved: [...moved.data], left: given.data.length };
          engine.close();
          return told;
        })().then(done, (error) => done({ error: String(error) }));
      });
      assert.equal(new Set(result.messages).size, 1);
      assert.match(result.messages[0], /^max_pool2d: .*7/);
      assert.deepEqual([result.aborted, result.backend, result.moved, result.left], ["AbortError", "webgpu", [0, 4], 0]);
    });
  },
  { webgpu: true },
);

/** A figure whose engine may choose: what it tells, and what it says of who computed. */
const shownBy = async (browser, fault) => {
  await browser.open(`${plain.url}tests/browser/pages/card.html?${new URLSearchParams({ fault })}`);
  const settled = () => browser.driver.executeAsyncScript((done) => kernelscope.engine().then(({ settled }) => settled).then(() => done(true)));
  await browser.until("the figure", () => document.querySelector("ks-grains")?.dataset.state === "ready");
  await settled();
  const said = () => browser.run(() => {
    const root = document.querySelector("ks-grains").shadowRoot;
    return { facts: [...root.querySelectorAll(".told dd")].map(({ textContent }) => textContent), status: root.querySelector(".status").textContent, title: root.querySelector(".status").title, alert: root.querySelector(".message").textContent };
  });
  // Other networks run, now that it is settled where.
  for (const method of ["deep", "deep-noskip"]) {
    await browser.run((method) => (document.querySelector("ks-grains").values = { method }), method);
    await browser.driver.executeAsyncScript((done) => document.querySelector("ks-grains").settled().then(() => done(true)));
    await settled();
  }
  const before = await said();
  const stats = await browser.driver.executeAsyncScript((done) => kernelscope.engine().then((engine) => done({ reason: engine.reason, ...engine.stats() })));
  return { ...before, stats };
};

inBrowsers(
  (browser, name) => {
    test("a card that was faster on a trial computes the figures; whatever becomes of it, their numbers stay", async (context) => {
      await browser().driver.manage().setTimeouts({ script: 120_000 });
      // An imitation is slower: the trial says so, and is remembered.
      const slow = await shownBy(browser(), "");
      assert.equal(slow.alert, "");
      const kept = await browser().run(() => localStorage.getItem("kernelscope:trial"));
      if (name === "firefox" && !kept) return context.skip(slow.stats.reason);
      assert.match(slow.stats.reason, /^on the processor, in a worker; the processor was faster on a trial than the graphics card \(Card 3000\): /);
      // As if it had been faster.
      const { trial, ...rest } = JSON.parse(kept);
      assert.ok(trial.off <= 1e-4 && trial.gpu > trial.cpu, kept);
      await browser().run((text) => localStorage.setItem("kernelscope:trial", text), JSON.stringify({ ...rest, trial: { ...trial, cpu: 2 * trial.gpu } }));
      const fast = await shownBy(browser(), "");
      assert.equal(fast.stats.backend, "webgpu", fast.stats.reason);
      assert.match(fast.stats.reason, /^on the graphics card \(Card 3000\), which took \d+ ms for a trial where the processor took \d+ ms$/);
      assert.deepEqual([fast.stats.last.backend, fast.facts, fast.alert], ["webgpu", slow.facts, ""]);
      assert.match(fast.status, /computed on the graphics card/);
      assert.match(fast.title, /Computed by this page on the graphics card \(Card 3000\)/);
      for (const [fault, words] of [
        [destroyedAt("GPUDevice", "createCommandEncoder", ">= 1"), /on the graphics card \(Card 3000\), opened again after it was lost/],
        [destroyedAt("GPUQueue", "submit", ">= 1"), /opened again after it was lost/],
        [FAULTS["no adapter"], /the browser offers no graphics card/],
        [FAULTS["the device is refused"], /could not be opened/],
        [FAULTS["no WebGPU in the worker"], /has no WebGPU/],
        ["page", /has no WebGPU/],
      ]) {
        const broken = await shownBy(browser(), fault);
        assert.deepEqual([broken.facts, broken.alert], [slow.facts, ""], broken.stats.reason);
        assert.match(broken.stats.reason, words);
      }
    });

    test("in a frame that may do nothing but run scripts", async () => {
      await browser().open(`${plain.url}tests/browser/pages/empty.html`);
      await browser().run((src) => {
        addEventListener("message", ({ data }) => (document.body.dataset.told = `${document.body.dataset.told ?? ""} ${data.type}`));
        const frame = Object.assign(document.createElement("iframe"), { src, allow: "", width: 900, height: 900 });
        frame.setAttribute("sandbox", "allow-scripts");
        document.body.append(frame);
      }, `${plain.url}embed.html?widget=grains`);
      const told = await browser().until("the figure in the frame", () => /kernelscope:(ready|error)/.test(document.body.dataset.told) && document.body.dataset.told);
      assert.doesNotMatch(told, /kernelscope:error/);
    });
  },
  { webgpu: true },
);
