/** What a worker does: one wasm instance, a queue, and the patience to hear a cancellation before each call. */
import { Executor, Fatal } from "./executor";
import { Inbox } from "./inbox";
import type { Scope } from "./protocol";

export function serve(scope: Scope): void {
  // A macrotask between calls, so that a cancellation that has already arrived is heard first.
  const turn = new MessageChannel();
  turn.port1.onmessage = () => next();
  const inbox = new Inbox(scope, (module) => new Executor(module), () => turn.port2.postMessage(null));

  function next(): void {
    const job = inbox.waiting.shift();
    const { executor } = inbox;
    if (!job || !executor) return;
    try {
      const { value, transfer, ms } = executor.execute(job.call);
      scope.postMessage({ type: "done", id: job.id, value, ms, memory: executor.memory }, transfer);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      scope.postMessage({ type: "failed", id: job.id, message, fatal: error instanceof Fatal }, []);
    }
  }
}
