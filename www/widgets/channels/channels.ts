/** `<ks-channels>`: how one output channel is summed over all input channels, on an elemental map. */
import { colour, type Scale, scaleFor } from "../../draw/colormaps";
import { channel } from "../../draw/maps";
import { count, decimal } from "../../draw/numbers";
import type { Explanation, Tensor } from "../../engine/api";
import { select, slider } from "../../figure/controls";
import { h } from "../../figure/dom";
import { Lesson } from "../../figure/lesson";
import { Picture } from "../../figure/picture";
import { questionPanel } from "../../figure/question";
import { choice, number, numbers } from "../../figure/state";
import css from "./channels.css";
import { Weights } from "./weights";

const ELEMENTS = ["Ni", "Al", "Cr", "Ti"] as const;
/** What each output channel asks of the elements; the reader changes all of it. */
const ASKS = [
  ["precipitate", [0, 1, -1, 1]],
  ["matrix", [0, -1, 1, 0]],
  ["all of it", [1, 1, 1, 1]],
  ["Ni against Cr", [1, 0, -1, 0]],
] as const;
const KERNELS = ["gaussian-3", "gaussian-5", "identity", "sobel-x", "sobel-y", "laplacian-4"] as const;

const specs = {
  out: number(0),
  gains: numbers(ASKS.flatMap(([, gains]) => [...gains])),
  bias: number(0),
  kernel: choice(KERNELS, "gaussian-3"),
  counts: number(12),
  at: numbers([40, 52], "."),
};
type Values = { [K in keyof typeof specs]: (typeof specs)[K]["initial"] };
const [SIZE, C] = [96, ELEMENTS.length];

interface Layer {
  parameters: number;
}

export class Channels extends Lesson<Values> {
  protected readonly invitation = "Choose what each element counts for, and follow one pixel through the sum.";
  protected readonly specs = specs;
  protected override readonly css = css;
  private specimen: Tensor | undefined;
  private drawn = 0;
  private locked = false;
  private parameters = 0;
  private weight!: Tensor;
  private partial!: Tensor;
  private map!: Tensor;
  private told: Explanation | undefined;
  private readonly inputs = ELEMENTS.map((name) => this.pictureOf(name, "input"));
  private readonly partials = ELEMENTS.map((name) => this.pictureOf(`${name} adds`, "output"));
  private readonly result = this.pictureOf("Output channel", "output");
  private readonly glyphs = ELEMENTS.map(() => h("div", { class: "glyph", role: "img" }));
  private readonly sliders = ELEMENTS.map((name, c) => slider(`weight of ${name}`, { min: -2, max: 2, step: 0.1, words: (value) => decimal(value, 1, true) }, (value) => this.gain(c, value)));
  private readonly tensor = new Weights(C, ASKS.map(([name]) => name), (out) => this.change({ out }));
  private readonly sum = h("p", { class: "sumline" });
  private readonly bias = slider("bias", { min: -1, max: 1, step: 0.05, words: (value) => decimal(value, 2, true) }, (bias) => this.change({ bias }));
  private readonly counts = slider("X-rays a pixel", { min: 1, max: 60, words: String }, (counts) => this.change({ counts }));
  private readonly kernel = select("kernel", (kernel) => this.change({ kernel: kernel as Values["kernel"] }));

  private pictureOf(label: string, role: "input" | "output"): Picture {
    const picture = new Picture({ label, role, point: (at, dragging) => at && dragging && this.change({ at }) });
    picture.surface.addEventListener("keydown", (event) => this.keyed(event));
    return picture;
  }

  protected assemble(): void {
    const row = (name: string, words: string, parts: HTMLElement[]) => [h("div", { class: `name ${name}` }, words), ...parts];
    this.stage.classList.add("channels");
    this.stage.append(
      h("div", { class: "sums" },
        ...row("in", "input channels", this.inputs.map(({ element }) => element)),
        ...row("w", "one kernel for each", this.glyphs.map((glyph, c) => h("div", { class: "weighing" }, glyph, this.sliders[c]!.element))),
        ...row("out", "what each adds", this.partials.map(({ element }) => element)),
      ),
      h("div", { class: "answer" }, this.result.element, this.sum),
      this.tensor.element,
    );
    this.kernel.fill(KERNELS.map((value) => ({ value, label: value })));
    this.strip.append(h("div", { class: "sliders" }, this.bias.element, this.counts.element), this.choices(this.kernel.element));
  }

  /** The output channel under consideration. */
  private get out(): number {
    return Math.max(0, Math.min(ASKS.length - 1, Math.round(this.state.value.out)));
  }

  private gainsOf(out: number): number[] {
    return ELEMENTS.map((_, c) => this.state.value.gains[out * C + c] ?? 0);
  }

  private gain(c: number, value: number): void {
    const gains = ASKS.flatMap((_, out) => this.gainsOf(out));
    gains[this.out * C + c] = value;
    this.change({ gains });
  }

  protected controls(): void {
    const { bias, counts, kernel } = this.state.value;
    this.gainsOf(this.out).forEach((value, c) => this.sliders[c]!.set(value));
    this.bias.set(bias);
    this.counts.set(counts);
    this.kernel.set(kernel);
  }

