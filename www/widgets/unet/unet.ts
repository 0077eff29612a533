/** `<ks-unet>`: a trained network, live, from the mask down to the products. */
import type { Run, Shares, Tensor } from "../../engine/api";
import { fromBase64 } from "../../engine/base64";
import { count, decimal } from "../../draw/numbers";
import { h, latest } from "../../figure/dom";
import { numberField, select, toggle } from "../../figure/controls";
import { Figure } from "../../figure/figure";
import { host } from "../../figure/host";
import { ownPicture, type Source, SOURCES } from "../../figure/sources";
import { choice, flag, number, numbers, State, text } from "../../figure/state";
import { Explorer, type Place, VIEWS } from "./explorer";
import { MaskPicture, MODES } from "./mask";
import { arranged, layout } from "./network";
import { describe, isNetwork, NETWORK_FILES, type Opened, openNetwork, probabilities, runOn } from "./opened";
import { parts, why } from "./why";
import css from "./unet.css";

const values = {
  picture: text("titanium", /^[\w-]{1,40}$/),
  seed: number(7),
  noise: number(0.03),
  contrast: number(0.6),
  mode: choice(MODES, "mask"),
  field: flag(false),
  at: numbers([166, 82], "."),
  view: choice(VIEWS, "network"),
  node: text("", /^[\w./:-]{0,80}$/),
  channel: number(0),
  class: number(1),
  pos: numbers([0, 0], "."),
};
type Values = { [K in keyof typeof values]: (typeof values)[K]["initial"] };

interface Scores {
  iou: number[];
  accuracy: number;
  boundary: { f1: number };
}

const PICTURES = SOURCES.filter(({ value }) => ["titanium", "yours"].includes(value));
/** Class 1 of the shipped network, and the one that is looked at first in others. */
const BOUNDARY = 1;
/** What is turned while one watches; and how long it must rest before every map is computed again. */
const DIALS = ["seed", "noise", "contrast"] as const;
const REST_MS = 180;

export class Unet extends Figure {
  protected readonly invitation = "Click any pixel of the mask and ask why. Click any map to see how it was made.";
  protected state!: State<Values>;
  private shipped!: Opened;
  /** The network in use. */
  private opened!: Opened;
  /** The reader's own, once there is one. */
  private theirs: Opened | undefined;
  private probabilities!: Tensor;
  private run: Run | undefined;
  private source!: Source;
  private own: Source | undefined;
  /** The shipped network once more, for glimpses: its runs do not end the questions about the other's. */
  private swift: Promise<Opened> | undefined;
  private resting: ReturnType<typeof setTimeout> | undefined;
  private mask!: MaskPicture;
  private explorer!: Explorer;
  private readonly side = h("div", { class: "side" });
  private readonly story = h("div", { class: "story", "aria-live": "polite" });
  private readonly hint = h("span", { class: "hint" });
  private readonly facts = h("span", {});
  private controls!: ReturnType<Unet["makeControls"]>;

  protected override readonly css = css;

  protected build(): void {
    this.state = new State<Values>(values, this.key, (name) => this.getAttribute(name));
    this.mask = new MaskPicture({ choose: (at) => this.choose(at), hover: (words) => (this.hint.textContent = words) });
    this.explorer = new Explorer({
      go: (place) => this.go(place),
      hover: (words) => (this.hint.textContent = words),
      explain: (node, at) => this.run!.explain(node, at),
      failed: (error) => this.fail(error),
    });
    this.stage.classList.add("unet");
    this.side.append(this.mask.element, this.story);
    this.stage.append(this.explorer.element, this.side);
    this.stage.after(h("div", { class: "facts" }, this.facts, this.hint));
    this.controls = this.makeControls();
    this.takeDrops();
    this.shadowRoot!.addEventListener("keydown", (event) => this.keyed(event as KeyboardEvent));
  }

