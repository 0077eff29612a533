/** What a worker does: one wasm instance, a queue, and the patience to hear a cancellation before each call. */
import { Executor, Fatal } from "./executor";
import type { Call, Scope } from "./protocol";

export function serve(scope: Scope): void {
  let executor: Executor | undefined;
  const queue: { id: number; call: Call }[] = [];
  // A macrotask between calls, so that a cancellation that has already arrived is heard first.
  const turn = new MessageChannel();
  turn.port1.onmessage = () => next();

  scope.onmessage = ({ data }) => {
    switch (data.type) {
      case "start":
        executor = new Executor(data.module);
        scope.postMessage({ type: "ready", simd: executor.simd }, []);
        break;
      case "call":
        queue.push(data);
        turn.port2.postMessage(null);
        break;
      case "cancel": {
        const index = queue.findIndex(({ id }) => id === data.id);
        if (index >= 0) queue.splice(index, 1);
        break;
      }
    }
  };

  function next(): void {
    const job = queue.shift();
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
