/** `<ks-translation>`: a precipitate moves; what a dense unit says of it, and what a convolution says. */
import { scaleFor } from "../../draw/colormaps";
import { count, decimal } from "../../draw/numbers";
import type { Tensor } from "../../engine/api";
import { slider } from "../../figure/controls";
import { h } from "../../figure/dom";
import { Lesson } from "../../figure/lesson";
import { Picture } from "../../figure/picture";
import { questionPanel } from "../../figure/question";
import { numbers } from "../../figure/state";
import css from "./translation.css";

const specs = { shift: numbers([0, 0], ".") };
type Values = { [K in keyof typeof specs]: (typeof specs)[K]["initial"] };
type Pair = [number, number];

/** One precipitate near the middle of 64² pixels. */
const SPECIMEN = ["precipitate", { size: 64, radius: 26, noise: 0, rim: 0.6 }] as const;
const SIZE = 64;
/** The window of the filter: large enough for the precipitate and its rim. */
const WINDOW = 25;
/** Greys that differ by less than this are the same to the eye. */
const VISIBLE = 0.01;
const ASKED: Pair = [0, 12];

/** What is learned from the specimen where it first lies. */
interface Home {
  image: Tensor;
  /** (1, SIZE²) */
  dense: Tensor;
  /** (1, 1, WINDOW, WINDOW) */
  kernel: Tensor;
  /** Where the convolution's map peaks. */
  peak: Pair;
}

export class Translation extends Lesson<Values> {
  protected readonly invitation = "Drag the precipitate, or move it with the arrow keys.";
  protected readonly specs = specs;
  protected override readonly css = css;
  private home: Home | undefined;
  private locked = false;
  private told: { dense: number; peak: Pair; most: number } | undefined;
  private readonly input = new Picture({ label: "Picture", role: "input", point: (at, dragging) => at && dragging && this.take(at) });
  private readonly weights = new Picture({ label: "Weights of one dense unit", role: "weight", point: () => undefined });
  private readonly kernel = new Picture({ label: "Kernel", role: "weight", point: () => undefined });
  private readonly map = new Picture({ label: "Its feature map", role: "output", point: () => undefined });
  private readonly facts = { changed: h("output"), dense: h("output"), most: h("output"), peak: h("output") };
  private readonly gauge = h("i");
  private readonly sliders = {
    down: slider("down", { min: -20, max: 20, words: signed }, (down) => this.change({ shift: [down, this.shift[1]] })),
    right: slider("right", { min: -20, max: 20, words: signed }, (right) => this.change({ shift: [this.shift[0], right] })),
  };

  protected assemble(): void {
    const fact = (role: string, words: string, output: HTMLElement, more: string) => h("div", { class: `fact ${role}` }, h("span", {}, words), output, h("small", {}, more));
    this.stage.classList.add("translation");
    this.stage.append(
      h("div", { class: "column seen" }, this.input.element, fact("in", "entries of the input that changed", this.facts.changed, `by more than ${VISIBLE}, of ${count(SIZE * SIZE)}`)),
      h("div", { class: "column unit" }, this.weights.element, h("div", { class: "gauge", "aria-hidden": "true" }, this.gauge), fact("w", "answer of the dense unit", this.facts.dense, "1 is what it said at home")),
      h("div", { class: "column conv" }, h("div", { class: "pair" }, this.kernel.element, this.map.element), fact("out", "largest value of the map", this.facts.most, "1 is what it was at home"), fact("out", "its place has moved by", this.facts.peak, "rows down, columns right")),
    );
    this.strip.append(h("div", { class: "sliders" }, this.sliders.down.element, this.sliders.right.element), this.choices(h("button", { type: "button", class: "button words", onclick: () => this.change({ shift: [0, 0] }) }, "Back home")));
    this.stage.addEventListener("keydown", (event) => this.keyed(event));
  }

  protected controls(): void {
    this.sliders.down.set(this.shift[0]);
    this.sliders.right.set(this.shift[1]);
  }

  private get shift(): Pair {
    const [down = 0, right = 0] = this.state.value.shift.map(Math.round);
    return [down, right];
  }

  protected async compute(): Promise<void> {
    const { engine } = this;
    const home = (this.home ??= await this.learn());
    const [down, right] = this.shift;
    const image = await engine.askTensor("roll", home.image, down, right);
    const flat: Tensor = { data: image.data, shape: [SIZE * SIZE] };
    const [changed, answer, map] = await Promise.all([
      engine.ask<number>("differing", home.image, image, VISIBLE),
      engine.linear(flat, home.dense, null),
      this.filter(image, home.kernel),
    ]);
    const peak = await this.peakOf(map);
    const most = map.data[peak[0] * SIZE + peak[1]]!;
    this.told = { dense: answer.data[0]!, peak: [peak[0] - home.peak[0], peak[1] - home.peak[1]], most };
    this.show(image, map, changed, peak);
  }

