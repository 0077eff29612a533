/** `<ks-kernel-lab>`: what kernels answer to: a picture, every direction, every frequency; and a contest between kernels. */
import { scaleFor } from "../../draw/colormaps";
import { decimal, weight as asWeight } from "../../draw/numbers";
import type { KernelInfo, Tensor } from "../../engine/api";
import { select, slider, tabs } from "../../figure/controls";
import { h, latest } from "../../figure/dom";
import { Lesson } from "../../figure/lesson";
import { Picture } from "../../figure/picture";
import { questionPanel } from "../../figure/question";
import { type Source, SOURCES } from "../../figure/sources";
import { choice, number, numbers, text } from "../../figure/state";
import { KernelEditor } from "../convolution/kernel-editor";
import { Contest, type Score, type Task } from "./contest";
import css from "./kernel-lab.css";
import { Learned } from "./learned";
import { Pins } from "./pins";
import { Polar } from "./polar";

const PICTURES = ["titanium", "grains", "two-grains", "yours"] as const;
const SIZES = [3, 5, 7];
const DIRECTIONS = 72;
const FREQUENCIES = 33;

const specs = {
  mode: choice(["lab", "challenge", "race"] as const, "lab"),
  kernel: text("sobel-x", /^[\w-]{1,30}$/),
  /** The weights where they are the reader's own. */
  weights: numbers([]),
  picture: choice(PICTURES, "titanium"),
  stimulus: choice(["edge", "line"] as const, "edge"),
  pins: text("", /^[\w,-]{0,120}$/),
  task: text("columns", /^[a-z]{1,20}$/),
  shown: number(0),
  threshold: number(0.5),
};
type Values = { [K in keyof typeof specs]: (typeof specs)[K]["initial"] };

export class KernelLab extends Lesson<Values> {
  protected readonly invitation = "Choose a kernel, write one or drag its weights, and see what it answers to.";
  protected readonly specs = specs;
  protected override readonly css = css;
  private infos: KernelInfo[] = [];
  private tasks: Task[] = [];
  private learned!: Learned;
  private source: Source | undefined;
  private from = "";
  private now: Tensor | undefined;
  private answer: Tensor | undefined;
  private locked = false;
  /** The threshold as a value of the map. */
  private cut = 0;
  private readonly input = new Picture({ label: "Picture", role: "input", point: () => undefined });
  private readonly output = new Picture({ label: "Feature map", role: "output", point: () => undefined });
  private readonly truth = new Picture({ label: "To be found", role: "input", point: () => undefined });
  private readonly found = new Picture({ label: "Found", role: "output", point: () => undefined });
  private readonly frequency = new Picture({ label: "Response by frequency", role: "output", point: () => undefined });
  private readonly polar = new Polar();
  private readonly offset = h("p", { class: "offset" });
  private readonly plots = h("div", { class: "plots" }, this.polar.element, h("div", { class: "plot" }, this.frequency.element), h("div", { class: "plot flat" }, h("div", { class: "label role-weight" }, h("b", {}, "Sum of the weights")), this.offset));
  private readonly editor = new KernelEditor({
    weights: (weights) => this.change({ kernel: "own", weights }),
    bias: () => undefined,
    wrong: (words) => this.fail(words),
    inspectWeight: () => undefined,
  });
  private readonly pins = new Pins((name) => this.change({ pins: this.pinned.filter((pin) => pin !== name).join(",") }), (name) => this.change({ kernel: name, weights: [] }));
  private readonly contest = new Contest(() => this.score(undefined));
  private readonly mode = tabs("what to do", [["lab", "laboratory"], ["challenge", "challenge"], ["race", "race the network"]] as const, (mode) => this.change({ mode }));
  private readonly kernels = select("kernel", (kernel) => this.change({ kernel, weights: [] }));
  private readonly size = select("size", (size) => this.resize(Number(size)));
  private readonly pictures = select("picture", (picture) => this.change({ picture: picture as Values["picture"] }));
  private readonly stimulus = select("shown to it", (stimulus) => this.change({ stimulus: stimulus as Values["stimulus"] }));
  private readonly task = select("to be found", (task) => this.change({ task }));
  private readonly threshold = slider("threshold, of the strongest answer", { min: 0, max: 1, step: 0.01, words: (value) => decimal(value) }, (threshold) => this.change({ threshold }));
  private readonly flip = h("button", { type: "button", class: "button words", onclick: () => this.turn() }, "Flip the sign");
  private readonly pin = h("button", { type: "button", class: "button words", onclick: () => this.pinUp() }, "Keep beside");
  private readonly another = h("button", { type: "button", class: "button words", onclick: () => this.change({ shown: (this.state.value.shown + 1) % 4 }) }, "Another specimen");

