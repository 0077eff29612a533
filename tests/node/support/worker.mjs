// A browser's Worker for Node: runs the text behind a blob's address in a worker thread.
import { resolveObjectURL } from "node:buffer";
import { Worker as Thread } from "node:worker_threads";

const PRELUDE = `
  const { parentPort } = require("node:worker_threads");
  globalThis.self = globalThis;
  globalThis.postMessage = (message, transfer) => parentPort.postMessage(message, transfer);
  parentPort.on("message", (data) => globalThis.onmessage({ data }));
`;

export class Worker {
  onmessage = null;
  onerror = null;
  #waiting = [];
  #thread = null;
  #ended = false;

  constructor(url) {
    resolveObjectURL(url).text().then((text) => {
      if (this.#ended) return;
      this.#thread = new Thread(PRELUDE + text, { eval: true });
      this.#thread.on("message", (data) => this.onmessage?.({ data }));
      this.#thread.on("error", (error) => this.onerror?.({ message: error.message }));
      for (const [message, transfer] of this.#waiting) this.#thread.postMessage(message, transfer);
    });
  }

  postMessage(message, transfer = []) {
    if (this.#thread) this.#thread.postMessage(message, transfer);
    else this.#waiting.push([message, transfer]);
  }

  terminate() {
    this.#ended = true;
    this.#thread?.terminate();
  }
}