  private makeControls() {
    const set = (change: Partial<Values>) => this.change(change);
    const noNumber = (typed: string) => this.fail(`“${typed}” is no number; the last one stays in use.`);
    const file = h("input", { type: "file", accept: ".png,image/png", class: "hidden", tabindex: -1, "aria-hidden": "true", onchange: () => {
      const chosen = file.files?.[0];
      file.value = "";
      if (chosen) void this.open(chosen);
    } });
    const files = h("input", { type: "file", accept: NETWORK_FILES, multiple: true, class: "hidden", tabindex: -1, "aria-hidden": "true", onchange: () => {
      const chosen = [...(files.files ?? [])];
      files.value = "";
      this.showKnobs();
      if (chosen.length) void this.openFiles(chosen);
    }, oncancel: () => this.showKnobs() });
    const fields = {
      network: select("network", (network) => (network === "open" ? files.click() : void this.use(network === "own" && this.theirs ? this.theirs : this.shipped))),
      of: select("class", (of) => set({ class: Number(of) })),
      picture: select("picture", (picture) => (picture === "open" ? file.click() : set({ picture }))),
      seed: numberField("seed", (seed) => set({ seed }), noNumber),
      noise: slider("noise", 0, 0.2, 0.005, (noise) => set({ noise })),
      contrast: slider("contrast", 0.1, 1, 0.01, (contrast) => set({ contrast })),
      mode: select("show", (mode) => set({ mode: mode as Values["mode"] })),
      field: toggle("what it looked at", (field) => set({ field })),
    };
    fields.field.element.title = "The gradient of this pixel's logit with respect to every pixel of the picture: its effective receptive field.";
    fields.mode.fill(MODES.map((value) => ({ value, label: value })));
    this.strip.append(h("div", { class: "choices", role: "group", "aria-label": "The network and its input" },
      fields.network.element, files, fields.of.element, fields.picture.element, file, fields.seed.element, fields.noise.element, fields.contrast.element, fields.mode.element, fields.field.element, this.ending()));
    return fields;
  }

  protected async start(): Promise<void> {
    this.shipped = await this.loadShipped();
    this.opened = this.shipped;
    this.explorer.layout = layout(this.opened.model.graph);
    const refused = await this.state.orPlain(() => this.infer());
    if (refused) {
      this.showKnobs();
      this.fail(refused);
    }
  }

  private async loadShipped(): Promise<Opened> {
    return describe(await this.engine.loadModel(fromBase64(await host.load<string>("model-grains"))));
  }