  protected assemble(): void {
    this.stage.classList.add("lab");
    this.stage.append(h("div", { class: "bench" }, this.input.element, h("div", { class: "kernelbox" }, this.editor.element), this.output.element, this.truth.element, this.found.element, this.contest.element), this.plots, this.pins.element);
    this.pictures.fill(PICTURES.map((value) => ({ value, label: SOURCES.find((source) => source.value === value)!.label })));
    this.size.fill(SIZES.map((k) => ({ value: String(k), label: `${k} × ${k}` })));
    this.stimulus.fill([{ value: "edge", label: "a boundary" }, { value: "line", label: "a bright line" }]);
    this.strip.append(
      h("div", { class: "choices" }, this.mode.element, this.kernels.element, this.size.element, this.flip, this.pin),
      h("div", { class: "sliders" }, this.threshold.element),
      this.choices(this.pictures.element, this.stimulus.element, this.task.element, this.another),
    );
  }

  protected override async start(): Promise<void> {
    this.learned = new Learned(this.engine);
    [this.infos, this.tasks] = await Promise.all([this.engine.kernels(), this.engine.ask<Task[]>("challenges")]);
    this.task.fill(this.tasks.map(({ name, label }) => ({ value: name, label })));
    await super.start();
  }

  private get pinned(): string[] {
    return this.state.value.pins.split(",").filter(Boolean).slice(0, 4);
  }

  private get racing(): boolean {
    return this.state.value.mode === "race";
  }

  /** The race is about the task that the network was trained for. */
  private get taskNow(): Task {
    const wanted = this.racing ? "boundaries" : this.state.value.task;
    const task = this.tasks.find(({ name }) => name === wanted);
    if (!task) throw new Error(`There is no task “${wanted}”; there are ${this.tasks.map(({ name }) => name).join(", ")}.`);
    return task;
  }

  protected controls(): void {
    const { mode, picture, stimulus, task, kernel, threshold } = this.state.value;
    const lab = mode === "lab";
    this.mode.set(mode);
    this.pictures.set(picture);
    this.stimulus.set(stimulus);
    this.task.set(task);
    this.threshold.set(threshold);
    const learned = Array.from({ length: 8 }, (_, i) => ({ value: `learned-${i + 1}`, label: `learned ${i + 1} of 8` }));
    this.kernels.fill([...this.infos.map(({ name, label }) => ({ value: name, label })), ...learned, ...(kernel === "own" ? [{ value: "own", label: "your own" }] : [])]);
    this.kernels.set(kernel);
    for (const element of [this.pictures.element, this.stimulus.element, this.plots, this.pins.element, this.pin]) element.hidden = !lab;
    for (const element of [this.truth.element, this.found.element, this.contest.element, this.another, this.threshold.element]) element.hidden = lab;
    this.task.element.hidden = mode !== "challenge";
    this.flip.disabled = this.locked;
    this.stage.dataset.mode = mode;
  }

  protected override micrographChosen(): void {
    if (this.state.value.picture !== "yours") return;
    this.from = "";
    this.draw();
  }

  /** The kernel of a name, or the reader's own. */
  private async kernelOf(name: string): Promise<Tensor> {
    const learned = /^learned-(\d)$/.exec(name);
    if (learned) {
      const { kernels } = await this.learned.open();
      const found = kernels[Number(learned[1]) - 1];
      if (!found) throw new Error(`The network has ${kernels.length} kernels in its first layer; there is no “${name}”.`);
      return found;
    }
    if (name !== "own") return this.engine.kernel(name);
    const { weights } = this.state.value;
    const k = Math.sqrt(weights.length);
    if (!SIZES.includes(k)) throw new Error(`A kernel here has 3 × 3, 5 × 5 or 7 × 7 weights; got ${weights.length}.`);
    return { data: Float32Array.from(weights), shape: [1, 1, k, k] };
  }

