/** The way down: network → layer → map → value, each step reversible. */
import type { Explanation, Tensor } from "../../engine/api";
import { activationScale, channel as channelOf, paintChannel } from "../../draw/maps";
import { colour } from "../../draw/colormaps";
import { decimal, short } from "../../draw/numbers";
import { h, latest } from "../../figure/dom";
import { type Cell, Grid } from "../../figure/grid";
import { Picture } from "../../figure/picture";
import { takeApart } from "./apart";
import { type Block, fullTitle, type Layout, shown, title } from "./network";
import { Overview } from "./overview";

export const VIEWS = ["network", "layer", "map", "value"] as const;

export interface Place {
  view: (typeof VIEWS)[number];
  node: string;
  channel: number;
  /** Row and column in the node's own map. */
  pos: [number, number];
}

export interface ExplorerEvents {
  go(place: Place): void;
  hover(words: string): void;
  explain(node: string, at: number[]): Promise<Explanation>;
  failed(error: unknown): void;
}

const AROUND = 7;

export class Explorer {
  readonly element = h("div", { class: "explorer" });
  layout!: Layout;
  private nodes: Record<string, Tensor> = {};
  private dark = false;
  private place: Place = { view: "network", node: "", channel: 0, pos: [0, 0] };
  private trail: Place[] = [];
  private built = false;
  private readonly crumbs = h("nav", { class: "crumbs", "aria-label": "Where you are in the network" });
  private readonly body = h("div", { class: "body" });
  private readonly overview: Overview;

  constructor(private events: ExplorerEvents) {
    this.overview = new Overview({
      layer: (block) => events.go({ view: "layer", node: shown(block).name, channel: 0, pos: [0, 0] }),
      map: (node, channel) => events.go({ view: "map", node, channel, pos: this.middle(node) }),
      hover: events.hover,
    });
    this.element.append(this.crumbs, this.body);
  }

  /** Another network: its maps come with the next `show`. */
  arrange(layout: Layout): void {
    this.layout = layout;
    this.built = false;
    this.trail = [];
  }

  /** New maps after a run. */
  async show(nodes: Record<string, Tensor>, dark: boolean): Promise<void> {
    // Features and moved axes are no pictures.
    this.nodes = Object.fromEntries(Object.entries(nodes).filter(([, { shape }]) => shape.length === 3));
    this.dark = dark;
    if (!this.built) this.overview.build(this.layout, nodes);
    this.built = true;
    await this.overview.paint(nodes, dark);
  }

  open(place: Place, moved: boolean): void {
    const known = place.view === "network" || place.node in this.nodes;
    if (moved && known && place.view !== this.place.view) this.trail.push(this.place);
    else if (moved && known && place.view === "value" && place.node !== this.place.node) this.trail.push(this.place);
    const from = VIEWS.indexOf(this.place.view);
    this.place = known ? this.inside(place) : { ...place, view: "network" };
    this.redraw();
    if (moved) this.zoom(VIEWS.indexOf(this.place.view) - from);
    if (moved) this.element.scrollTop = 0;
  }

  /** One step up the way we came, else to the network. */
  back(): void {
    const last = this.trail.pop() ?? { ...this.place, view: "network" as const };
    this.place = last;
    this.events.go(last);
    this.trail.pop();
  }

  forget(): void {
    this.trail = [];
  }

  moveBy([rows, cols]: [number, number]): void {
    const { pos } = this.place;
    this.events.go(this.inside({ ...this.place, pos: [pos[0] + rows, pos[1] + cols] }));
  }

  redraw(): void {
    this.showCrumbs();
    const { view, node, channel } = this.place;
    this.body.dataset.view = view;
    if (view === "network") {
      this.body.replaceChildren(this.overview.element);
      this.overview.mark(node, channel);
    } else if (view === "layer") this.body.replaceChildren(...this.layer());
    else if (view === "map") this.body.replaceChildren(this.map());
    else this.value(this.place);
  }

