/** The figure's question: how deep must a plain stack be to see ten nanometres? */
import { questionPanel } from "../../figure/question";
import type { ReceptiveField } from "./receptive-field";
import { distance } from "./units";

const ASKED = { pixel: 0.1, target: 10, view: "box" as const, layer: -1 };
const LAYERS = [5, 10, 50, 100];

export function ask(key: string, figure: ReceptiveField): HTMLElement {
  return questionPanel({
    key,
    prompt: "A triple junction needs about 10 nm of context, and a pixel of your image is 0.1 nm wide. How many 3 × 3 convolutions with a stride of 1 must lie on one another?",
    choices: LAYERS.map(String),
    prepare: () => figure.prepare({ ...ASKED, stack: "c3" }),
    reveal: async () => {
      // Each guess is tried in the figure's own engine; the shallowest that spans it is right.
      const tried = await Promise.all(LAYERS.map((layers) => figure.fieldOf(`c3x${layers}`)));
      const right = tried.findIndex((size) => size * ASKED.pixel >= ASKED.target);
      const depth = LAYERS[right]!;
      const before = tried[right - 1]!;
      figure.prepare({ ...ASKED, stack: `c3x${depth}` });
      const pooled = "c3-m2-c3-m2-c3-m2-c3-m2-c3-m2";
      const deeper = await figure.fieldOf(`${pooled}-c3`);
      return {
        right,
        because: `${depth} layers see ${tried[right]} pixels, ${distance(tried[right]! * ASKED.pixel)}; ${LAYERS[right - 1]} see only ${before}. A pool after each convolution makes every later layer count twice as much: five conv–pool blocks and one more convolution, six convolutions in all, see ${deeper} pixels.`,
      };
    },
  });
}
