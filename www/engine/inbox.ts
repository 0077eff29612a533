/** Where an instance hears what it is asked: calls wait for their turn, and one that is cancelled before it leaves. */
import type { Executor } from "./executor";
import type { Call, Scope } from "./protocol";

export class Inbox<E extends Executor> {
  /** The instance, once it has been started. */
  executor: E | undefined;
  readonly waiting: { id: number; call: Call }[] = [];

  /** `called` is told of each call. */
  constructor(scope: Scope, make: (module: WebAssembly.Module) => E, called: () => void) {
    scope.onmessage = ({ data }) => {
      switch (data.type) {
        case "start":
          this.executor = make(data.module);
          scope.postMessage({ type: "ready", simd: this.executor.simd }, []);
          break;
        case "call":
          this.waiting.push(data);
          called();
          break;
        case "cancel": {
          const index = this.waiting.findIndex(({ id }) => id === data.id);
          if (index >= 0) this.waiting.splice(index, 1);
          break;
        }
      }
    };
  }
}
