/** The pooling's question: which results notice a move inside the window? */
import { weight as written } from "../../draw/numbers";
import { questionPanel } from "../../figure/question";
import type { Pooling } from "./pooling";
import { EXAMPLE, SIDE } from "./settings";
import type { Way } from "./model";

const PLACE = { values: EXAMPLE, moved: [], kernel: 2, stride: "", padding: 0, ceil: false, rule: "difference" as const, weights: [], at: [0, 0] };
const [FROM, TO] = [1 * SIDE + 1, 1 * SIDE + 0];

const CHOICES: { words: string; ways: Way[] }[] = [
  { words: "none of the three", ways: [] },
  { words: "only the average", ways: ["average"] },
  { words: "only the convolution", ways: ["convolution"] },
  { words: "average and convolution", ways: ["average", "convolution"] },
  { words: "all three", ways: ["max", "average", "convolution"] },
];

export function ask(key: string, figure: Pooling): HTMLElement {
  return questionPanel({
    key,
    prompt: "The 6 changes places with the 5 at its left, and stays inside its window. Which of the three results change?",
    choices: CHOICES.map(({ words }) => words),
    prepare: () => void figure.prepare(PLACE),
    reveal: async () => {
      await figure.prepare(PLACE);
      const touched = await figure.demonstrate(FROM, TO);
      const { now, before } = figure.shows;
      const told = (way: Way) => [before!, now].map(({ outputs }) => written(outputs[way].data[0]!)) as [string, string];
      const [[max], [average], [old, fresh]] = [told("max"), told("average"), told("convolution")];
      return {
        right: CHOICES.findIndex(({ ways }) => ways.join() === touched.join()),
        because: `The largest is still ${max} and the mean still ${average}: neither asks where in the window a value lies. The convolution goes from ${old} to ${fresh}, since its weights tell left from right. Now carry the 6 down, out of its window.`,
      };
    },
  });
}
