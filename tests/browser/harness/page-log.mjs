// What a page said and asked for: console messages, uncaught errors, violations of its Content-Security-Policy, and
// every request. Through WebDriver BiDi, so both browsers are watched in the same way.

const VIOLATIONS = `() => {
  window.__violations = [];
  addEventListener("securitypolicyviolation", (event) => {
    window.__violations.push(event.effectiveDirective + " blocked " + (event.blockedURI || "inline"));
  });
}`;

export class PageLog {
  static async start(driver) {
    const log = new PageLog(driver);
    const bidi = await driver.getBidi();
    bidi.socket.on("message", (data) => log.#receive(JSON.parse(data.toString())));
    for (const event of ["log.entryAdded", "network.beforeRequestSent"]) {
      await bidi.send({ method: "session.subscribe", params: { events: [event] } });
    }
    await bidi.send({ method: "script.addPreloadScript", params: { functionDeclaration: VIOLATIONS } });
    return log;
  }

  constructor(driver) {
    this.driver = driver;
    this.clear();
  }

  clear() {
    this.messages = [];
    this.requests = [];
  }

  #receive({ method, params }) {
    if (method === "log.entryAdded") {
      const { level, text, type, stackTrace } = params;
      // Firefox says this, from no script, of documents that hold no script of ours too.
      if (!stackTrace && text === 'Error: Permission denied to access property "length"') return;
      this.messages.push({ level, type, text: text ?? "" });
    } else if (method === "network.beforeRequestSent") {
      this.requests.push(params.request.url);
    }
  }

  /** What the page complained about: console errors and uncaught exceptions. */
  get errors() {
    return this.messages.filter(({ level }) => level === "error").map(({ text }) => text);
  }

  /** What the page's policy forbade. */
  violations() {
    return this.driver.executeScript("return window.__violations ?? ['the page was not watched']");
  }

  /** Every address the page asked for: seen from outside, and as the page itself counts them. */
  async addresses() {
    const inside = await this.driver.executeScript(
      "return performance.getEntriesByType('resource').map((entry) => entry.name)",
    );
    return [...new Set([...this.requests, ...inside])].filter((url) => url !== "about:blank");
  }
}
