// What www/engine/api.ts promises about calls: concurrent ones, aborted ones, `out`, close(), several engines. Everything is
// held in both places where an engine can compute: on the calling thread and in workers (of Node, dressed as a browser's).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { createEngine } from "../../pkg/kernelscope.mjs";
import { Worker } from "./support/worker.mjs";

const model = new Uint8Array(readFileSync(new URL("../../www/models/grains.safetensors", import.meta.url)));
const picture = (h, w, from = 0) => ({ shape: [1, h, w], data: Float32Array.from({ length: h * w }, (_, i) => ((i * 7 + from) % 11) / 8) });
const sobel = { shape: [1, 1, 3, 3], data: Float32Array.of(-1, 0, 1, -2, 0, 2, -1, 0, 1) };
const closed = /^Error: .*the engine was closed/;

for (const thread of ["here", "worker"]) {
  describe(`on ${thread === "here" ? "the calling thread" : "workers"}`, () => {
    const engines = [];
    const engine = async () => (engines.push(await createEngine({ thread })), engines.at(-1));
    before(() => {
      if (thread === "worker") globalThis.Worker = Worker;
    });
    after(() => {
      for (const each of engines) each.close();
      delete globalThis.Worker;
    });

    test("computes where it says", async () => {
      const { reason } = await engine();
      assert.match(reason, thread === "here" ? /calling thread/ : /in a worker/);
    });

    test("concurrent calls do not see each other", async () => {
      const one = await engine();
      const sizes = Array.from({ length: 12 }, (_, i) => 3 + i);
      const alone = [];
      for (const n of sizes) alone.push(await one.conv2d(picture(n, n + 1, n), sobel, null, { padding: 1 }));
      const mixed = sizes.flatMap((n) => [
        one.conv2d(picture(n, n + 1, n), sobel, null, { padding: 1 }),
        one.conv2d(picture(n, n, n), { shape: [1, 2, 3, 3], data: new Float32Array(18) }, null).catch((error) => error),
        one.relu(picture(n, 2, n)),
      ]);
      const results = await Promise.all(mixed);
      sizes.forEach((_, i) => {
        assert.deepEqual(results[3 * i], alone[i]);
        assert.match(results[3 * i + 1].message, /^conv2d: weight must have shape/);
      });
    });

    test("concurrent runs of one model: the last one started answers, the maps of all stay", async () => {
      const one = await engine();
      const network = await one.loadModel(model);
      const pictures = [0, 1, 2].map((from) => picture(12, 16, from));
      const expected = [];
      // In the order of `explain`, as runs are that keep inner maps.
      for (const x of pictures) expected.push((await network.run(x, { exact: true })).output);
      const runs = await Promise.all(pictures.map((x) => network.run(x, { keep: ["logits"] })));
      runs.forEach(({ output }, i) => assert.deepEqual(output, expected[i]));
      await assert.rejects(runs[0].explain("logits", [0, 1, 1]), /has run again since; ask the newer run/);
      const told = await runs[2].explain("logits", [1, 2, 3]);
      assert.equal(told.value, runs[2].nodes.logits.data[16 * 12 + 2 * 16 + 3]);
      network.close();
      await assert.rejects(network.run(pictures[0]), /this network was closed/);
      await assert.rejects(runs[2].gradient("logits", [0, 0, 0]), /is gone/);
    });

    test("a call that is aborted before it starts", async () => {
      const one = await engine();
      const out = new Float32Array(9).fill(7);
      const refused = one.relu(picture(3, 3), { out, signal: AbortSignal.abort() });
      await assert.rejects(refused, { name: "AbortError" });
      const reason = new Error("changed my mind");
      await assert.rejects(one.relu(picture(3, 3), { signal: AbortSignal.abort(reason) }), reason);
      assert.deepEqual(out, new Float32Array(9).fill(7));
    });

    test("a call that is aborted on its way", { skip: thread === "here" && "a call on the calling thread is over when it returns" }, async () => {
      const one = await engine();
      const network = await one.loadModel(model);
      const abort = new AbortController();
      const out = new Float32Array(9).fill(7);
      const first = network.run(picture(64, 64));
      const second = one.relu(picture(3, 3), { out, signal: abort.signal });
      const third = network.run(picture(16, 16), { signal: abort.signal });
      const fourth = one.relu(picture(2, 2));
      abort.abort();
      await assert.rejects(second, { name: "AbortError" });
      await assert.rejects(third, { name: "AbortError" });
      assert.equal((await first).output.shape[1], 64);
      assert.equal((await fourth).data.length, 4);
      assert.deepEqual(out, new Float32Array(9).fill(7));
    });

    test("out receives the result, and must have its length", async () => {
      const one = await engine();
      const x = picture(3, 4);
      const out = new Float32Array(12);
      const result = await one.relu(x, { out });
      assert.equal(result.data, out);
      assert.deepEqual(out, x.data);
      for (const length of [0, 11, 13]) {
        const wrong = new Float32Array(length).fill(7);
        await assert.rejects(one.relu(x, { out: wrong }), { message: `relu: out must hold the 12 values of the shape (1, 3, 4); got ${length}` });
        assert.deepEqual(wrong, new Float32Array(length).fill(7));
      }
      await assert.rejects(one.relu(x, { out: [1, 2] }), { message: "relu: out must be a Float32Array" });
      const own = picture(3, 4);
      own.data[0] = -1;
      await one.relu(own, { out: own.data });
      assert.equal(own.data[0], 0);
    });

    test("inputs are kept unless they are handed over", async () => {
      const one = await engine();
      const x = picture(3, 4);
      await one.relu(x);
      assert.equal(x.data.length, 12);
      await one.relu(x, { transfer: true });
      assert.equal(x.data.length, thread === "here" ? 12 : 0);
    });

    test("closing rejects what is under way and everything later", async () => {
      const one = await engine();
      const network = await one.loadModel(model);
      const run = await network.run(picture(8, 8));
      const held = await one.hold(picture(4, 4));
      const underWay = thread === "worker" ? [network.run(picture(64, 64)), one.relu(picture(9, 9)), one.explain("relu", [picture(2, 2)], {}, [0, 1, 1])] : [];
      one.close();
      one.close();
      for (const call of underWay) await assert.rejects(call, closed);
      const later = [
        () => one.relu(picture(3, 3)),
        () => one.relu(held),
        () => one.explain("relu", [picture(3, 3)], {}, [0, 0, 0]),
        () => one.loadModel(model),
        () => one.hold(picture(2, 2)),
        () => one.kernels(),
        () => one.histogram(picture(2, 2), 4),
        () => network.run(picture(8, 8)),
        () => network.shapes([1, 8, 8]),
        () => network.receptiveField("logits", [0, 0], [1, 8, 8]),
        () => run.explain("logits", [0, 0, 0]),
        () => run.gradient("logits", [0, 0, 0]),
      ];
      for (const call of later) await assert.rejects(call(), closed, String(call));
      one.release(held);
      network.close();
      assert.equal(run.output.data.length, 2 * 8 * 8);
    });

    test("two engines share nothing", async () => {
      const [one, other] = [await engine(), await engine()];
      const network = await one.loadModel(model);
      const held = await one.hold(picture(5, 5));
      await assert.rejects(other.relu(held), /this tensor was released|is gone/);
      const [a, b] = await Promise.all([one.conv2d(held, sobel, null), other.conv2d(picture(5, 5), sobel, null)]);
      assert.deepEqual(a, b);
      other.close();
      assert.equal((await network.run(picture(8, 8))).output.shape[2], 8);
      assert.deepEqual((await one.relu(held)).data, picture(5, 5).data);
    });
  });
}
