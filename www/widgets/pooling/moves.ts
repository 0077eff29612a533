/** The line that says what a change of the example did, in today's numbers. */
import { weight as written } from "../../draw/numbers";
import { h } from "../../figure/dom";
import { differs, type Pooled, type Way, WAYS } from "./model";

export const NAMES: Record<Way, string> = { max: "max", average: "average", convolution: "convolution" };

/** Indices of the outputs that differ from before. */
export function changed(way: Way, now: Pooled, before: Pooled | undefined): number[] {
  const [a, b] = [now.outputs[way].data, before?.outputs[way].data];
  if (!b || a.length !== b.length) return [];
  return [...a.keys()].filter((i) => differs(a[i]!, b[i]!));
}

/** "6 moved from (1, 1) to (1, 0): max unchanged, average unchanged, convolution −3 → −1." */
export function moveLine(subject: string, now: Pooled, before: Pooled): Node {
  const parts = WAYS.flatMap((way, i) => {
    const at = changed(way, now, before);
    const steps = at.slice(0, 2).map((j) => `${written(before.outputs[way].data[j]!)} → ${written(now.outputs[way].data[j]!)}`);
    const words = at.length === 0 ? "unchanged" : steps.join(", ") + (at.length > 2 ? ` and ${at.length - 2} more` : "");
    return [i ? ", " : "", `${NAMES[way]} `, h("b", { class: at.length ? "out" : "same" }, words)];
  });
  return h("span", {}, `${subject}: `, ...parts, ".");
}

export function moveSubject(values: number[], [r0, c0, r1, c1]: [number, number, number, number], side: number): string {
  return `${written(values[r1 * side + c1]!)} moved from (${r0}, ${c0}) to (${r1}, ${c1})`;
}
