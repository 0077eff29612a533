/** The convolution's question: which of the nine products decides? */
import { decimal, weight as asWeight } from "../../draw/numbers";
import { questionPanel } from "../../figure/question";
import type { Convolution } from "./convolution";

const PLACE = { picture: "titanium" as const, kernel: "sobel-x", bias: 0, stride: 1, padding: "0", dilation: 1, flip: false, at: [165, 81] };
/** Where the choices lie in a 3×3 kernel in reading order; the last choice is none of them. */
const TAPS = [4, 3, 5];

export function ask(key: string, figure: Convolution): HTMLElement {
  return questionPanel({
    key,
    prompt: "Sobel x sits on a boundary that runs from top to bottom. Which pixel contributes most to the sum?",
    choices: ["the centre", "the left middle", "the right middle", "none: they cancel"],
    prepare: () => {
      figure.markProduct(-1);
      figure.prepare(PLACE);
    },
    reveal: async () => {
      const terms = await told(figure);
      const sizes = terms.map(({ product }) => Math.abs(product!));
      const largest = sizes.indexOf(Math.max(...sizes));
      const right = TAPS.indexOf(largest);
      figure.markProduct(largest);
      const { x, w, product } = terms[largest]!;
      return {
        right: right < 0 ? TAPS.length : right,
        because: `The weight ${asWeight(w!)} meets the pixel ${decimal(x)}: ${decimal(product!, 2, true)}, the largest of the nine. The centre's weight is ${asWeight(terms[4]!.w!)}: a derivative compares the two sides and does not care for the middle.`,
      };
    },
  });
}

/** The terms of the prepared place, once the figure tells it. */
async function told(figure: Convolution) {
  for (let tries = 0; tries < 200; tries++) {
    const look = figure.told;
    if (look && look.at[0] === PLACE.at[0] && look.at[1] === PLACE.at[1] && look.explanation.terms.length === 9) return look.explanation.terms;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("The figure could not show this place; reset it and try again.");
}