  /** The dense unit and the filter both learn this one picture by heart: each answers 1 to it. */
  private async learn(): Promise<Home> {
    const { engine } = this;
    const { image } = await engine.specimen(...SPECIMEN);
    const whole = await engine.askTensor("matched_kernel", image, [0, 0], [SIZE, SIZE]);
    // A first look with a kernel from the middle finds the precipitate itself; the kernel is then centred on it.
    const corner = (SIZE - WINDOW) / 2;
    const rough = await engine.askTensor("matched_kernel", image, [Math.floor(corner), Math.floor(corner)], [WINDOW, WINDOW]);
    const peak = await this.peakOf(await this.filter(image, rough));
    return { image, kernel: rough, dense: { data: whole.data, shape: [1, SIZE * SIZE] }, peak };
  }

  private filter(image: Tensor, kernel: Tensor): Promise<Tensor> {
    return this.engine.conv2d(image, kernel, null, { padding: (WINDOW - 1) / 2, paddingMode: "circular" });
  }

  private async peakOf(map: Tensor): Promise<Pair> {
    const best = await this.engine.argmax({ data: map.data, shape: [SIZE * SIZE] }, { dim: 0 });
    const at = best.data[0]!;
    return [Math.floor(at / SIZE), at % SIZE];
  }

  private show(image: Tensor, map: Tensor, changed: number, peak: Pair): void {
    const { home, told, dark, locked } = this;
    const plane = (tensor: Tensor, side: number) => ({ data: tensor.data, height: side, width: side });
    const grey = scaleFor(home!.image.data, dark);
    this.input.draw(plane(image, SIZE), grey);
    this.weights.draw(plane(home!.dense, SIZE), scaleFor(home!.dense.data, dark));
    this.kernel.draw(plane(home!.kernel, WINDOW), scaleFor(home!.kernel.data, dark));
    this.map.draw(plane(map, SIZE), { map: dark ? "prgn-dark" : "prgn", min: -1, max: 1 });
    this.map.element.classList.toggle("locked", locked);
    const half = (WINDOW - 1) / 2;
    this.map.outline("now", locked ? [] : [{ top: peak[0], left: peak[1], bottom: peak[0], right: peak[1] }]);
    this.weights.outline("lit", [{ top: home!.peak[0] - half, left: home!.peak[1] - half, bottom: home!.peak[0] + half, right: home!.peak[1] + half }]);
    this.input.outline("now", []);
    this.facts.changed.textContent = count(changed);
    this.facts.dense.textContent = decimal(told!.dense);
    this.facts.most.textContent = locked ? "?" : decimal(told!.most);
    this.facts.peak.textContent = locked ? "?" : told!.peak.map(signed).join(", ");
    this.gauge.style.width = `${Math.max(0, Math.min(100, 100 * told!.dense))}%`;
    this.input.description = `A dark precipitate, moved ${words(this.shift)}`;
    this.map.description = locked ? "The map is shown when the question is answered" : `The map of the filter, largest ${decimal(told!.most)} at row ${peak[0]}, column ${peak[1]}`;
    const [down, right] = this.shift;
    this.describe(`The precipitate has moved by ${signed(down)}, ${signed(right)}. ${count(changed)} of ${count(SIZE * SIZE)} inputs changed; the dense unit says ${decimal(told!.dense)}${locked ? "" : `, the map's largest value is ${decimal(told!.most)} and has moved by ${told!.peak.map(signed).join(", ")}`}.`);
  }

  /** The precipitate's middle comes to this pixel. */
  private take([row, col]: Pair): void {
    if (!this.home) return;
    const { peak } = this.home;
    this.change({ shift: [row - peak[0], col - peak[1]] });
  }

  private keyed(event: KeyboardEvent): void {
    const moves: Record<string, Pair> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const by = moves[event.key];
    if (!by || event.target !== this.input.surface) return;
    event.preventDefault();
    event.stopPropagation();
    const far = event.shiftKey ? 10 : 1;
    this.change({ shift: this.shift.map((value, i) => value + by[i]! * far) });
  }

  protected override question(): HTMLElement {
    return questionPanel({
      key: this.key,
      prompt: "The precipitate moves twelve pixels to the right. What does the peak of the convolution’s map do?",
      choices: ["it stays where it was", "it moves twelve pixels to the right", "it moves twelve pixels to the left", "it fades"],
      prepare: () => this.change({ shift: ASKED }),
      locked: (locked) => {
        this.locked = locked;
        if (this.told) this.change({});
      },
      reveal: async () => {
        await this.settled();
        const { dense, peak, most } = this.told!;
        const right = peak[0] !== 0 ? 3 : peak[1] === ASKED[1] ? 1 : peak[1] === -ASKED[1] ? 2 : peak[1] === 0 ? 0 : 3;
        return {
          right,
          because: `The peak has moved by ${peak.map(signed).join(", ")}, exactly as the precipitate did, and is as high as before: ${decimal(most)}. The same weights met the same pixels, twelve columns further on. The dense unit still looks where it learned to look: it said 1.00 and now says ${decimal(dense)}.`,
        };
      },
    });
  }
}

const signed = (value: number): string => (value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "0");
const words = ([down, right]: Pair): string => `${Math.abs(down)} ${down < 0 ? "up" : "down"} and ${Math.abs(right)} ${right < 0 ? "left" : "right"}`;
