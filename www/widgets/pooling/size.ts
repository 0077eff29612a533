/** The size formula with today's numbers. The results are the crate's; here they are only written out. */
import { h } from "../../figure/dom";
import { count } from "../../draw/numbers";
import type { Pooled } from "./model";

export function sizeLine(example: Pooled, map: Pooled, kernel: number, ceil: boolean): Node {
  const unread = example.geometry.max.unreached;
  return h("span", {},
    "size ", ...line(example, kernel, ceil), " above, ", ...line(map, kernel, ceil), " below",
    unread ? ` · ${count(unread)} of the sixteen are read by no window` : "",
  );
}

function line({ size, geometry }: Pooled, kernel: number, ceil: boolean): (Node | string)[] {
  const { output, padding, stride } = geometry.max;
  const [open, close] = ceil ? ["⌈", "⌉"] : ["⌊", "⌋"];
  const steps = (size[0] + padding.top + padding.bottom - kernel) / stride[0];
  const late = ceil && Math.ceil(steps) + 1 > output[0] ? " (the last window would start in the padding)" : "";
  const other = size[0] === size[1] ? [] : [` × ${output[1]}`];
  return [
    open, "(", h("span", { class: "in" }, String(size[0])), ` + 2·${padding.top} − `, h("span", { class: "w" }, String(kernel)), `) / ${stride[0]}${close} + 1 = `,
    h("b", { class: "out" }, String(output[0])), ...other, late,
  ];
}
