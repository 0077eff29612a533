/** What an instance needs around its module, in a worker or on the page's own thread. */
export { Executor, Fatal, needs } from "./executor";
export { serve } from "./worker";
