/** One value, taken apart: its products by input channel, or its candidates. */
import type { Explanation, Term } from "../../engine/api";
import { colour, type Scale } from "../../draw/colormaps";
import { decimal, short, weight as asWeight } from "../../draw/numbers";
import { h } from "../../figure/dom";
import { fullTitle } from "./network";

/** A term was chosen: go down to the value that it multiplies. */
export type Descend = (node: string, at: number[]) => void;

/** Channels beyond these would make a wall of numbers; the rest waits behind a button. */
const FIRST = 8;

export function takeApart(explanation: Explanation, descend: Descend, dark: boolean): HTMLElement {
  const { terms, value, bias, channelSums } = explanation;
  const sum = h("p", { class: "total" },
    bias === undefined ? null : `${terms.length} products, plus bias ${asWeight(Number(bias.toPrecision(3)))}, make `,
    bias === undefined && explanation.reduce === "sum" ? `${terms.length} ${terms.length === 1 ? "term makes" : "terms make"} ` : null,
    h("b", { class: "out" }, decimal(value, 3)));
  if (channelSums && channelSums.length > 1 && terms.length > channelSums.length) return h("div", { class: "apart" }, sum, byChannel(explanation, descend, dark));
  if (channelSums && terms.length > 1) return h("div", { class: "apart" }, sum, channelList(explanation, descend, dark));
  return h("div", { class: "apart" }, sum, plainList(explanation, descend));
}

/** A 3×3 convolution over many channels: patch · weights = products, channel by channel, the largest first. */
function byChannel({ terms, channelSums }: Explanation, descend: Descend, dark: boolean): HTMLElement {
  const each = terms.length / channelSums!.length;
  const side = Math.round(Math.sqrt(each));
  const scales = {
    x: spread(terms.map(({ x }) => x), dark),
    w: spread(terms.map(({ w }) => w ?? 0), dark),
    product: spread(terms.map(({ product }) => product ?? 0), dark),
  };
  const order = [...channelSums!.keys()].sort((a, b) => Math.abs(channelSums![b]!) - Math.abs(channelSums![a]!));
  const list = h("div", { class: "channels" });
  const show = (channels: number[]) =>
    list.append(...channels.map((channel) => {
      const own = terms.slice(channel * each, (channel + 1) * each);
      const centre = own[Math.floor(each / 2)]!;
      return h("div", { class: "channel" },
        h("button", { type: "button", class: "plain", onclick: () => descend(centre.input, centre.at), title: "Go down to the value in the middle of this window" },
          `channel ${channel}`, h("b", {}, decimal(channelSums![channel]!, 3, true))),
        h("div", { class: "trio" },
          mini(own, side, ({ x }) => x, scales.x, (term) => descend(term.input, term.at), "in"),
          h("span", { "aria-hidden": "true" }, "·"),
          mini(own, side, ({ w }) => w ?? 0, scales.w, null, "w"),
          h("span", { "aria-hidden": "true" }, "="),
          mini(own, side, ({ product }) => product ?? 0, scales.product, null, "out")));
    }));
  show(order.slice(0, FIRST));
  const rest = order.slice(FIRST);
  const more: HTMLElement | null = rest.length
    ? h("button", { type: "button", class: "button words more", onclick: () => { show(rest); more?.remove(); } }, `and ${rest.length} more channels`)
    : null;
  return h("div", {}, list, more);
}

/** A 1×1 convolution: one product a channel, as bars. */
function channelList({ terms }: Explanation, descend: Descend, dark: boolean): HTMLElement {
  const scale = spread(terms.map(({ product }) => product ?? 0), dark);
  const order = [...terms].sort((a, b) => Math.abs(b.product!) - Math.abs(a.product!));
  return h("ul", { class: "terms" }, ...order.map((term) => {
    const { fill, ink } = colour(scale, term.product!);
    return h("li", {}, h("button", { type: "button", class: "plain", disabled: term.padding ?? false, onclick: () => descend(term.input, term.at) },
      `channel ${term.at[0]}`), h("span", {}, `${decimal(term.x, 3)} · ${asWeight(Number(term.w!.toPrecision(3)))} =`),
      h("b", { style: `background:${fill};color:${ink}` }, decimal(term.product!, 3, true)));
  }));
}

/** Candidates of a maximum, or the few sources of anything else. */
function plainList({ terms, reduce, value }: Explanation, descend: Descend): HTMLElement {
  return h("div", {},
    h("p", { class: "muted" }, reduce === "max" ? "The largest of these is taken:" : "It comes from:"),
    h("ul", { class: "terms" }, ...terms.map((term) => {
      const constant = term.input === "zero" || term.padding;
      const place = constant ? (term.padding ? "padding" : "zero") : `${fullTitle(term.input)} (${term.at.join(", ")})`;
      return h("li", { class: reduce === "max" && term.x === value ? "won" : "" },
        constant ? h("span", {}, place) : h("button", { type: "button", class: "plain", onclick: () => descend(term.input, term.at) }, place),
        h("span", {}, term.w === undefined ? "" : `${decimal(term.x, 3)} · ${asWeight(Number(term.w.toPrecision(3)))} =`),
        h("b", {}, decimal(term.product ?? term.x, 3)));
    })));
}

function mini(terms: Term[], side: number, read: (term: Term) => number, scale: Scale, press: ((term: Term) => void) | null, role: string): HTMLElement {
  return h("div", { class: `mini ${role}`, style: `--cols:${side}` }, ...terms.map((term) => {
    const value = read(term);
    const { fill, ink } = colour(scale, value);
    const cell = h("span", { style: `background:${fill};color:${ink}`, class: press && !term.padding ? "down" : "", title: `${term.input} (${term.at.join(", ")}): ${decimal(value, 4)}` }, short(value));
    if (press && !term.padding) cell.addEventListener("click", () => press(term));
    return cell;
  }));
}

/** A symmetric scale; pale enough for ink on top. */
function spread(values: number[], dark: boolean): Scale {
  const reach = Math.max(...values.map(Math.abs), 1e-6) * 1.3;
  return { map: dark ? "prgn-dark" : "prgn", min: -reach, max: reach };
}
