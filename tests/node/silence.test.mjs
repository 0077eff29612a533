// A browser that hangs must not hold up all the tests behind it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { test } from "node:test";
import { end, guard } from "../browser/harness/silence.mjs";

const named = (name) => ({ getName: () => name });

test("after one command without an answer every other is refused at once", async () => {
  const asked = [];
  const driver = {
    execute(command) {
      asked.push(command.getName());
      return command.getName() === "hang" ? new Promise(() => {}) : Promise.resolve(command.getName().length);
    },
  };
  const isSilent = guard(driver, 50);
  assert.equal(await driver.execute(named("title")), 5);
  assert.equal(isSilent(), false);
  await assert.rejects(driver.execute(named("hang")), /has not answered “hang” for 0.05 s/);
  assert.equal(isSilent(), true);
  await assert.rejects(driver.execute(named("title")), /“hang”/);
  assert.deepEqual(asked, ["title", "hang"], "nothing more was asked");
});

test("an error of the browser's own is passed on, and the next command is asked", async () => {
  const driver = { execute: (command) => (command.getName() === "bad" ? Promise.reject(new Error("no such element")) : Promise.resolve("well")) };
  const isSilent = guard(driver, 50);
  await assert.rejects(driver.execute(named("bad")), /no such element/);
  assert.equal(await driver.execute(named("good")), "well");
  assert.equal(isSilent(), false);
});

test("what runs with a folder of its own is ended, and nothing else", async () => {
  const folders = [1, 2].map((i) => mkdtempSync(join(tmpdir(), `kernelscope-silence-${i}-`)));
  const running = folders.map((folder) => spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", folder], { stdio: "ignore" }));
  try {
    await Promise.all(running.map((one) => once(one, "spawn")));
    end(folders[0]);
    const [, signal] = await once(running[0], "exit");
    assert.equal(signal, "SIGKILL");
    assert.equal(running[1].exitCode, null);
    assert.equal(running[1].signalCode, null);
  } finally {
    for (const one of running) one.kill("SIGKILL");
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
});