  protected async compute(): Promise<void> {
    const { engine } = this;
    const { kernel, mode } = this.state.value;
    this.now = await this.kernelOf(kernel);
    const image = await this.picture();
    const map = await engine.conv2d(image, this.now, null, { padding: "same", paddingMode: "reflect" });
    this.answer = map;
    const k = this.now.shape[3]!;
    const about = kernel === "own" ? "your own" : kernel.startsWith("learned") ? "what the network found by itself" : (this.infos.find(({ name }) => name === kernel)?.label ?? "");
    this.editor.clear();
    this.editor.show([...this.now.data], [k, k], 0, about, this.dark);
    this.size.set(String(k));
    this.draw2(this.input, image, scaleFor(image.data, this.dark));
    const signed = signedScale(map.data, this.dark);
    this.draw2(this.output, map, signed);
    this.output.scale(signed);
    const [low, high] = ends(map.data);
    this.output.words = `from ${decimal(low, 2, true)} to ${decimal(high, 2, true)}`;
    if (mode === "lab") await this.laboratory(k);
    else await this.task2(image, map);
  }

  private async picture(): Promise<Tensor> {
    const { mode, picture, shown } = this.state.value;
    if (mode !== "lab") {
      const task = this.taskNow;
      this.input.words = `specimen ${Math.floor(shown) + 1} of 4, shown`;
      return this.engine.askTensor("challenge_example", task.name, Math.floor(shown) % 4, false, false);
    }
    if (!this.source || this.from !== picture) {
      this.source = await SOURCES.find(({ value }) => value === picture)!.load(this.engine);
      this.from = picture;
    }
    this.input.words = this.source.about;
    return this.source.image;
  }

  /** Direction, frequency, flat ground, and the kernels kept beside. */
  private async laboratory(k: number): Promise<void> {
    const { engine, now } = this;
    const { stimulus } = this.state.value;
    const [angles, frequencies, offset] = await Promise.all([
      engine.ask<Float64Array>("kernel_angles", now!, stimulus, DIRECTIONS),
      engine.askTensor("kernel_frequencies", now!, FREQUENCIES),
      engine.ask<number>("kernel_offset", now!),
    ]);
    this.polar.show(angles, stimulus === "edge" ? "a boundary" : "a bright line");
    const [, most] = ends(frequencies.data);
    const scale = { map: "cividis", min: 0, max: Math.max(most, 1e-6) } as const;
    this.draw2(this.frequency, frequencies, scale);
    this.frequency.scale(scale);
    this.frequency.words = "slow in the middle";
    const silent = Math.abs(offset) < 1e-5;
    this.offset.replaceChildren(h("b", {}, decimal(silent ? 0 : offset, 2, true)), h("span", {}, silent ? "Flat regions stay silent: a detector of differences." : Math.abs(offset - 1) < 1e-5 ? "Keeps the mean: flat regions pass unchanged." : "Flat regions are multiplied by this."));
    const pins = await Promise.all(this.pinned.map(async (name) => {
      const kernel = await this.kernelOf(name);
      return { name, kernel, map: await engine.conv2d(this.source!.image, kernel, null, { padding: "same", paddingMode: "reflect" }) };
    }));
    this.pins.show(pins, this.dark);
    const at = (degrees: number) => decimal(angles[Math.round((degrees / 360) * DIRECTIONS)]!, 2, true);
    this.describe(`A kernel of ${k} × ${k}, sum of the weights ${decimal(offset, 2, true)}. It answers ${stimulus === "edge" ? "a boundary" : "a line"} at 0° with ${at(0)}, at 45° with ${at(45)}, at 90° with ${at(90)}. Its map runs ${this.output.element.querySelector(".note")!.textContent}.`);
  }

