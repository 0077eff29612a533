/** The program of the graphics card's worker; on the page's own thread it serves a port instead. */
import { CardExecutor } from "./card-executor";
import { Fatal } from "./executor";
import { Inbox } from "./inbox";
import type { Scope } from "./protocol";

const LOSS_MS = 100;

export function serve(scope: Scope): void {
  let busy = false;
  const inbox = new Inbox(scope, (module) => new CardExecutor(module), () => void work());

  // One call after the other: while one waits for the card, cancellations are heard.
  async function work(): Promise<void> {
    if (busy) return;
    busy = true;
    const { executor, waiting } = inbox;
    for (let job = waiting.shift(); job && executor; job = waiting.shift()) {
      try {
        const { value, transfer, ms } = await executor.perform(job.call);
        scope.postMessage({ type: "done", id: job.id, value, ms, memory: executor.memory, card: executor.stats() }, transfer);
      } catch (error) {
        // Firefox tells of a loss a moment after what fails of it.
        await new Promise((later) => setTimeout(later, LOSS_MS));
        const message = error instanceof Error ? error.message : String(error);
        scope.postMessage({ type: "failed", id: job.id, message, fatal: error instanceof Fatal, lost: Boolean(executor.stats()?.lost) }, []);
      }
    }
    busy = false;
  }
}
