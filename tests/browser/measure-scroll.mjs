// How long the page keeps the main thread busy while it is read from top to bottom: node tests/browser/measure-scroll.mjs
// A measurement, not a test: times depend on the machine. Prints every task above 50 ms and what the page was showing.
import { launch, SIZES } from "./harness/browsers.mjs";
import { fromFile } from "./harness/site.mjs";

const browser = await launch("chromium", SIZES.desktop);
try {
  await browser.open(fromFile("index.html"));
  await browser.run(() => {
    window.__long = [];
    new PerformanceObserver((list) => {
      for (const { duration, startTime } of list.getEntries()) {
        const middle = document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest("section")?.id ?? "";
        window.__long.push({ ms: Math.round(duration), at: Math.round(startTime), section: middle });
      }
    }).observe({ type: "longtask", buffered: true });
  });
  const height = await browser.run("return document.documentElement.scrollHeight");
  for (let y = 0; y < height; y += 240) {
    await browser.run((y) => scrollTo({ top: y, behavior: "instant" }), y);
    await new Promise((later) => setTimeout(later, 250));
  }
  const found = await browser.run("return window.__long");
  console.log(`${found.length} tasks above 50 ms while scrolling ${height} px in steps of 240`);
  for (const { ms, at, section } of found) console.log(`${String(ms).padStart(5)} ms at ${String(at).padStart(6)} ms  ${section}`);
} finally {
  await browser.close();
}