  /** What the reader's kernel finds on the shown specimen. */
  private async task2(image: Tensor, map: Tensor): Promise<void> {
    const task = this.taskNow;
    const { shown, threshold } = this.state.value;
    const target = await this.engine.askTensor("challenge_example", task.name, Math.floor(shown) % 4, false, true);
    const answer = task.signed ? map : { ...map, data: map.data.map(Math.abs) };
    const [, most] = ends(answer.data);
    const cut = threshold * most;
    this.cut = cut;
    const found = answer.data.map((value) => (value > cut ? 1 : 0));
    for (const [picture, mask] of [[this.truth, target.data], [this.found, found]] as const) {
      this.draw2(picture, image, scaleFor(image.data, false));
      picture.tint({ data: mask, height: map.shape[1]!, width: map.shape[2]! });
    }
    const iou = await this.engine.ask<number>("challenge_iou", answer, target, cut);
    this.found.words = `IoU ${decimal(iou, 3)} at this threshold`;
    this.truth.description = `Where a ${task.label} is`;
    this.contest.show(task, this.racing);
    this.describe(`${task.label}: your kernel with this threshold reaches an intersection over union of ${decimal(iou, 3)} on the shown specimen.`);
  }

  /** The hidden specimens: the reader, then every preset, then the network in a race; one question after the other, so that nothing waits long. */
  private readonly score = latest(
    async () => {
      const task = this.taskNow;
      const kernel = this.now!;
      const hidden = (tensor: Tensor) => this.engine.ask<Score>("challenge_score", task.name, tensor, true);
      const still = () => this.state.value.mode !== "lab" && this.taskNow === task;
      this.contest.busy("scoring …");
      try {
        const own = this.racing ? await this.asSet(task, kernel) : await hidden(kernel);
        const rows = [{ who: "your kernel", role: "own", iou: own.iou, more: `${own.weights} weights, ${this.racing ? "your threshold" : "threshold"} ${decimal(own.threshold)}` }];
        this.contest.scores(rows);
        let best = { iou: -1, name: "", weights: 0 };
        for (const [i, info] of this.infos.entries()) {
          if (!still()) return;
          this.contest.busy(`presets ${i + 1} of ${this.infos.length}`);
          const score = await hidden(await this.engine.kernel(info.name));
          if (score.iou > best.iou) best = { iou: score.iou, name: info.label, weights: score.weights };
        }
        rows.push({ who: "best preset", role: "preset", iou: best.iou, more: `${best.name}, ${best.weights} weights` });
        if (this.racing) rows.push(await this.network(task));
        if (!still()) return;
        this.contest.scores(rows);
        this.contest.remember(task.name, { ...own, kernel: [...kernel.data].map((w) => asWeight(w)).join(" ") });
      } finally {
        this.contest.busy("");
      }
    },
    (error) => this.fail(error),
  );

  /** The reader's kernel on the hidden specimens with the threshold that the reader has set. */
  private async asSet(task: Task, kernel: Tensor): Promise<Score> {
    const { pictures, targets } = await this.unseen(task);
    const maps = await Promise.all(pictures.map((picture) => this.engine.conv2d(picture, kernel, null, { padding: "same", paddingMode: "reflect" })));
    const answers = maps.map((map) => (task.signed ? map : { ...map, data: map.data.map(Math.abs) }));
    const iou = await this.engine.ask<number>("challenge_iou", stacked(answers), stacked(targets), this.cut);
    return { iou, threshold: this.cut, weights: kernel.data.filter((w) => w !== 0).length };
  }

  private async unseen(task: Task): Promise<{ pictures: Tensor[]; targets: Tensor[] }> {
    const all = (which: boolean) => Promise.all([0, 1, 2, 3].map((i) => this.engine.askTensor("challenge_example", task.name, i, true, which)));
    const [pictures, targets] = await Promise.all([all(false), all(true)]);
    return { pictures, targets };
  }

