/** `<ks-convolution>`: a window of weights slides over a picture; every product and every sum in the open. */
import type { KernelInfo, PaddingMode, Tensor } from "../../engine/api";
import { count, decimal, weight as asWeight } from "../../draw/numbers";
import { h, latest } from "../../figure/dom";
import { Figure } from "../../figure/figure";
import { isNear, nearEngine, took } from "../../figure/near";
import { choice, flag, number, numbers, State, text } from "../../figure/state";
import { ownPicture, type Source, SOURCES } from "../../figure/sources";
import { Timeline } from "../../figure/timeline";
import { Controls, MODES, SPEEDS, UNITS } from "./controls";
import { type Look, Model } from "./model";
import { ask } from "./question";
import { sizeFormula } from "./formula";
import { View } from "./view";

export const values = {
  picture: text("titanium", /^[\w-]{1,40}$/),
  kernel: text("sobel-x", /^[\w-]{1,40}$/),
  weights: numbers([]),
  bias: number(0),
  stride: number(1),
  padding: text("0", /^(-?[\d.]+|same|valid)$/),
  mode: choice(MODES, "zeros"),
  dilation: number(1),
  flip: flag(false),
  at: numbers([165, 81], "."),
  unit: choice(UNITS, "pixel"),
  speed: choice(SPEEDS, "normal"),
  whole: flag(false),
};
type Values = { [K in keyof typeof values]: (typeof values)[K]["initial"] };

/** Milliseconds a step while playing. */
const PACE = { product: 260, pixel: 110, row: 30 } as const;
const SLOWER = { slow: 3, normal: 1, fast: 0.25 } as const;

export class Convolution extends Figure {
  protected readonly invitation = "Drag the window or a weight, or press play. Point at a weight to see everywhere it is used.";
  protected state!: State<Values>;
  private view!: View;
  private controls!: Controls;
  /** What is shown: computed in the workers or near by. */
  private model!: Model;
  private far!: Model;
  /** Null while it is being made, and for good where it could not be. */
  private near: Model | null | undefined;
  private source!: Source;
  private timeline!: Timeline;
  private presets: KernelInfo[] = [];
  private kernel!: Tensor;
  private look: Look | undefined;
  /** Products shown of the present pixel; all of them unless stepping by products. */
  private revealed = Infinity;
  private own: Source | undefined;
  private readonly fact = h("span", { class: "formula" });
  private readonly hint = h("span", { class: "hint" });

  protected build(): void {
    this.state = new State<Values>(values, this.key, (name) => this.getAttribute(name));
    this.view = new View(this.stage, {
      move: (on, at) => this.press(on, at),
      inspectOutput: (at) => this.inspectOutput(at),
      inspectInput: (at) => this.inspectInput(at),
      inspectWeight: (tap) => this.inspectWeight(tap),
      weights: (weights) => {
        void this.comeNear();
        this.change({ kernel: "custom", weights });
      },
      bias: (bias) => this.change({ bias }),
      wrong: (words) => this.fail(words),
    });
    this.stage.after(h("div", { class: "facts" }, this.fact, this.hint));
    this.timeline = new Timeline({
      interval: () => PACE[this.state.value.unit] * SLOWER[this.state.value.speed],
      advance: () => this.step(1),
      changed: (playing) => this.controls.playing(playing),
    });
    this.controls = new Controls(this.strip, {
      play: () => this.playOrPause(),
      step: (by) => {
        this.timeline.pause();
        this.step(by);
      },
      scrub: (index) => {
        this.timeline.pause();
        this.moveTo(index);
      },
      change: (change) => this.change(change),
      wrong: (words) => this.fail(words),
      open: (file) => void this.open(file),
    });
    this.strip.querySelector(".time")!.append(this.ending());
    this.root.addEventListener("keydown", (event) => this.keyed(event as KeyboardEvent));
    this.light = this.light.bind(this);
  }

  private get root(): ShadowRoot {
    return this.shadowRoot!;
  }

