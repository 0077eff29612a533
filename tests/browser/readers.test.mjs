// The questions of the sections that stand alone, answered as a reader would: by what can be seen and pressed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { reader } from "./harness/reader.mjs";
import { inBrowsers } from "./harness/suite.mjs";

inBrowsers((browser) => {
  test("convolution: which pixel contributes most?", async () => {
    const section = await reader(browser(), "convolution");
    await section.press("the centre");
    await section.reads(/You said the centre It is the left middle The weight −2 meets the pixel 0\.64: −1\.27/);
    assert.doesNotMatch(await section.text(), /Skip, and tell me/);
    // The guess stays on this device: on coming back the figure remembers it and offers the answer again.
    const again = await reader(browser(), "convolution");
    await again.reads(/Last time you said “the centre”\./);
    await again.press("Ask me again");
    await again.press("Skip, and tell me");
    await again.reads(/You said nothing yet It is the left middle/);
  });
});
