/**
 * An engine on the page's own thread, for what is computed sooner than a worker can be asked: the way there and back waits for a
 * frame of the page. What a hand drags is drawn in the frame of its event this way. Only for what takes `NEAR_MS` at most.
 */
import type { Engine } from "../engine/api";
import { host } from "./host";

/** A drag has 16.7 ms for a frame, and drawing takes most of them. */
const NEAR_MS = 6;
/** Products that an old laptop adds up in this time, in wide registers. */
const NEAR_PRODUCTS = 8e6;
/** A single slow one may be the browser's or the machine's doing. */
const PATIENCE = 3;

let shared: Promise<Engine> | undefined;
let slow = 0;

/** All figures of a page share it; it is made when one first wants it. Rejects where a browser makes no instance on this thread. */
export function nearEngine(): Promise<Engine> {
  shared ??= host.createEngine({ thread: "here", backend: "cpu" }).catch((error) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

/** Whether so many products may be added up here. */
export const isNear = (products: number): boolean => products <= NEAR_PRODUCTS && slow < PATIENCE;

/** Tells what a computation took: a machine on which they take too long again and again leaves them to the workers. */
export function took(ms: number): void {
  slow = ms > NEAR_MS ? slow + 1 : 0;
}