  protected async compute(): Promise<void> {
    const { engine, out } = this;
    const { counts, bias, kernel } = this.state.value;
    if (!this.specimen || this.drawn !== counts) {
      this.specimen = (await engine.specimen("element-map", { size: SIZE, elements: C, counts, seed: 3, oxides: 2 })).image;
      this.drawn = counts;
    }
    const { data, shape } = await engine.kernel(kernel);
    const k = shape[3]!;
    // (C_out, C_in, k, k): the same small kernel for every pair, times what the pair counts for.
    const all = ASKS.flatMap((_, o) => this.gainsOf(o)).flatMap((gain) => Array.from(data, (w) => w * gain));
    this.weight = { data: Float32Array.from(all), shape: [ASKS.length, C, k, k] };
    const own = this.weight.data.subarray(out * C * k * k, (out + 1) * C * k * k);
    const options = { padding: "same", paddingMode: "reflect" } as const;
    const biases = { data: new Float32Array(ASKS.length).fill(bias), shape: [ASKS.length] };
    const [y, x] = this.at;
    const [map, partial, told, layers] = await Promise.all([
      engine.conv2d(this.specimen, this.weight, biases, options),
      engine.conv2d(this.specimen, { data: own, shape: [C, 1, k, k] }, null, { ...options, groups: C }),
      engine.explain("conv2d", [this.specimen, this.weight, biases], options, [out, y, x]),
      engine.ask<Layer[]>("layer_table", { network: "conv2d", in: C, out: ASKS.length, kernel: k }),
    ]);
    this.map = { data: map.data.subarray(out * SIZE * SIZE, (out + 1) * SIZE * SIZE), shape: [1, SIZE, SIZE] };
    this.partial = partial;
    this.told = told;
    this.parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0);
    this.show(k);
  }

  private show(k: number): void {
    const { dark, out, at, told, locked } = this;
    const name = ASKS[out]![0];
    const grey = scaleFor(this.specimen!.data, dark);
    const both = new Float32Array(this.partial.data.length + this.map.data.length);
    both.set(this.partial.data);
    both.set(this.map.data, this.partial.data.length);
    const signed = scaleFor(both, dark);
    const one = [{ top: at[0], left: at[1], bottom: at[0], right: at[1] }];
    const sums = Array.from(told!.channelSums ?? []);
    const weights = this.weight.data.subarray(out * C * k * k, (out + 1) * C * k * k);
    const most = Math.max(...this.weight.data.map(Math.abs), 1e-9);
    const scale: Scale = { map: dark ? "prgn-dark" : "prgn", min: -most, max: most };
    ELEMENTS.forEach((element, c) => {
      const value = this.specimen!.data[c * SIZE * SIZE + at[0] * SIZE + at[1]]!;
      this.inputs[c]!.draw(channel(this.specimen!, c), grey);
      this.inputs[c]!.outline("now", one);
      this.inputs[c]!.words = decimal(value);
      this.partials[c]!.draw(channel(this.partial, c), signed);
      this.partials[c]!.outline("now", one);
      this.partials[c]!.words = decimal(sums[c]!, 2, true);
      this.partials[c]!.description = `What ${element} adds; at the pixel ${decimal(sums[c]!, 2, true)}`;
      const own = weights.subarray(c * k * k, (c + 1) * k * k);
      this.glyphs[c]!.style.setProperty("--k", String(k));
      this.glyphs[c]!.replaceChildren(...Array.from(own, (w) => h("i", { style: `background:${colour(scale, w).fill}` })));
      this.glyphs[c]!.setAttribute("aria-label", `Kernel of ${element} for “${name}”: ${Array.from(own, (w) => decimal(w, 3)).join(", ")}`);
    });
    this.result.draw(channel(this.map, 0), signed);
    this.result.scale(signed);
    this.result.outline("now", one);
    this.result.words = `${out + 1} of ${ASKS.length}: ${name}`;
    this.sum.replaceChildren(
      ...sums.map((sum, c) => h("span", {}, h("small", {}, ELEMENTS[c]!), decimal(sum, 2, true))),
      h("span", {}, h("small", {}, "bias"), decimal(told!.bias ?? 0, 2, true)),
      h("b", { class: "sum done" }, `= ${decimal(told!.value, 2, true)}`),
    );
    this.tensor.show(this.weight, out, scale, locked ? null : `${ASKS.length} · (${C} · ${k}² + 1) = ${count(this.parameters)} parameters`);
    this.describe(`Output channel ${name} at row ${at[0]}, column ${at[1]}: ${sums.map((sum, c) => `${ELEMENTS[c]!} ${decimal(sum, 2, true)}`).join(", ")}, bias ${decimal(told!.bias ?? 0, 2, true)}, in all ${decimal(told!.value, 2, true)}.`);
  }

  private get at(): [number, number] {
    const inside = (value: number | undefined) => Math.max(0, Math.min(SIZE - 1, Math.floor(value ?? 0)));
    const [y, x] = this.state.value.at;
    return [inside(y), inside(x)];
  }

  private keyed(event: KeyboardEvent): void {
    const moves: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const by = moves[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const far = event.shiftKey ? 10 : 1;
    const [y, x] = this.at;
    this.change({ at: [y + by[0] * far, x + by[1] * far].map((value) => Math.max(0, Math.min(SIZE - 1, value))) });
  }

  protected override question(): HTMLElement {
    const choices = [1_280, 8_256, 73_856, 1_048_576];
    return questionPanel({
      key: this.key,
      prompt: "A layer takes 64 channels to 128, with kernels of 3 × 3 and biases. How many parameters has it?",
      choices: choices.map(count),
      prepare: () => undefined,
      locked: (locked) => {
        this.locked = locked;
        if (this.told) this.change({});
      },
      reveal: async () => {
        const layers = await this.engine.ask<Layer[]>("layer_table", { network: "conv2d", in: 64, out: 128, kernel: 3 });
        const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0);
        return {
          right: choices.indexOf(parameters),
          because: `Each of the 128 output channels has a kernel of 3 × 3 for every one of the 64 input channels, and one bias: 128 · (64 · 9 + 1) = ${count(parameters)}. The size of the picture does not occur.`,
        };
      },
    });
  }
}
