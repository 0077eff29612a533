/** The ES module: the engine alone, for bundlers, notebooks and Node. */
export { createEngine } from "./engine/client";
