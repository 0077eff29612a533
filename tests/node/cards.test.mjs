// The way back from a graphics card to the processor, with cards that fail to order. The browsers' tests break real ones.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mock, test } from "node:test";
import { createEngine } from "../../pkg/kernelscope.mjs";
import { lost, MARK, play, REAL, refused } from "./support/card.mjs";

const network = new Uint8Array(readFileSync(new URL("../../www/models/grains.safetensors", import.meta.url)));
const x = { data: Float32Array.of(-1, 2), shape: [2] };
const picture = { data: Float32Array.from({ length: 32 * 32 }, (_, i) => Math.sin(i)), shape: [1, 32, 32] };

/** An engine beside a played card; who computed tells itself by the values. */
async function beside(card, options, use) {
  const { told, stop } = play(card);
  const engines = [];
  const make = async () => (engines.push(await createEngine(options)), engines.at(-1));
  try {
    const engine = await make();
    await engine.settled;
    await use(engine, told, make);
  } finally {
    for (const engine of engines) engine.close();
    stop();
  }
}

/** Who computed: the values must be one's or the other's. */
const who = ({ data }) => {
  if (data.every((value) => value === MARK)) return "card";
  assert.deepEqual([...data], [0, 2]);
  return "processor";
};
const relu = async (engine) => who(await engine.relu(x));
const asked = { backend: "webgpu" };
const kinds = ({ calls }, kind) => calls.filter((call) => call.kind === kind).length;
/** All that can happen without a clock has happened. */
const quiet = () => new Promise((done) => setImmediate(() => setImmediate(done)));

test("a card that works computes operators where it was asked for", () =>
  beside({}, asked, async (engine) => {
    assert.equal(await relu(engine), "card");
    assert.deepEqual([engine.backend, engine.adapter, engine.stats().last.backend], ["webgpu", "Card 3000", "webgpu"]);
    assert.equal(engine.reason, "on the graphics card (Card 3000)");
  }));

test("auto takes a card that won: for runs whose inner maps nobody keeps, and for nothing else", () =>
  beside({}, {}, async (engine, told) => {
    assert.match(engine.reason, /^on the graphics card \(Card 3000\), which took 4\.0 ms for a trial where the processor took 30 ms$/);
    assert.equal(await relu(engine), "processor");
    const model = await engine.loadModel(network);
    const by = async (options) => ((await model.run(picture, options)).output.data[0] === MARK ? "card" : "processor");
    assert.equal(await by({}), "card");
    assert.equal(await by({ exact: true }), "processor");
    assert.equal(await by({ keep: ["enc1.relu2"] }), "processor");
    assert.equal(kinds(told, "forward"), 1);
  }));

test("auto tries a card once, and remembers", () =>
  beside({}, {}, async (engine, told, make) => {
    const again = await make();
    await again.settled;
    assert.equal(kinds(told, "try_card"), 1);
    assert.deepEqual([engine.backend, again.backend], ["webgpu", "webgpu"]);
  }));

test("without a card nothing is started for one", () =>
  beside({ offered: null }, {}, async (engine, told) => {
    assert.equal(told.started, 0);
    assert.match(engine.reason, /^on the processor, in a worker; the browser offers no graphics card$/);
    assert.equal(await relu(engine), "processor");
  }));

for (const [name, kind, given, reason] of [
  ["wrong on its trial", "try_card", { value: { cpu: 30, gpu: 4, off: 0.5 } }, /computed wrong values on a trial \(off by 50 %\)/],
  ["slower on its trial", "try_card", { value: { cpu: 4, gpu: 30, off: 0 } }, /the processor was faster on a trial/],
  ["that fails on its trial", "try_card", refused, /failed on a trial: .*refuses a program/],
  ["that turns out to be an imitation", "open_card", { value: { ...REAL, software: true } }, /no graphics card but an imitation/],
]) {
  test(`auto leaves a card ${name} alone`, () =>
    beside({ answer: (call) => (call.kind === kind ? given : undefined) }, {}, async (engine, told) => {
      assert.equal(engine.backend, "cpu");
      assert.match(engine.reason, reason);
      assert.equal(told.closed, told.started, "its worker is ended");
    }));
}

for (const backend of ["auto", "webgpu"]) {
  test(`a card that cannot be opened, with ${backend}`, () =>
    beside({ answer: ({ kind }) => (kind === "open_card" ? { message: "webgpu: the device was refused" } : undefined) }, { backend }, async (engine, told) => {
      assert.equal(engine.reason, "on the processor, in a worker; the device was refused");
      assert.equal(await relu(engine), "processor");
      assert.equal(told.closed, told.started);
    }));
}