  protected async start(): Promise<void> {
    this.model = this.far = new Model(this.engine);
    this.presets = await this.engine.kernels();
    this.controls.kernels(this.presets);
    this.controls.show(this.state.value);
    await this.showPicture();
    const refused = await this.state.orPlain(() => this.compute());
    if (refused) {
      this.controls.show(this.state.value);
      this.fail(refused);
    }
    this.addBelow(ask(this.key, this));
  }

  protected override shown(visible: boolean): void {
    if (!visible) this.timeline?.pause();
  }

  /** Colours anew, after the theme has changed. */
  protected draw(): void {
    this.observe();
    this.showKernel();
    this.view.picture(this.model);
    this.fillAndTell();
  }

  protected override micrographChosen(): void {
    if (this.state.value.picture === "yours") this.recompute(true);
  }

  protected reset(): void {
    this.timeline.pause();
    this.state.reset();
    this.revealed = Infinity;
    this.view.kernel.clear();
    this.mend();
    this.change({}, true);
  }

  protected addressed(): void {
    if (!this.state.follow()) return;
    this.timeline.pause();
    this.revealed = Infinity;
    this.view.kernel.clear();
    this.change({}, true);
  }

  protected link(): string {
    return this.state.link();
  }

  /** Lights what a symbol of the formula stands for. */
  light(role: string | null): void {
    this.stage.dataset.light = role ?? "";
  }

  /** Brings the figure into a prepared state. */
  prepare(change: Partial<Values>): void {
    this.timeline.pause();
    this.revealed = Infinity;
    this.change(change, true);
  }

  /** What is told right now; the question asks about it. */
  get told(): Look | undefined {
    return this.look;
  }

  markProduct(index: number): void {
    this.view.products.mark("answer", index < 0 ? [] : [index]);
  }

  private change(change: Partial<Values>, newPicture = change.picture !== undefined): void {
    if (change.kernel !== undefined && change.kernel !== "custom") this.view.kernel.clear();
    this.state.set(change);
    this.controls.show(this.state.value);
    this.recompute(newPicture);
  }

  private recompute(newPicture: boolean): void {
    this.newPicture ||= newPicture;
    this.renew(undefined);
  }

  /** A picture asked for while another request is under way must not be lost to a later one. */
  private newPicture = false;
  private readonly renew = latest(
    async () => {
      const { newPicture } = this;
      this.newPicture = false;
      if (newPicture) await this.showPicture();
      await this.compute();
    },
    (error) => this.fail(error),
  );

  private async showPicture(): Promise<void> {
    const { picture } = this.state.value;
    const info = SOURCES.find(({ value }) => value === picture) ?? SOURCES[0]!;
    this.source = picture === "own" && this.own ? this.own : await info.load(this.engine);
  }

  /** Has an engine at hand on this thread, before a weight is dragged. */
  private async comeNear(): Promise<void> {
    if (this.near !== undefined || !this.little) return;
    this.near = null;
    try {
      const near = new Model(await nearEngine());
      // A rehearsal: the first time of everything takes longest.
      await this.convolve(near).catch(() => undefined);
      this.near = near;
    } catch {
      // Not every browser makes an instance here: the workers compute then, as they do for all else.
    }
  }

  /** Little work is done where the reader's hand is. */
  private get little(): boolean {
    return isNear(this.source.image.data.length * this.kernel.data.length);
  }

  /** Takes a picture of the reader's; a broken file is named and changes nothing. */
  private async open(file: File): Promise<void> {
    try {
      this.own = await ownPicture(this.engine, file);
      this.controls.ownPicture(file.name);
      this.change({ picture: "own" });
    } catch (error) {
      this.controls.show(this.state.value);
      this.fail(`“${file.name}” could not be opened. ${error instanceof Error ? error.message : error}`);
    }
  }

  private async compute(): Promise<void> {
    const { kernel, weights } = this.state.value;
    const side = Math.sqrt(weights.length);
    this.kernel =
      kernel === "custom" && side > 0 && Number.isInteger(side)
        ? { data: Float32Array.from(weights), shape: [1, 1, side, side] }
        : await this.engine.kernel(kernel === "custom" ? "sobel-x" : kernel);
    const model = this.near && this.little ? this.near : this.far;
    await this.convolve(model);
    this.model = model;
    if (model === this.near) took(model.engine.stats().last?.ms ?? 0);
    this.observe();
    this.mend();
    this.showKernel();
    this.view.picture(this.model);
    const formula = sizeFormula(this.model);
    if (formula.textContent !== this.fact.textContent) this.fact.replaceChildren(formula);
    this.sayComputed(model.engine);
    this.place(this.index);
  }