  /** In when going down, out when coming back. */
  private zoom(depth: number): void {
    if (!depth || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.body.animate([{ opacity: 0.2, transform: `scale(${depth > 0 ? 0.93 : 1.06})` }, { opacity: 1, transform: "none" }], { duration: 240, easing: "ease-out" });
  }

  private inside(place: Place): Place {
    const shape = this.nodes[place.node]?.shape;
    if (!shape) return place;
    const [channels = 1, height = 1, width = 1] = shape;
    const clamp = (value: number, size: number) => Math.max(0, Math.min(size - 1, Math.round(value)));
    return { ...place, channel: clamp(place.channel, channels), pos: [clamp(place.pos[0], height), clamp(place.pos[1], width)] };
  }

  private middle(node: string): [number, number] {
    const [, height = 1, width = 1] = this.nodes[node]?.shape ?? [];
    return [height >> 1, width >> 1];
  }

  private showCrumbs(): void {
    const { view, node, channel, pos } = this.place;
    const step = (words: string, place: Place, here: boolean) =>
      h("button", { type: "button", class: "crumb", "aria-current": here ? "true" : null, onclick: () => this.events.go(place) }, words);
    const steps = [step("network", { ...this.place, view: "network" }, view === "network")];
    if (view !== "network") steps.push(step(fullTitle(node), { ...this.place, view: "layer" }, view === "layer"));
    if (view === "map" || view === "value") steps.push(step(`channel ${channel}`, { ...this.place, view: "map" }, view === "map"));
    if (view === "value") steps.push(step(`(${pos.join(", ")})`, this.place, true));
    const up = h("button", { type: "button", class: "crumb up", onclick: () => this.back() }, "back");
    this.crumbs.replaceChildren(...steps.flatMap((crumb, i) => (i ? [h("span", { "aria-hidden": "true" }, "›"), crumb] : [crumb])), ...(view === "network" ? [] : [up]));
  }

  /** One block: its nodes as tabs, the chosen one's maps large. */
  private layer(): HTMLElement[] {
    const { node } = this.place;
    const tensor = this.nodes[node]!;
    const block = this.blockOf(node);
    const tabs = h("div", { class: "tabs", role: "group", "aria-label": "Steps of this block" }, ...(block?.nodes ?? []).filter(({ name }) => name in this.nodes).map((each) =>
      h("button", { type: "button", class: "button words", "aria-pressed": String(each.name === node), onclick: () => this.events.go({ ...this.place, view: "layer", node: each.name }) }, title(each))));
    const tiles = Array.from({ length: tensor.shape[0]! }, (_, channel) => {
      const canvas = h("canvas", { "aria-hidden": "true" });
      paintChannel(canvas, tensor, channel, this.dark);
      return h("button", { type: "button", class: "tile large", "aria-label": `${fullTitle(node)}, channel ${channel}: open`, onclick: () => this.events.go({ view: "map", node, channel, pos: this.middle(node) }) },
        canvas, h("span", {}, String(channel)));
    });
    return [tabs, h("p", { class: "muted" }, `${tensor.shape.join(" × ")} values${this.about(node)}`), h("div", { class: "largetiles" }, ...tiles)];
  }

  private about(name: string): string {
    const node = [...this.allNodes()].find((each) => each.name === name);
    if (!node) return "";
    return `, from ${node.inputs.map(fullTitle).join(" and ")}${node.count ? ` · ${node.count} parameters` : ""}`;
  }

  private *allNodes() {
    const { encoder, decoder, bottleneck, head } = this.layout;
    for (const block of [...encoder, ...(bottleneck ? [bottleneck] : []), ...decoder]) yield* block.nodes;
    yield* head;
  }

  private blockOf(node: string): Block | undefined {
    const { encoder, decoder, bottleneck, head } = this.layout;
    const found = [...encoder, ...decoder, ...(bottleneck ? [bottleneck] : [])].find(({ nodes }) => nodes.some(({ name }) => name === node));
    return found ?? (head.some(({ name }) => name === node) ? { key: "head", title: "Output", role: "output", level: 0, nodes: head } : undefined);
  }

  /** One map at full size, its numbers around the chosen place. */
  private map(): HTMLElement {
    const { node, channel } = this.place;
    const tensor = this.nodes[node]!;
    const field = channelOf(tensor, channel);
    const scale = activationScale(field.data, this.dark);
    const value = h("p", { class: "muted" });
    const grid = new Grid({ name: "around", label: "Values around this one", point: () => undefined, press: ([row, col]) => {
      const { pos } = this.place;
      this.events.go(this.inside({ ...this.place, pos: [pos[0] + row - (AROUND >> 1), pos[1] + col - (AROUND >> 1)] }));
    } });
    const picture = new Picture({ label: fullTitle(node), role: "output", point: (at, dragging) => {
      if (at && dragging) this.events.go({ ...this.place, pos: at });
      this.events.hover(at ? `(${at.join(", ")}): ${decimal(field.data[at[0] * field.width + at[1]]!, 3)}` : "");
    } });
    picture.draw(field, scale);
    picture.scale(scale);
    picture.words = `channel ${channel} of ${tensor.shape[0]}`;
    picture.description = `${fullTitle(node)}, channel ${channel}`;
    const { pos } = this.place;
    picture.outline("now", [{ top: pos[0], left: pos[1], bottom: pos[0], right: pos[1] }]);
    const cells = Array.from({ length: AROUND * AROUND }, (_, i): Cell => {
      const [row, col] = [pos[0] + Math.floor(i / AROUND) - (AROUND >> 1), pos[1] + (i % AROUND) - (AROUND >> 1)];
      if (row < 0 || col < 0 || row >= field.height || col >= field.width) return { text: "", fill: "transparent", ink: "inherit", classes: "void out", label: "outside the map" };
      const number = field.data[row * field.width + col]!;
      const { fill, ink } = colour(scale, number);
      return { text: short(number), fill, ink, classes: row === pos[0] && col === pos[1] ? "now" : "", label: `row ${row}, column ${col}: ${decimal(number, 3)}` };
    });
    grid.show(AROUND, AROUND, cells);
    value.textContent = `(${pos.join(", ")}) is ${decimal(field.data[pos[0] * field.width + pos[1]]!, 3)}`;
    return h("div", { class: "onemap" }, picture.element,
      h("div", {}, h("div", { class: "label role-output" }, h("b", {}, "its values here")), grid.element, value,
        h("button", { type: "button", class: "button words primary", onclick: () => this.events.go({ ...this.place, view: "value" }) }, "Take this value apart"),
        h("button", { type: "button", class: "button words", onclick: () => this.events.go({ ...this.place, view: "layer" }) }, "All maps of the layer")));
  }

  private readonly value = latest(
    async (place: Place) => {
      const { node, channel, pos } = place;
      const explanation = await this.events.explain(node, [channel, ...pos]);
      const heading = h("p", { class: "muted" }, `One value of ${fullTitle(node)}, channel ${channel}, at (${pos.join(", ")})${this.about(node)}:`);
      this.body.replaceChildren(heading, takeApart(explanation, (name, at) => this.descend(name, at), this.dark));
    },
    (error) => this.events.failed(error),
  );

  /** Down to one of the values that made this one; the picture itself is the end of the way. */
  private descend(node: string, at: number[]): void {
    const [channel = 0, ...pos] = at;
    if (!(node in this.nodes)) return;
    this.events.go({ view: "value", node, channel, pos: pos as [number, number] });
  }
}
