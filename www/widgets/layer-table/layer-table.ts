/** `<ks-layer-table>`: how many parameters, bytes and operations a network has, layer by layer. */
import { count } from "../../draw/numbers";
import { h, latest } from "../../figure/dom";
import { numberField, select, toggle } from "../../figure/controls";
import { Figure } from "../../figure/figure";
import { choice, flag, number, State } from "../../figure/state";
import css from "./layer-table.css";

const NETWORKS = {
  unet: "U-Net, yours",
  "unet-original": "U-Net, original (2015)",
  lenet5: "LeNet-5, common form",
  "lenet5-published": "LeNet-5, as published",
  alexnet: "AlexNet (2012)",
  resnet50: "ResNet-50 (2016)",
} as const;
type Network = keyof typeof NETWORKS;
const UPS = ["transposed", "nearest", "bilinear"] as const;

const values = {
  network: choice(Object.keys(NETWORKS) as Network[], "unet"),
  levels: number(4),
  width: number(32),
  bottleneck: flag(true),
  up: choice(UPS, "transposed"),
  skips: flag(true),
  classes: number(1),
  size: number(256),
};
type Values = { [K in keyof typeof values]: (typeof values)[K]["initial"] };

interface Layer {
  name: string;
  op: string;
  output: number[];
  parameters: number;
  bytes: number;
  flops: number;
}

export class LayerTable extends Figure {
  protected readonly invitation = "Change the network and see where its parameters are.";
  protected override readonly css = css;
  protected state!: State<Values>;
  private readonly total = h("p", { class: "totals", role: "status" });
  private readonly table = h("table", {});
  private readonly all = toggle("every layer", (on) => this.showAll(on));
  private rows: Layer[] = [];
  private fields!: ReturnType<LayerTable["makeFields"]>;

  protected build(): void {
    this.state = new State<Values>(values, this.key, (name) => this.getAttribute(name));
    this.stage.append(this.total, h("div", { class: "scroller", tabindex: 0, role: "region", "aria-label": "Layers" }, this.table));
    this.fields = this.makeFields();
  }

  private makeFields() {
    const set = (change: Partial<Values>) => this.change(change);
    const wrong = (what: string) => (typed: string) => this.fail(`The ${what} is “${typed}”, which is no number. Type a whole number; until then the last one stays in use.`);
    const fields = {
      network: select("network", (network) => set({ network: network as Network })),
      levels: numberField("levels", (levels) => set({ levels }), wrong("number of levels")),
      width: numberField("first width", (width) => set({ width }), wrong("width")),
      up: select("upsampling", (up) => set({ up: up as Values["up"] })),
      classes: numberField("outputs", (classes) => set({ classes }), wrong("number of outputs")),
      size: numberField("picture", (size) => set({ size }), wrong("size of the picture")),
      bottleneck: toggle("bottleneck", (bottleneck) => set({ bottleneck })),
      skips: toggle("skips", (skips) => set({ skips })),
    };
    fields.network.fill(Object.entries(NETWORKS).map(([value, label]) => ({ value, label })));
    fields.up.fill(UPS.map((value) => ({ value, label: value })));
    this.strip.append(h("div", { class: "choices", role: "group", "aria-label": "Design of the network" }, ...Object.values(fields).map(({ element }) => element), this.all.element, this.ending()));
    return fields;
  }

  protected async start(): Promise<void> {
    const refused = await this.state.orPlain(() => this.compute());
    if (refused) {
      this.show();
      this.fail(refused);
    }
  }

  private async compute(): Promise<void> {
    this.show();
    this.rows = await this.engine.ask<Layer[]>("layer_table", this.spec());
    this.mend();
    this.say("computed here");
    this.draw();
  }

  private spec(): object {
    const { network, levels, width, bottleneck, up, skips, classes, size } = this.state.value;
    if (network !== "unet") return { network };
    const depth = Math.min(12, Math.max(0, Math.round(levels))) + (bottleneck ? 1 : 0);
    return { network, channels: Array.from({ length: depth }, (_, i) => width * 2 ** i), up, skips, classes, input: [size, size] };
  }

  private show(): void {
    const { value } = this.state;
    const { network, levels, width, up, classes, size, bottleneck, skips } = this.fields;
    network.set(value.network);
    levels.set(value.levels);
    width.set(value.width);
    up.set(value.up);
    classes.set(value.classes);
    size.set(value.size);
    bottleneck.set(value.bottleneck);
    skips.set(value.skips);
    for (const field of [levels, width, up, classes, size, bottleneck, skips]) field.element.hidden = value.network !== "unet";
  }

  protected draw(): void {
    const sum = (read: (layer: Layer) => number) => this.rows.reduce((total, layer) => total + read(layer), 0);
    const parameters = sum((layer) => layer.parameters);
    this.total.replaceChildren(
      h("b", { class: "w" }, count(parameters)), " parameters",
      h("span", {}, ` · ${bytes(parameters * 4)} of weights · ${bytes(sum((layer) => layer.bytes))} of maps · ${flops(sum((layer) => layer.flops))} a picture`),
    );
    const most = Math.max(...this.rows.map((layer) => layer.parameters), 1);
    const head = ["layer", "operator", "output", "parameters", "share", "memory", "operations"];
    this.table.replaceChildren(
      h("thead", {}, h("tr", {}, ...head.map((words) => h("th", { scope: "col" }, words)))),
      h("tbody", {}, ...this.rows.map((layer) =>
        h("tr", { class: layer.parameters ? "" : "free" },
          h("th", { scope: "row" }, layer.name), h("td", {}, layer.op.replaceAll("_", " ")), h("td", {}, layer.output.join(" × ")),
          h("td", { class: "number" }, layer.parameters ? count(layer.parameters) : "–"),
          h("td", { class: "barcell", "aria-hidden": "true" }, h("i", { style: `width:${(100 * layer.parameters) / most}%` })),
          h("td", { class: "number" }, bytes(layer.bytes)), h("td", { class: "number" }, layer.flops ? flops(layer.flops) : "–")))),
    );
    this.describe(`${count(parameters)} parameters in ${this.rows.length} layers.`);
  }

  private showAll(on: boolean): void {
    this.all.set(on);
    this.table.classList.toggle("all", on);
  }

  private change(change: Partial<Values>): void {
    this.state.set(change);
    this.recompute(undefined);
  }

  private readonly recompute = latest(() => this.compute(), (error) => this.fail(error));

  protected addressed(): void {
    if (this.state.follow()) this.recompute(undefined);
  }

  protected reset(): void {
    this.state.reset();
    this.recompute(undefined);
  }

  protected link(): string {
    return this.state.link();
  }
}

const bytes = (value: number): string => (value >= 1e9 ? `${(value / 1e9).toFixed(1)} GB` : value >= 1e6 ? `${(value / 1e6).toFixed(1)} MB` : value >= 1e3 ? `${(value / 1e3).toFixed(0)} kB` : `${value} B`);
const flops = (value: number): string => (value >= 1e9 ? `${(value / 1e9).toFixed(2)} GFLOP` : value >= 1e6 ? `${(value / 1e6).toFixed(1)} MFLOP` : `${count(value)} FLOP`);
