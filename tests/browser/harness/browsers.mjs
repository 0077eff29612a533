// Chromium and Firefox through WebDriver, with everything a page says or asks for written down.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Builder, logging } from "selenium-webdriver";
import chrome from "selenium-webdriver/chrome.js";
import firefox from "selenium-webdriver/firefox.js";
import { PageLog } from "./page-log.mjs";
import { end, guard } from "./silence.mjs";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** Window sizes that the page is looked at in. */
export const SIZES = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
  projector: { width: 1920, height: 1080 },
};

export const BROWSERS = ["chromium", "firefox"];

/**
 * Starts a browser; end it with `close()`. `webgpu`: with a graphics card that the processor imitates, SwiftShader in Chromium and
 * lavapipe in Firefox.
 */
export async function launch(name, { width, height } = SIZES.desktop, { dark = false, webgpu = false } = {}) {
  const start = { chromium: launchChromium, firefox: launchFirefox }[name];
  if (!start) throw new Error(`there is no browser "${name}"; there are ${BROWSERS.join(" and ")}`);
  const profile = mkdtempSync(join(tmpdir(), `kernelscope-${name}-`));
  let browser;
  try {
    const driver = await start(profile, { width, height, dark, webgpu });
    browser = new Browser(name, driver, profile);
    await browser.prepare({ width, height, dark });
    return browser;
  } catch (error) {
    if (browser) await browser.close();
    else rmSync(profile, { recursive: true, force: true });
    throw error;
  }
}

class Browser {
  constructor(name, driver, profile) {
    this.name = name;
    this.driver = driver;
    this.profile = profile;
    this.isSilent = guard(driver);
  }

  get isChromium() {
    return this.name === "chromium";
  }

  async prepare({ width, height, dark }) {
    await this.driver.manage().setTimeouts({ script: 30_000, pageLoad: 30_000, implicit: 0 });
    await this.size({ width, height });
    if (this.isChromium) await this.scheme(dark ? "dark" : "light");
    this.log = await PageLog.start(this.driver);
  }

  /** Opens an address in a fresh document; what earlier pages said is forgotten. */
  async open(url) {
    // From one hash to another there would be no new document.
    await this.driver.get("about:blank");
    this.log.clear();
    await this.driver.get(url);
  }

  /** The size of the page's viewport in CSS pixels. */
  async size({ width, height }) {
    if (this.isChromium) {
      await this.cdp("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
      return;
    }
    // The window has a frame around the page.
    await this.driver.manage().window().setRect({ width, height: height + 90 });
    const inner = await this.driver.executeScript("return [innerWidth, innerHeight]");
    await this.driver.manage().window().setRect({ width: 2 * width - inner[0], height: 2 * height + 90 - inner[1] });
  }

  /** What the reader's system prefers: "light" or "dark". Firefox takes it at its start only. */
  async scheme(value) {
    if (!this.isChromium) throw new Error("Firefox takes its colour scheme at its start: launch(…, { dark })");
    await this.cdp("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
  }

  cdp(command, parameters = {}) {
    return this.driver.sendAndGetDevToolsCommand(command, parameters);
  }

  /** Runs a function in the page; its result, or its promise's. */
  run(script, ...args) {
    const body = typeof script === "function" ? `return (${script})(...arguments)` : script;
    return this.driver.executeScript(body, ...args);
  }

  /** Waits until a function in the page gives something true, and gives it back. */
  async until(what, script, ...args) {
    const end = Date.now() + 20_000;
    for (;;) {
      const value = await this.run(script, ...args);
      if (value) return value;
      if (Date.now() > end) throw new Error(`waited 20 s in vain for: ${what}`);
      await new Promise((later) => setTimeout(later, 40));
    }
  }

  async close() {
    await this.driver.quit().catch(() => {});
    if (this.isSilent()) end(this.profile);
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function launchChromium(profile, { width, height, webgpu }) {
  const options = new chrome.Options()
    .setChromeBinaryPath(find("chromium", process.env.CHROMIUM))
    .addArguments(
      "--headless",
      "--no-sandbox",
      ...(webgpu ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"] : ["--disable-gpu"]),
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-quic",
      "--no-first-run",
      "--no-default-browser-check",
      "--hide-scrollbars",
      "--force-color-profile=srgb",
      `--window-size=${width},${height}`,
      `--user-data-dir=${profile}`,
    )
    .enableBidi();
  const logs = new logging.Preferences();
  logs.setLevel(logging.Type.PERFORMANCE, logging.Level.ALL);
  options.setLoggingPrefs(logs);
  return new Builder()
    .forBrowser("chrome")
    .setChromeOptions(options)
    .setChromeService(new chrome.ServiceBuilder(find("chromedriver", process.env.CHROMEDRIVER)))
    .build();
}

function launchFirefox(profile, { dark, webgpu }) {
  const options = new firefox.Options()
    .setBinary(find("firefox-esr", process.env.FIREFOX))
    .addArguments("-headless", "-profile", profile)
    // Automation tools loosen this one, and then a page from file:// passes here and fails with readers.
    .setPreference("security.fileuri.strict_origin_policy", true)
    .setPreference("layout.css.prefers-color-scheme.content-override", dark ? 0 : 1)
    .setPreference("dom.webgpu.enabled", webgpu)
    .setPreference("gfx.webgpu.ignore-blocklist", webgpu)
    .setPreference("network.captive-portal-service.enabled", false)
    .setPreference("network.connectivity-service.enabled", false)
    .setPreference("remote.log.level", "Fatal")
    .enableBidi();
  return new Builder()
    .forBrowser("firefox")
    .setFirefoxOptions(options)
    .setFirefoxService(new firefox.ServiceBuilder(find("geckodriver", process.env.GECKODRIVER)))
    .build();
}

function find(program, given) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), join(ROOT, "target/tools/bin")];
  const path = given || folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
  if (!path) throw new Error(`${program} is not installed; \`cargo xtask test\` installs what the browser tests need`);
  return path;
}