  /** The network on the same hidden specimens, at the threshold of its card. */
  private async network(task: Task): Promise<{ who: string; role: string; iou: number; more: string }> {
    this.contest.busy("the network …");
    const { model, threshold } = await this.learned.open();
    const { pictures, targets } = await this.unseen(task);
    const maps: Tensor[] = [];
    for (const picture of pictures) {
      const { output } = await model.run(picture);
      const [, height, width] = output.shape as [number, number, number];
      maps.push({ data: output.data.slice(height * width, 2 * height * width), shape: [1, height, width] });
    }
    // Specimens one below the other with a gap, as one picture: one score over all, as for kernels.
    const iou = await this.engine.ask<number>("challenge_iou", stacked(maps), stacked(targets), threshold);
    const parameters = model.graph.reduce((sum, node) => sum + node.count, 0);
    return { who: "the network", role: "network", iou, more: `${parameters} weights, threshold ${decimal(threshold)}` };
  }

  private draw2(picture: Picture, { data, shape }: Tensor, scale: Parameters<Picture["draw"]>[1]): void {
    picture.draw({ data, height: shape[1]!, width: shape[2]! }, scale);
  }

  /** Every weight times −1. */
  private turn(): void {
    if (this.now) this.change({ kernel: "own", weights: Array.from(this.now.data, (w) => (w === 0 ? 0 : -w)) });
  }

  private pinUp(): void {
    const { kernel } = this.state.value;
    if (kernel === "own") this.fail("Only named kernels can be kept beside; copy the link to keep your own.");
    else this.change({ pins: [...this.pinned.filter((name) => name !== kernel), kernel].slice(-4).join(",") });
  }

  /** More room around the kernel, or its middle only. */
  private resize(k: number): void {
    if (!this.now) return;
    const old = this.now.shape[3]!;
    const shift = (old - k) / 2;
    const at = (y: number, x: number) => (y >= 0 && y < old && x >= 0 && x < old ? this.now!.data[y * old + x]! : 0);
    this.change({ kernel: "own", weights: Array.from({ length: k * k }, (_, i) => at(Math.floor(i / k) + shift, (i % k) + shift)) });
  }

  protected override question(): HTMLElement {
    return questionPanel({
      key: this.key,
      prompt: "All nine weights of Sobel x change their sign. What happens to its feature map?",
      choices: ["nothing: an edge is an edge", "every value changes its sign", "it shows the other boundaries", "it goes dark"],
      prepare: () => this.change({ mode: "lab", kernel: "sobel-x", weights: [], picture: "titanium", stimulus: "edge" }),
      locked: (locked) => {
        this.locked = locked;
        this.flip.disabled = locked;
      },
      reveal: async () => {
        await this.settled();
        const before = this.answer!.data.slice();
        this.turn();
        await this.settled();
        const after = this.answer!.data;
        const [low, high] = ends(before);
        const [less, more] = ends(after);
        const opposite = after.every((value, i) => Math.abs(value + before[i]!) < 1e-5);
        const same = after.every((value, i) => Math.abs(value - before[i]!) < 1e-5);
        return {
          right: opposite ? 1 : same ? 0 : 2,
          because: `The map ran from ${decimal(low, 2, true)} to ${decimal(high, 2, true)}; now it runs from ${decimal(less, 2, true)} to ${decimal(more, 2, true)}. Where it was green it is purple. The boundaries are the same ones; what has changed is which of the two grains counts as the bright one. A ReLU behind it would keep the other half.`,
        };
      },
    });
  }
}

/** Signed whatever the values: a map that happens to have no negative one wears the same colours. */
function signedScale(data: Float32Array, dark: boolean): ReturnType<typeof scaleFor> {
  const plain = scaleFor(data, dark);
  return plain.min < 0 ? plain : { ...plain, map: dark ? "prgn-dark" : "prgn", min: -plain.max };
}

function ends(data: Float32Array): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Maps of one size below each other, three empty rows between them; copies, computes nothing. */
function stacked(maps: Tensor[]): Tensor {
  const [, height, width] = maps[0]!.shape as [number, number, number];
  const step = height + 3;
  const out = new Float32Array(maps.length * step * width);
  maps.forEach(({ data }, i) => out.set(data, i * step * width));
  return { data: out, shape: [1, maps.length * step, width] };
}