test("a card that fails three times in a row is given up; one that recovers is not", async () => {
  const failing = (from, to) => {
    let calls = 0;
    return { answer: ({ kind }) => (kind === "op" && ++calls >= from && calls <= to ? refused : undefined) };
  };
  const six = async (engine) => {
    const all = [];
    for (let i = 0; i < 6; i++) all.push((await relu(engine))[0]);
    return all.join("");
  };
  await beside(failing(1, 99), asked, async (engine) => {
    assert.equal(await six(engine), "pppppp");
    assert.match(engine.reason, /failed 3 times in a row: the graphics card refuses a program/);
  });
  await beside(failing(2, 3), asked, async (engine) => {
    assert.equal(await six(engine), "cppccc");
    assert.equal(engine.backend, "webgpu");
  });
});

test("a mistake of the caller's is his, however often he makes it", () =>
  beside({ answer: ({ kind, op }) => (kind === "op" && op === "max_pool2d" ? refused : undefined) }, asked, async (engine) => {
    for (let i = 0; i < 5; i++) await assert.rejects(engine.maxPool2d({ data: new Float32Array(9), shape: [1, 3, 3] }, { kernelSize: 7 }), /^Error: max_pool2d: /);
    assert.equal(engine.backend, "webgpu");
  }));

test("a lost card is opened again with what it held, and a second time given up", () => {
  let losing = false;
  return beside({ answer: ({ kind }) => (losing && kind === "forward" ? lost : undefined) }, asked, async (engine, told) => {
    const model = await engine.loadModel(network);
    const held = await engine.hold(picture);
    const output = async () => (await model.run(held)).output.data[0] === MARK;
    assert.equal(await output(), true);
    losing = true;
    assert.equal(await output(), false, "the processor gives the result");
    await engine.settled;
    losing = false;
    assert.match(engine.reason, /^on the graphics card \(Card 3000\), opened again after it was lost$/);
    assert.equal(await output(), true);
    assert.deepEqual(told.calls.filter(({ kind, opened }) => opened === 1 && kind !== "open_card").map(({ kind }) => kind), ["load", "hold", "forward"]);
    losing = true;
    assert.equal(await output(), false);
    await engine.settled;
    assert.match(engine.reason, /^on the processor, in a worker; the graphics card was lost twice: .*the driver was reset$/);
    losing = false;
    assert.equal(await output(), false);
    assert.deepEqual([told.started, told.closed], [2, 2]);
  });
});

test("a lost card that cannot be opened again leaves the processor, with both reasons", () =>
  beside({ answer: ({ kind }, opened) => (kind === "op" ? lost : kind === "open_card" && opened > 0 ? { message: "webgpu: none is left" } : undefined) }, asked, async (engine) => {
    assert.equal(await relu(engine), "processor");
    await engine.settled;
    assert.match(engine.reason, /the driver was reset, and could not be opened again: none is left$/);
    assert.equal(await relu(engine), "processor");
  }));

test("calls that one loss took with it count as one loss, however late the processor is done with them", () => {
  // The first device is lost under all calls that are under way.
  return beside({ answer: ({ kind }, opened) => (kind === "op" && opened === 0 ? lost : undefined) }, asked, async (engine, told) => {
    const slow = { data: new Float32Array(64 * 96 * 96).fill(1), shape: [64, 96, 96] };
    const weight = { data: new Float32Array(64 * 64 * 9).fill(1), shape: [64, 64, 3, 3] };
    const quick = engine.relu(x);
    const others = [1, 2, 3].map(() => engine.conv2d(slow, weight, null, { padding: 1 }));
    assert.equal(who(await quick), "processor");
    await engine.settled;
    for (const map of await Promise.all(others)) assert.equal(map.data[97], 64 * 9, "the processor's");
    await engine.settled;
    assert.match(engine.reason, /opened again after it was lost/);
    assert.equal(await relu(engine), "card");
    assert.equal(told.started, 2);
  });
});

test("a silent card is waited for ten seconds", async () => {
  await beside({ answer: ({ kind }, opened) => (kind === "op" && opened === 0 ? new Promise(() => {}) : undefined) }, asked, async (engine) => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const answer = relu(engine);
      let done = false;
      void answer.finally(() => (done = true));
      await quiet();
      mock.timers.tick(9_999);
      await quiet();
      assert.equal(done, false);
      mock.timers.tick(1);
      assert.equal(await answer, "processor");
      assert.match(engine.reason, /the graphics card did not answer for 10 seconds/);
      await engine.settled;
      assert.equal(await relu(engine), "card");
    } finally {
      mock.timers.reset();
    }
  });
});

test("a card with much to do is not silent while it answers", async () => {
  const release = [];
  await beside({ answer: ({ kind }) => (kind === "op" ? new Promise((done) => release.push(() => done(undefined))) : undefined) }, asked, async (engine) => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const answers = [1, 2, 3, 4].map(() => relu(engine));
      for (const _ of answers) {
        await quiet();
        mock.timers.tick(6_000);
        release.shift()?.();
      }
      await quiet();
      release.forEach((now) => now());
      assert.deepEqual(await Promise.all(answers), ["card", "card", "card", "card"]);
      assert.equal(engine.backend, "webgpu");
    } finally {
      mock.timers.reset();
    }
  });
});