  private async convolve(model: Model): Promise<void> {
    const { bias, stride, padding, dilation, mode, flip } = this.state.value;
    const given = Number(padding);
    await model.show(this.source);
    await model.convolve(this.kernel, bias, flip, {
      stride,
      padding: Number.isNaN(given) ? (padding as "same" | "valid") : given,
      dilation,
      paddingMode: mode as PaddingMode,
    });
  }

  /** Asks the browser about the page before anything is changed: asked in between, it would lay the page out anew for each answer. */
  private observe(): void {
    this.view.dark = this.dark;
    this.view.narrow = this.stage.clientWidth < 640;
  }

  private showKernel(): void {
    const { kernel, bias, flip } = this.state.value;
    const size = this.kernel.shape.slice(2) as [number, number];
    const name = this.presets.find((preset) => preset.name === kernel)?.label ?? "your own";
    this.view.kernel.show(Array.from(this.kernel.data), size, bias, `${name}${flip ? " · turned by 180°" : " · editable"}`, this.view.dark);
  }

  /** Linear index of the present output pixel, inside the present feature map. */
  private get index(): number {
    const [height, width] = this.model.current!.geometry.output;
    const [m = 0, n = 0] = this.state.value.at;
    return Math.min(height - 1, Math.max(0, Math.round(m))) * width + Math.min(width - 1, Math.max(0, Math.round(n)));
  }

  private moveTo(index: number, shown = Infinity): void {
    this.observe();
    this.place(index, shown);
  }

  private place(index: number, shown = Infinity): void {
    const [height, width] = this.model.current!.geometry.output;
    const inside = Math.max(0, Math.min(height * width - 1, index));
    this.revealed = shown;
    this.state.set({ at: [Math.floor(inside / width), inside % width] });
    this.controls.position(inside, [height, width]);
    this.fillAndTell();
  }

  private fillAndTell(): void {
    const at = this.position;
    this.view.fill(this.model, at, this.state.value.whole);
    this.tell(at);
  }

  private get position(): [number, number] {
    const [, width] = this.model.current!.geometry.output;
    return [Math.floor(this.index / width), this.index % width];
  }

  private readonly tell = latest(
    async (at: [number, number]) => {
      const { model } = this;
      this.look = await model.look(at, this.side);
      this.view.tell(model, this.look, Math.min(this.revealed, this.look.explanation.terms.length), this.state.value.whole);
      this.describeLook(this.look);
    },
    (error) => this.fail(error),
  );

  /** Cells a side of the window's surroundings: as many as stay legible, and all of the window where it can be. */
  private get side(): number {
    const { span } = this.model.current!.geometry;
    const { narrow } = this.view;
    const wanted = Math.max(...span) + 2;
    return Math.min(narrow ? 9 : 13, Math.max(narrow ? 7 : 9, wanted | 1));
  }

  private describeLook({ at, explanation, rect }: Look): void {
    const parts = explanation.terms.map(({ x, w }) => `${decimal(x)} times ${asWeight(w!)}`);
    this.describe(
      `Output pixel row ${at[0]}, column ${at[1]}: the window covers rows ${rect.top} to ${rect.bottom} and columns ${rect.left} to ${rect.right}. ` +
        `${parts.length > 9 ? `${parts.length} products` : parts.join(", ")}, plus bias ${asWeight(explanation.bias ?? 0)}, is ${decimal(explanation.value)}.`,
    );
    this.view.input.description = `Input picture: ${this.model.about}`;
    this.view.output.description = `Feature map, ${this.model.current!.geometry.output.join(" by ")} values`;
  }

  private playOrPause(): void {
    const [height, width] = this.model.current?.geometry.output ?? [0, 0];
    if (!this.timeline.playing && this.index >= height * width - 1) this.moveTo(0);
    if (this.state.value.whole) this.state.set({ whole: false });
    this.controls.show(this.state.value);
    this.timeline.toggle();
  }

