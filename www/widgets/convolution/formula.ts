/** The size formula with today's numbers. The result is the crate's; here it is only written out. */
import { count } from "../../draw/numbers";
import { h } from "../../figure/dom";
import type { Model } from "./model";

export function sizeFormula(model: Model): Node {
  const { geometry, kernel } = model.current!;
  const { output, padding, stride, dilation, rows, cols, unreached } = geometry;
  const [height, width] = model.input;
  const square = height === width && output[0] === output[1];
  const line = (size: number, pads: [number, number], axis: 0 | 1) => {
    const pad = pads[0] === pads[1] ? `2·${pads[0]}` : `${pads[0]} + ${pads[1]}`;
    const spread = dilation[axis] === 1 ? `${kernel[axis]}` : `(${dilation[axis]}·(${kernel[axis]} − 1) + 1)`;
    return [
      "⌊(", h("span", { class: "in" }, String(size)), ` + ${pad} − `, h("span", { class: "w" }, spread), `) / ${stride[axis]}⌋ + 1 = `,
      h("b", { class: "out" }, String(output[axis])),
    ];
  };
  const dropped = unreached
    ? ` · ${count(unreached)} pixels (${plural(rows.filter((used) => !used).length, "row")}, ${plural(cols.filter((used) => !used).length, "column")}) are read by no window`
    : "";
  return h("span", {},
    square ? "size " : "height ",
    ...line(height, [padding.top, padding.bottom], 0),
    ...(square ? [] : [", width ", ...line(width, [padding.left, padding.right], 1)]),
    h("span", { class: "dropped" }, dropped),
  );
}

const plural = (much: number, what: string): string => `${much} ${what}${much === 1 ? "" : "s"}`;
