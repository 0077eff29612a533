/** A source of numbers from 0 up to 1, the same at each run. */
export function dice(seed) {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}