  /** One step of the present unit, forwards or back; false at the end. */
  private step(by: 1 | -1): boolean {
    if (!this.model.current) return false;
    const [height, width] = this.model.current.geometry.output;
    const products = this.kernel.data.length;
    const last = height * width - 1;
    const { index } = this;
    switch (this.state.value.unit) {
      case "product": {
        const now = Math.min(this.revealed, products);
        const next = now + by;
        if (next > products) {
          if (index >= last) return false;
          this.moveTo(index + 1, 1);
        } else if (next < 1) this.moveTo(Math.max(0, index - 1), index > 0 ? products : 1);
        else this.moveTo(index, next === products ? Infinity : next);
        return true;
      }
      case "pixel":
        this.moveTo(index + by);
        return index + by <= last && index + by >= 0;
      case "row":
        this.moveTo(index + by * width);
        return index + width <= last;
    }
  }

  private async press(on: "input" | "output", pixel: [number, number]): Promise<void> {
    this.timeline.pause();
    if (!this.model.current) return;
    const { geometry } = this.model.current;
    if (on === "output") return this.moveTo(pixel[0] * geometry.output[1] + pixel[1]);
    const reached = await this.model.reachOf(pixel).catch(() => []);
    // The window whose middle lies nearest to the pressed pixel.
    const middle = reached[Math.floor(reached.length / 2)];
    if (middle) this.moveTo(middle.at[0] * geometry.output[1] + middle.at[1]);
  }

  private readonly inspectOutput = latest(
    async (at: [number, number] | null) => {
      if (!this.model?.current) return;
      this.view.lightWindow(at ? [await this.model.windowOf(at)] : []);
      this.hint.textContent = at ? `output (${at.join(", ")}) was made from this window` : "";
    },
    () => undefined,
  );

  private readonly inspectInput = latest(
    async (at: [number, number] | null) => {
      if (!this.model?.current) return;
      const reached = at ? await this.model.reachOf(at) : [];
      this.view.lightOutputs(reached.map((one) => one.at));
      const much = new Set(reached.map((one) => one.at.join())).size;
      this.hint.textContent = at ? `input (${at.join(", ")}) is read by ${much === 0 ? "no window" : much === 1 ? "one window" : `${much} windows`}` : "";
    },
    () => undefined,
  );

  private readonly inspectWeight = latest(
    async (tap: [number, number] | null) => {
      if (!this.model?.current) return;
      if (tap) void this.comeNear();
      const uses = tap && (await this.model.usesOf(tap));
      const index = tap ? tap[0] * this.model.current.kernel[1] + tap[1] : -1;
      this.view.lightUses(uses, index);
      this.hint.textContent = uses ? `one weight, used ${count(uses.count[0] * uses.count[1])} times: once for each output pixel` : "";
    },
    () => undefined,
  );

  private keyed(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const typing = target.matches("input, select, textarea");
    const keys: Record<string, (() => void) | undefined> = {
      ArrowRight: () => this.moveBy(0, 1),
      ArrowLeft: () => this.moveBy(0, -1),
      ArrowDown: () => this.moveBy(1, 0),
      ArrowUp: () => this.moveBy(-1, 0),
      Home: () => this.moveTo(0),
      End: () => this.moveTo(Infinity),
      " ": () => this.playOrPause(),
    };
    const act = keys[event.key];
    const paging = event.key in keys || event.key === "PageUp" || event.key === "PageDown";
    // In a slide these keys would turn the page.
    if (paging) event.stopPropagation();
    if (act === undefined || typing || !this.model?.current || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && target.matches("button")) return;
    event.preventDefault();
    if (event.key !== " ") this.timeline.pause();
    act();
  }

  private moveBy(rows: number, cols: number): void {
    const [height, width] = this.model.current!.geometry.output;
    const [m, n] = this.position;
    this.moveTo(Math.max(0, Math.min(height - 1, m + rows)) * width + Math.max(0, Math.min(width - 1, n + cols)));
  }
}