  /** Files dropped on the figure: a network, or a picture. */
  private takeDrops(): void {
    const dropped = (event: DragEvent) => [...(event.dataTransfer?.files ?? [])];
    this.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      this.stage.classList.add("dropping");
    });
    this.addEventListener("dragleave", () => this.stage.classList.remove("dropping"));
    this.addEventListener("drop", (event) => {
      this.stage.classList.remove("dropping");
      const files = dropped(event);
      if (!files.length) return;
      event.preventDefault();
      void (files.some(isNetwork) ? this.openFiles(files) : this.open(files[0]!));
    });
  }

  /** Opens the reader's own network; whatever is refused leaves the figure as it was. */
  private async openFiles(files: File[]): Promise<void> {
    let made: Opened | undefined;
    try {
      this.say("opening the network …");
      made = await openNetwork(this.engine, files);
      await this.use(made);
      if (this.opened !== made) throw this.refusal;
      if (this.theirs && this.theirs !== made) this.theirs.model.close();
      this.theirs = made;
      this.showKnobs();
    } catch (error) {
      made?.model.close();
      this.showKnobs();
      this.sayComputed();
      const words = error instanceof Error ? error.message : String(error);
      this.fail(`“${files.find(isNetwork)?.name ?? files[0]!.name}” could not be opened; the network before stays. ${words}`);
    }
  }

  private refusal: unknown;

  /** Shows another network, or keeps the present one where it cannot be run on the picture. */
  private async use(next: Opened): Promise<void> {
    const before = this.opened;
    this.opened = next;
    try {
      await this.infer(true);
    } catch (error) {
      this.refusal = error;
      this.opened = before;
      this.showKnobs();
      this.fail(error);
    }
  }

  /** Everything that follows from the picture. */
  private async infer(another = false): Promise<void> {
    const { opened } = this;
    this.rest();
    const slow = setTimeout(() => this.say("computing …"), 150);
    try {
      const { source, run } = await runOn(opened, await this.load());
      this.probabilities = await probabilities(this.engine, opened, run, source);
      [this.source, this.run] = [source, run];
      if (another) {
        this.explorer.arrange(opened.name ? arranged(opened.model.graph, run.nodes, opened.logits) : layout(opened.model.graph));
        // Before it is painted: whatever the reader opens from now on stays open.
        this.state.set({ view: "network" });
      }
    } finally {
      clearTimeout(slow);
    }
    this.mend();
    this.sayComputed();
    this.showKnobs();
    this.mask.answer = this.answer;
    const total = opened.model.graph.reduce((sum, { count: learned }) => sum + learned, 0);
    this.facts.textContent = `${opened.name ? `${opened.name} · ` : ""}${count(total)} parameters · ${this.source.about}`;
    const painted = this.explorer.show(this.run.nodes, this.dark);
    this.showMask();
    this.go(this.placeOf(this.state.value), false);
    this.tell(undefined);
    await Promise.all([painted, opened.name ? null : this.score()]);
  }

  private async load(): Promise<Source> {
    const { picture, seed, noise, contrast } = this.state.value;
    if (picture === "own" && this.own) return this.own;
    if (picture !== "grains") return (PICTURES.find(({ value }) => value === picture) ?? PICTURES[0]!).load(this.engine);
    const { image, pixelSize, labels } = await this.engine.specimen("grains", { size: 256, seed, noise, contrast });
    return { image, pixelSize, boundaries: labels.boundaries, about: `computed grains · 256 × 256 · ${pixelSize} nm a pixel` };
  }

  /** How well the mask meets the truth, where there is one. */
  private async score(): Promise<void> {
    const { boundaries } = this.source;
    if (!boundaries) return;
    const [, height, width] = this.run!.output.shape as [number, number, number];
    const classes = await this.engine.argmax(this.run!.output, { dim: 0 });
    const { iou, boundary, accuracy } = await this.engine.ask<Scores>("metrics", { ...classes, shape: [height, width] }, { data: boundaries.data, shape: [height, width] }, { classes: 2, boundary: BOUNDARY, tolerance: 2 });
    this.facts.textContent += ` · IoU ${decimal(iou[BOUNDARY]!)} · boundary F1 ${decimal(boundary.f1)} (2 px) · accuracy ${decimal(accuracy)}`;
  }

  /** The class that is looked at: one of those that the network has. */
  private get chosen(): number {
    const classes = this.run?.output.shape[0] ?? 1;
    const wanted = this.opened.name ? Math.round(this.state.value.class) : BOUNDARY;
    return Math.max(0, Math.min(classes - 1, wanted));
  }

  private get answer(): string {
    return this.opened.name ? `class ${this.chosen}` : "boundary";
  }

  private chosenMap({ data, shape } = this.probabilities): Tensor {
    const [, height, width] = shape as [number, number, number];
    return { data: data.slice(this.chosen * height * width, (this.chosen + 1) * height * width), shape: [1, height, width] };
  }

  private showMask(): void {
    const { mode, at } = this.state.value;
    this.mask.answer = this.answer;
    this.mask.draw(this.source.image, this.chosenMap(), mode, this.source.boundaries);
    this.mask.at = at as [number, number];
  }

  protected draw(): void {
    if (!this.run) return;
    void this.explorer.show(this.run.nodes, this.dark);
    this.explorer.redraw();
    this.showMask();
  }

  private change(change: Partial<Values>): void {
    this.state.set(change);
    const dial = DIALS.some((name) => name in change);
    this.showKnobs();
    if (dial && this.run && this.opened === this.shipped) return this.turn();
    if (dial || "picture" in change) return this.rerun(undefined);
    this.showMask();
    this.tell(undefined);
  }

  /** A dial is being turned: the answer follows the hand; the maps and the story behind it come when it rests. */
  private turn(): void {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rerun(undefined), REST_MS);
    this.stage.classList.add("turning");
    this.glimpse(undefined);
  }

  private rest(): void {
    clearTimeout(this.resting);
    this.resting = undefined;
    this.stage.classList.remove("turning");
  }

  /** The answer alone, as fast as it goes. What goes wrong is told by the full run that follows. */
  private readonly glimpse = latest(async () => {
    const { model, ...rules } = await (this.swift ??= this.loadShipped());
    const source = await this.load();
    const run = await model.run(source.image);
    const answer = await probabilities(this.engine, { model, ...rules }, run, source);
    if (this.resting === undefined) return;
    this.mask.draw(source.image, this.chosenMap(answer), this.state.value.mode, source.boundaries);
  }, () => undefined);

  private readonly rerun = latest(() => this.infer(), (error) => {
    if (this.run) this.sayComputed();
    this.fail(error);
  });

  private showKnobs(): void {
    const { value } = this.state;
    const { network, of, picture, seed, noise, contrast, mode, field } = this.controls;
    // A network that is just being opened is in use before it is theirs.
    const own = this.opened?.name ? this.opened : this.theirs;
    network.fill([
      { value: "grains", label: "grain boundaries" },
      ...(own ? [{ value: "own", label: own.name }] : []),
      { value: "open", label: "your own ONNX …" },
    ]);
    network.set(this.opened?.name ? "own" : "grains");
    const classes = this.opened?.name ? (this.run?.output.shape[0] ?? 1) : 1;
    of.element.hidden = classes < 2;
    of.fill(Array.from({ length: Math.min(classes, 64) }, (_, i) => ({ value: String(i), label: String(i) })));
    of.set(String(this.chosen));
    picture.fill([
      { value: "titanium", label: "titanium, SEM" },
      { value: "grains", label: "grains, computed" },
      { value: "yours", label: "your micrograph" },
      ...(this.own ? [{ value: "own", label: "your own" }] : []),
      { value: "open", label: "your own PNG …" },
    ]);
    picture.set(value.picture);
    seed.set(value.seed);
    noise.set(value.noise);
    contrast.set(value.contrast);
    mode.set(value.mode);
    field.set(value.field);
    for (const knob of [seed, noise, contrast]) knob.element.hidden = value.picture !== "grains";
  }

  private async open(file: File): Promise<void> {
    try {
      this.own = await ownPicture(this.engine, file);
      this.change({ picture: "own", at: [0, 0] });
    } catch (error) {
      this.showKnobs();
      this.fail(`“${file.name}” could not be opened. ${error instanceof Error ? error.message : error}`);
    }
  }

  private choose(at: [number, number]): void {
    this.state.set({ at });
    this.mask.at = at;
    this.tell(undefined);
  }

  /** The story of the chosen pixel. */
  private readonly tell = latest(
    async () => {
      const { run, source, opened: { model, logits, name } } = this;
      if (!run) return;
      const shape = source.image.shape;
      const [, height, width] = shape as [number, number, number];
      const at = this.state.value.at.map((value, i) => Math.max(0, Math.min([height, width][i]! - 1, Math.round(value)))) as [number, number];
      const which = this.chosen;
      const logit = [which, ...at];
      const [shares, rect, gradient] = await Promise.all([
        this.sharesOf(run, logits, logit),
        model.receptiveField(logits, at, shape),
        this.state.value.field ? run.gradient(logits, logit) : null,
      ]);
      this.mask.field = rect;
      this.mask.gradient = gradient;
      const place = at[0] * width + at[1];
      const probability = this.probabilities.data[which * height * width + place]!;
      const truth = source.boundaries && !name ? (source.boundaries.data[place]! > 0.5 ? "boundary" : "grain") : null;
      const value = typeof shares === "string" ? run.nodes[logits]!.data[which * height * width + place]! : shares.value;
      const size = `${rect.bottom - rect.top + 1} × ${rect.right - rect.left + 1}`;
      const metres = source.pixelSize ? ` = ${length((rect.right - rect.left + 1) * source.pixelSize)}` : "";
      this.story.replaceChildren(why(
        {
          at,
          classes: [{ name: this.answer, probability }],
          shares,
          logit: value,
          truth,
          said: probability > 0.5 ? "boundary" : "grain",
          field: `Blue: everything this pixel can see, ${size} pixels${metres} wide.`,
        },
        () => this.go({ view: "value", node: logits, channel: which, pos: at }),
      ));
      this.describe(`Pixel row ${at[0]}, column ${at[1]}: probability of ${name ? this.answer : "a boundary"} ${decimal(probability)}. ${typeof shares === "string" ? "" : `${parts(shares).map((part) => `${part.name} ${decimal(part.value)}`).join(", ")}; together `}${decimal(value)}.`);
    },
    (error) => this.fail(error),
  );

  /** Where a logit comes from; for networks of other kinds, why that has no answer. */
  private async sharesOf(run: Run, node: string, at: number[]): Promise<Shares | string> {
    try {
      return await run.shares(node, at);
    } catch (error) {
      if (!this.opened.name) throw error;
      return error instanceof Error ? error.message : String(error);
    }
  }

  private placeOf({ view, node, channel, pos }: Values): Place {
    return { view, node, channel, pos: pos as [number, number] };
  }

  private go(place: Place, moved = true): void {
    if (moved) this.state.set(place);
    this.explorer.open(place, moved);
  }

  protected addressed(): void {
    if (!this.state.follow()) return;
    this.rerun(undefined);
  }

  protected override micrographChosen(): void {
    if (this.state.value.picture === "yours") this.rerun(undefined);
  }

  protected reset(): void {
    this.state.reset();
    if (this.opened.name) {
      this.opened = this.shipped;
      this.explorer.arrange(layout(this.shipped.model.graph));
    }
    this.explorer.forget();
    this.mend();
    this.rerun(undefined);
  }

  protected link(): string {
    return this.state.link();
  }

  private keyed(event: KeyboardEvent): void {
    const moves: Record<string, [number, number] | undefined> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const move = moves[event.key];
    if (move || event.key === " " || /^(Page|Home|End)/.test(event.key)) event.stopPropagation();
    const target = event.target as HTMLElement;
    if (event.key === "Escape" && this.state.value.view !== "network") {
      event.stopPropagation();
      this.explorer.back();
    }
    if (!move || !target.closest(".surface") || !this.run) return;
    event.preventDefault();
    if (this.explorer.element.contains(target)) return this.explorer.moveBy(move);
    const [, height, width] = this.source.image.shape as [number, number, number];
    const [y, x] = this.state.value.at as [number, number];
    this.choose([Math.max(0, Math.min(height - 1, y + move[0])), Math.max(0, Math.min(width - 1, x + move[1]))]);
  }
}

const length = (nm: number): string => (nm >= 1000 ? `${(nm / 1000).toFixed(nm >= 10000 ? 0 : 1)} µm` : `${nm.toFixed(nm < 10 ? 1 : 0)} nm`);

/** A knob of the specimen. */
function slider(label: string, min: number, max: number, step: number, change: (value: number) => void) {
  const input = h("input", { type: "range", class: "knob", min, max, step, "aria-label": label, oninput: () => change(Number(input.value)) });
  return { element: h("label", { class: "field" }, h("span", {}, label), input), set: (value: number) => (input.value = String(value)) };
}
