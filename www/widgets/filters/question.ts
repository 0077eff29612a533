/** The figure's question: why is Sobel x silent on a boundary that runs from left to right? */
import { decimal } from "../../draw/numbers";
import { questionPanel } from "../../figure/question";
import type { Filters } from "./filters";

/** On the lecture's boundary from left to right, away from the other. */
const PLACE = { picture: "two-grains" as const, noise: 0, smooth: false, at: [25, 48] };

export function ask(key: string, figure: Filters): HTMLElement {
  return questionPanel({
    key,
    prompt: "Why does Sobel x miss the boundary that runs from left to right?",
    choices: [
      "the contrast across it is too weak",
      "left and right of the window are alike there",
      "its middle column is zero",
      "the noise hides it",
    ],
    prepare: () => figure.prepare(PLACE),
    locked: (locked) => figure.lock(locked),
    reveal: async () => {
      const { x, y } = await figure.toldAt(PLACE.at as [number, number]);
      const part = (sign: 1 | -1) => x.terms.filter(({ w }) => Math.sign(w!) === sign).reduce((sum, { product }) => sum + product!, 0);
      return {
        right: 1,
        because: `In every row the window finds the same grey left and right: what the right column adds, ${decimal(part(1), 2, true)}, the left one takes away, ${decimal(part(-1), 2, true)}, and Sobel x says ${decimal(x.value, 2, true)}. Sobel y compares below with above, finds two grains, and says ${decimal(y.value, 2, true)}.`,
      };
    },
  });
}
