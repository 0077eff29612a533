/** The answer over the picture: mask or probability in crimson, the pixel asked about, what it can see. */
import type { Rectangle, Tensor } from "../../engine/api";
import { activationScale } from "../../draw/maps";
import { scaleFor } from "../../draw/colormaps";
import { decimal } from "../../draw/numbers";
import { paint } from "../../draw/heatmap";
import { Picture } from "../../figure/picture";

export const MODES = ["mask", "probability", "truth", "picture"] as const;
type Mode = (typeof MODES)[number];

export interface MaskEvents {
  choose(at: [number, number]): void;
  hover(words: string): void;
}

export class MaskPicture {
  readonly element: HTMLElement;
  private readonly picture: Picture;
  private probability: Tensor | undefined;

  constructor(events: MaskEvents) {
    this.picture = new Picture({
      label: "Mask",
      role: "output",
      point: (at, dragging) => {
        if (at && dragging) events.choose(at);
        const value = at && this.probability?.data[at[0] * this.probability.shape[2]! + at[1]];
        events.hover(at && value !== undefined && value !== null ? `p(boundary) at (${at.join(", ")}): ${decimal(value)}` : "");
      },
    });
    this.element = this.picture.element;
  }

  draw(image: Tensor, probability: Tensor, mode: Mode, truth: Tensor | undefined): void {
    const [, height, width] = image.shape as [number, number, number];
    this.probability = probability;
    this.picture.draw({ data: image.data, height, width }, scaleFor(image.data, false));
    const words = { mask: "boundary where p > 0.5", probability: "p(boundary)", truth: truth ? "the truth, drawn by people or known by construction" : "nobody knows the truth here", picture: "the input" };
    this.picture.words = words[mode];
    this.picture.description = `The network's input with ${words[mode]} in crimson`;
    const over = mode === "truth" ? truth?.data : mode === "picture" ? undefined : probability.data;
    const solid = (value: number) => (value > 0.5 ? 0.92 : 0);
    this.picture.tint(over ? { data: mode === "probability" ? over : over.map(solid), height, width } : null);
  }

  set at([row, col]: [number, number]) {
    this.picture.outline("now", [{ top: row, left: col, bottom: row, right: col }]);
  }

  set field(rect: Rectangle) {
    this.picture.outline("field", [rect]);
  }

  /** Where the pixel really looked: the size of the gradient, the more opaque the larger. */
  set gradient(gradient: Tensor | null) {
    if (!gradient) return;
    const [, height, width] = gradient.shape as [number, number, number];
    const size = gradient.data.map(Math.abs);
    const scale = activationScale(size, false);
    paint(this.picture.layer, { data: size, height, width }, scale);
    const context = this.picture.layer.getContext("2d")!;
    const pixels = context.getImageData(0, 0, width, height);
    size.forEach((value, i) => (pixels.data[4 * i + 3] = 255 * Math.min(1, Math.sqrt(value / (scale.max || 1)))));
    context.putImageData(pixels, 0, 0);
    this.picture.words = "how much each pixel moves the logit";
  }
}
