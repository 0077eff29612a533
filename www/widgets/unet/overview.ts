/** The whole network: every block a strip of its live maps, skips between them. */
import type { Tensor } from "../../engine/api";
import { paintChannel } from "../../draw/maps";
import { h } from "../../figure/dom";
import { type Block, fullTitle, type Layout, shown } from "./network";

/** Edge of a map in CSS pixels, by level: the full resolution first. True halves would be too small to read. */
const EDGE = [62, 42, 32, 26, 22];

/** Milliseconds of painting in one frame. */
const SLICE = 4;

export interface OverviewEvents {
  layer(block: Block): void;
  map(node: string, channel: number): void;
  hover(words: string): void;
}

export class Overview {
  readonly element = h("div", { class: "network" });
  private turn = 0;
  private tiles: { canvas: HTMLCanvasElement; node: string; channel: number }[] = [];

  constructor(private events: OverviewEvents) {}

  build(layout: Layout, nodes: Record<string, Tensor>): void {
    this.tiles = [];
    const rows = layout.encoder.map((encoder, level) => {
      const decoder = layout.decoder.find((block) => block.level === level);
      return h("div", { class: "level" },
        this.block(encoder, nodes),
        h("span", { class: "skip", "aria-hidden": "true" }, decoder?.nodes.some(({ op }) => op === "concat") ? "skip" : null),
        decoder ? this.block(decoder, nodes) : null,
      );
    });
    const bottom = layout.bottleneck ? [h("div", { class: "level bottom" }, this.block(layout.bottleneck, nodes))] : [];
    this.element.replaceChildren(...rows, ...bottom);
  }

  private block(block: Block, nodes: Record<string, Tensor>): HTMLElement {
    const node = shown(block);
    const tensor = nodes[node.name]!;
    const [channels = 1, height, width] = tensor.shape;
    const edge = EDGE[Math.min(block.level, EDGE.length - 1)]!;
    const tiles = Array.from({ length: channels }, (_, channel) => {
      const canvas = h("canvas", { "aria-hidden": "true" });
      this.tiles.push({ canvas, node: node.name, channel });
      const words = `${fullTitle(node.name)}, channel ${channel}`;
      return h("button", {
        type: "button", class: "tile", tabindex: channel ? -1 : 0, "aria-label": `${words}: open`, title: words,
        onclick: () => this.events.map(node.name, channel),
        onpointerenter: () => this.events.hover(words),
        onfocus: () => this.events.hover(words),
      }, canvas);
    });
    return h("section", { class: `block role-${block.role}`, style: `--edge:${edge}px;--across:${Math.max(1, Math.ceil(channels / 2))}`, "aria-label": block.title },
      h("button", { type: "button", class: "label open", onclick: () => this.events.layer(block), title: `Open ${block.title.toLowerCase()}` },
        h("b", {}, block.title), h("span", { class: "note" }, `${channels} × ${height} × ${width}`)),
      h("div", { class: "tiles", onkeydown: (event: KeyboardEvent) => rove(event, tiles, Math.ceil(channels / 2)) }, ...tiles),
    );
  }

  /** Paints all maps, some of them in each frame, so that scrolling never waits for a hundred canvases; newer maps take the place of older. */
  async paint(nodes: Record<string, Tensor>, dark: boolean): Promise<void> {
    const turn = ++this.turn;
    let start = performance.now();
    for (const { canvas, node, channel } of this.tiles) {
      const tensor = nodes[node];
      if (tensor) paintChannel(canvas, tensor, channel, dark);
      if (performance.now() - start < SLICE) continue;
      await new Promise(requestAnimationFrame);
      if (turn !== this.turn) return;
      start = performance.now();
    }
  }

  mark(node: string, channel: number): void {
    for (const tile of this.tiles) tile.canvas.parentElement!.classList.toggle("marked", tile.node === node && tile.channel === channel);
  }
}

/** One stop for the Tab key a block; arrow keys move inside it. */
function rove(event: KeyboardEvent, tiles: HTMLElement[], across: number): void {
  const step: Record<string, number | undefined> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across };
  const by = step[event.key];
  const now = tiles.indexOf(event.target as HTMLElement);
  const next = by === undefined ? undefined : tiles[now + by];
  if (by === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  if (!next) return;
  tiles[now]!.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
