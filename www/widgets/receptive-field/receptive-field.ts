/** `<ks-receptive-field>`: build a stack of layers and watch how much of the picture one output pixel sees. */
import { count } from "../../draw/numbers";
import { h, latest } from "../../figure/dom";
import { iconButton, numberField, select, setIcon } from "../../figure/controls";
import { Figure } from "../../figure/figure";
import { ownPicture, type Source, SOURCES } from "../../figure/sources";
import { choice, number, numbers, State, text } from "../../figure/state";
import { Timeline } from "../../figure/timeline";
import { Builder, type Result } from "./builder";
import { Cone } from "./cone";
import { Model, type Story } from "./model";
import { ask } from "./question";
import css from "./receptive-field.css";
import { expand, type Expanded, formatStack, newRow, parseStack, placeOf, PRESETS, type Row, shortName, withSetting } from "./stack";
import { distance, pixels, times } from "./units";
import { View } from "./view";

const VIEWS = ["box", "weighted"] as const;
const START = "c3-c3-c3";

export const values = {
  picture: text("titanium", /^[\w-]{1,40}$/),
  stack: text(START, /^[\w-]{1,400}$/),
  /** The layer that time stands at; -1 is the last. */
  layer: number(-1),
  /** The input pixel around which the field shall lie. */
  at: numbers([165, 82]),
  view: choice(VIEWS, "box"),
  /** Nanometres a pixel; 0 is the picture's own. */
  pixel: number(0),
  /** Nanometres that shall be spanned; 0 asks for nothing. */
  target: number(0),
};
type Values = { [K in keyof typeof values]: (typeof values)[K]["initial"] };

/** Milliseconds that a field takes to grow by a layer. */
const GLIDE = 260;
const STILL = "(prefers-reduced-motion: reduce)";

export class ReceptiveField extends Figure {
  protected readonly invitation = "Build a stack and press play. Drag on the picture to look from another place.";
  protected override readonly css = css;
  protected state!: State<Values>;
  private rows: Row[] = [];
  private expanded!: Expanded;
  private model!: Model;
  private story: Story | undefined;
  private view!: View;
  private cone!: Cone;
  private builder!: Builder;
  private timeline!: Timeline;
  private own: Source | undefined;
  private inspected: [number, number] | null = null;
  private loaded: string | undefined;
  /** A row that was just added: it gets the focus when it stands there. */
  private fresh: number | undefined;
  private ownName = "";
  /** Where the drawing stands, on its way to the layer that time stands at. */
  private shownAt = 0;
  private glide = 0;
  private readonly fact = h("span", { class: "fact" });
  private readonly verdict = h("span", { class: "verdict" });
  private readonly hint = h("span", { class: "hint" });
  private readonly coneNote = h("span", { class: "note" });
  private readonly stackNote = h("span", { class: "note" });
  private readonly place = h("span", { class: "place" });
  /** On a phone the strip lies far below the cross-section: there it has a button of its own. */
  private readonly grow = h("button", { type: "button", class: "plain grow", onclick: () => this.playOrPause() }, "grow layer by layer");
  private playButton!: HTMLButtonElement;
  private slider!: HTMLInputElement;
  private file!: HTMLInputElement;
  private fields!: Record<"picture" | "stack" | "view", ReturnType<typeof select>> & Record<"pixel" | "target", ReturnType<typeof numberField>>;

  protected build(): void {
    this.state = new State<Values>(values, this.key, (name) => this.getAttribute(name));
    this.rows = parseStack(this.state.value.stack) ?? parseStack(START)!;
    this.cone = new Cone({ visit: (layer) => this.visit(layer) });
    this.view = new View({ aim: (at) => this.aim(at), inspect: (at) => this.inspect((this.inspected = at)) });
    this.builder = new Builder({
      set: (id, setting, value) => this.edit((rows) => rows.map((row) => (row.id === id ? withSetting(row, setting, value) : row))),
      kind: (id, kind) => this.edit((rows) => rows.map((row) => (row.id === id ? { ...newRow(kind, { times: row.times }), id } : row))),
      from: (id, from) => this.edit((rows) => rows.map((row) => (row.id === id ? { ...row, from } : row))),
      add: (kind) => {
        const row = newRow(kind, { from: this.partner() });
        this.edit((rows) => [...rows, row]);
        this.fresh = row.id;
      },
      remove: (id) => this.edit((rows) => rows.filter((row) => row.id !== id)),
      move: (id, to) => this.edit((rows) => moved(rows, id, to)),
      visit: (id) => this.visit(this.expanded.spans[placeOf(this.rows, id) - 1]![1] + 1),
      wrong: (words) => this.fail(words),
    });
    const part = (area: string, ...children: Node[]) => h("div", { class: "part", style: `grid-area:${area}` }, ...children);
    this.stage.classList.add("fields");
    this.stage.append(
      part("cone", h("div", { class: "label" }, h("b", {}, "Cross-section"), this.coneNote, this.grow), this.cone.element),
      part("whole", this.view.whole.element),
      part("stack", h("div", { class: "label role-weight" }, h("b", {}, "The stack"), this.stackNote), this.builder.element),
      part("near", this.view.near.element),
    );
    this.stage.after(h("div", { class: "facts" }, this.fact, this.verdict, this.hint));
    this.timeline = new Timeline({
      interval: () => Math.max(GLIDE, Math.min(900, 9000 / this.last)),
      advance: () => {
        this.goTo(this.layer + 1);
        return this.layer < this.last;
      },
      changed: (playing) => {
        setIcon(this.playButton, playing ? "pause" : "play", playing ? "Pause" : "Play");
        this.grow.textContent = playing ? "stop" : "grow layer by layer";
      },
    });
    this.buildStrip();
    this.shadowRoot!.addEventListener("keydown", (event) => this.keyed(event as KeyboardEvent));
  }

  private buildStrip(): void {
    const step = (by: number) => {
      this.timeline.pause();
      this.goTo(this.layer + by);
    };
    this.playButton = iconButton("play", "Play", () => this.playOrPause(), true);
    this.slider = h("input", { type: "range", class: "scrub", min: 0, max: 1, value: 0, "aria-label": "Layer", oninput: () => {
      this.timeline.pause();
      this.goTo(Number(this.slider.value));
    } });
    this.file = h("input", { type: "file", accept: ".png,image/png", class: "hidden", tabindex: -1, "aria-hidden": "true", onchange: () => void this.open() });
    const noNumber = (what: string) => (typed: string) => this.fail(`The ${what} is “${typed}”, which is no number. Type nanometres; until then the last one stays in use.`);
    const length = (what: string, name: "pixel" | "target") => (value: number) =>
      value > 0 || (name === "target" && value === 0) ? this.change({ [name]: value }) : this.fail(`The ${what} must be more than 0 nm; it is ${value}. Until then the last one stays in use.`);
    this.fields = {
      picture: select("picture", (picture) => (picture === "open" ? this.file.click() : this.change({ picture, pixel: 0 }))),
      stack: select("stack", (stack) => this.prepare({ stack })),
      view: select("show", (view) => this.change({ view: view as Values["view"] })),
      pixel: numberField("nm a pixel", length("pixel size", "pixel"), noNumber("pixel size")),
      target: numberField("to span, nm", length("length to span", "target"), noNumber("length to span")),
    };
    const { fields } = this;
    fields.view.fill([{ value: "box", label: "box" }, { value: "weighted", label: "path counts" }]);
    for (const field of [fields.pixel, fields.target]) field.input.inputMode = "decimal";
    this.strip.append(
      h("div", { class: "time" }, this.playButton, iconButton("back", "One layer back", () => step(-1)), iconButton("next", "One layer on", () => step(1)), this.slider, this.place, fields.view.element, this.ending()),
      h("div", { class: "choices", role: "group", "aria-label": "Settings of the receptive field" }, fields.stack.element, fields.picture.element, this.file, fields.pixel.element, fields.target.element),
    );
  }

  protected async start(): Promise<void> {
    this.model = new Model(this.engine);
    await this.showPicture();
    try {
      await this.compute();
    } catch (error) {
      // A link may carry a stack that cannot be computed: say so, and show the figure as it begins.
      this.rows = parseStack(START)!;
      this.state.set({ stack: START, layer: -1 });
      await this.compute();
      this.fail(error);
    }
    this.addBelow(ask(this.key, this));
  }

  protected override shown(visible: boolean): void {
    if (!visible) this.timeline?.pause();
  }

  protected draw(): void {
    if (this.story) this.drawStory();
  }

  protected reset(): void {
    this.timeline.pause();
    this.state.reset();
    this.mend();
    this.prepare({});
  }

  protected addressed(): void {
    if (!this.state.follow()) return;
    this.prepare({});
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
    this.state.set({ ...(change.stack === undefined ? {} : { layer: -1 }), ...change });
    this.rows = parseStack(this.state.value.stack) ?? this.rows;
    this.refresh(true);
  }

  /** How many pixels a stack's output sees where nothing clips it. */
  async fieldOf(stack: string): Promise<number> {
    const maps = await this.model.chainOf(expand(parseStack(stack)!).layers, [512, 512]);
    return maps.at(-1)!.size!;
  }

  private change(change: Partial<Values>): void {
    this.state.set(change);
    this.refresh(change.picture !== undefined);
  }

  /** Another stack; the place and the picture stay. */
  private edit(change: (rows: Row[]) => Row[]): void {
    this.timeline.pause();
    const atEnd = this.state.value.layer < 0 || this.layer === this.last;
    this.rows = change(this.rows);
    this.state.set({ stack: formatStack(this.rows), ...(atEnd ? { layer: -1 } : {}) });
    this.refresh(false);
  }

  /** The row that a skip at the end would come from: the first one before the last with a map of the same size; else the picture. */
  private partner(): number {
    const maps = this.rows.map((_, i) => this.story?.maps[(this.expanded.spans[i]?.[1] ?? -1) + 1]?.output.join());
    return this.rows.find((_, i) => i < this.rows.length - 1 && maps[i] === maps.at(-1))?.id ?? 0;
  }

  protected override micrographChosen(): void {
    if (this.state.value.picture === "yours") this.refresh(true);
  }

  private refresh(newPicture: boolean): void {
    this.newPicture ||= newPicture;
    this.recompute(undefined);
  }

  /** A picture asked for while another request is under way must not be lost to a later one. */
  private newPicture = false;
  private readonly recompute = latest(
    async () => {
      const { newPicture } = this;
      this.newPicture = false;
      if (newPicture) await this.showPicture();
      await this.compute();
    },
    (error) => {
      // The table keeps what was asked for; the drawings keep the last stack that could be computed.
      this.showControls();
      this.fail(error);
    },
  );

  private async showPicture(): Promise<void> {
    const { picture } = this.state.value;
    if (picture === this.loaded && picture !== "own") return;
    const info = SOURCES.find(({ value }) => value === picture) ?? SOURCES[0]!;
    this.model.show(picture === "own" && this.own ? this.own : await info.load(this.engine));
    this.loaded = picture;
  }

  private async open(): Promise<void> {
    const file = this.file.files?.[0];
    this.file.value = "";
    if (!file) return;
    try {
      this.own = await ownPicture(this.engine, file);
      this.ownName = file.name;
      this.change({ picture: "own", pixel: 0 });
    } catch (error) {
      this.showControls();
      this.fail(`“${file.name}” could not be opened. ${error instanceof Error ? error.message : error}`);
    }
  }

  private async compute(): Promise<void> {
    const expanded = expand(this.rows);
    await this.model.stack(expanded.layers);
    this.expanded = expanded;
    this.story = await this.model.look(this.aimed);
    this.mend();
    this.showControls();
    this.drawStory();
    this.sayComputed();
    this.stackNote.textContent = await this.weightWords(this.story);
  }

  /** Weights for a pair of channels; for plain convolutions also those of the one kernel that sees as far. */
  private async weightWords({ layers, maps }: Story): Promise<string> {
    // Behind a joined skip there are more channels than one, and no pair to speak of.
    if (layers.some(({ kind }) => kind === "concat")) return "";
    const sum = maps.reduce((all, { weights }) => all + weights, 0);
    const words = `${count(sum)} weights for a pair of channels`;
    const size = maps.at(-1)!.size;
    const plain = layers.length > 1 && size !== null && layers.every(({ kind, stride }) => kind === "conv" && stride === 1);
    if (!plain) return sum ? words : "";
    return `${words}; one kernel of ${size} × ${size} has ${count(await this.model.weightsOf(size))}`;
  }

  private get aimed(): [number, number] {
    const [y = 0, x = 0] = this.state.value.at;
    return [y, x];
  }

  /** How many layers there are: time runs from 0, the picture, to this. */
  private get last(): number {
    return (this.story?.maps.length ?? 1) - 1;
  }

  private get layer(): number {
    const { layer } = this.state.value;
    return layer < 0 ? this.last : Math.min(this.last, Math.round(layer));
  }

  /** Nanometres a pixel, or null where nobody has said. */
  private get pixelSize(): number | null {
    return this.state.value.pixel || this.model.pixelSize || null;
  }

  private lengthOf(size: number): number | null {
    return this.pixelSize === null ? null : size * this.pixelSize;
  }

  private drawStory(pictureToo = true): void {
    const story = this.story!;
    if (pictureToo) this.view.picture(this.model.image!, this.model.about, this.dark);
    this.view.show(story);
    const names = ["picture", ...story.layers.map((layer, i) => `${i + 1} · ${shortName(layer)}`)];
    this.cone.show(story, names, this.view.greys(story), (layer) => this.spanWords(layer));
    this.goTo(this.layer, false);
  }

  private spanWords(layer: number): string {
    const { from, to } = this.story!.fields[layer]!;
    const nm = this.lengthOf(to - from + 1);
    return `${to - from + 1} px${nm === null ? "" : ` = ${distance(nm)}`}`;
  }

  /** Time stands at a layer; the drawing glides there. */
  private goTo(layer: number, gliding = true): void {
    if (!this.story) return;
    const to = Math.max(0, Math.min(this.last, layer));
    this.state.set({ layer: to === this.last ? -1 : to });
    this.slider.max = String(this.last);
    this.slider.value = String(to);
    this.slider.style.setProperty("--done", `${(to / Math.max(1, this.last)) * 100}%`);
    const name = to === 0 ? "the picture" : shortName(this.story.layers[to - 1]!);
    this.slider.setAttribute("aria-valuetext", `layer ${to} of ${this.last}: ${name}`);
    this.place.textContent = `layer ${to} of ${this.last}`;
    this.builder.mark(to === 0 ? -1 : this.expanded.rowOf[to - 1]!);
    this.view.stand(to);
    this.tell(to);
    this.weigh(to);
    cancelAnimationFrame(this.glide);
    const from = this.shownAt;
    if (!gliding || matchMedia(STILL).matches || from === to || from > this.last) {
      this.shownAt = to;
      return this.cone.stand(to);
    }
    const began = performance.now();
    const run = (now: number) => {
      const part = Math.min(1, Math.max(0, now - began) / GLIDE);
      this.shownAt = part === 1 ? to : from + (to - from) * (1 - (1 - part) ** 3);
      this.cone.stand(this.shownAt);
      if (part < 1) this.glide = requestAnimationFrame(run);
    };
    this.glide = requestAnimationFrame(run);
  }

  /** The facts of a layer in words: its field, its jump, whether the rim cuts it, whether it spans what is asked. */
  private tell(layer: number): void {
    const story = this.story!;
    const map = story.maps[layer]!;
    const { from, to } = story.fields[layer]!;
    const size = to - from + 1;
    const nm = this.lengthOf(size);
    const jump = map.jump === null ? "irregular" : pixels(map.jump);
    const seen = story.rects[layer]!;
    const clipped = story.whole[layer] ? "" : ` · the rim cuts it to ${seen.bottom - seen.top + 1} × ${seen.right - seen.left + 1}`;
    this.fact.replaceChildren(
      layer === 0 ? "the picture: " : `after layer ${layer}: `,
      h("b", { class: "in" }, `${size} × ${size} pixels`), nm === null ? "" : ` = ${distance(nm)}`, `; jump ${jump}`,
      h("span", { class: "clipped" }, clipped),
    );
    const last = story.fields.at(-1)!;
    this.verdict.replaceChildren(...this.judge(last.to - last.from + 1));
    this.coneNote.textContent = `row ${story.row}, drawn to scale`;
    const words = `Layer ${layer} of ${this.last}. One output pixel sees ${size} by ${size} pixels${nm === null ? "" : `, ${distance(nm)}`}; jump ${jump}. ` +
      `Its field covers rows ${seen.top} to ${seen.bottom} and columns ${seen.left} to ${seen.right} of the picture${story.whole[layer] ? ", wholly inside it" : ", cut by the rim"}. ${this.verdict.textContent}`;
    this.describe(words);
    this.cone.description = `Cross-section through ${this.last} layers. ${words}`;
  }

  /** Does the whole stack span the length that is asked for? */
  private judge(size: number): Node[] {
    const { target } = this.state.value;
    if (!target) return [];
    if (this.pixelSize === null) return [document.createTextNode("type the pixel size to compare with nanometres")];
    const nm = size * this.pixelSize;
    const spare = Math.abs(nm - target);
    const spans = nm >= target;
    const more = spare < this.pixelSize / 1000 ? "exactly" : spans ? `with ${distance(spare)} to spare` : `${distance(spare)} are missing`;
    return [h("b", { class: spans ? "enough" : "short" }, spans ? "spans" : "does not span"), document.createTextNode(` ${distance(target)}: the stack sees ${distance(nm)}, ${more}`)];
  }

  private readonly weigh = latest(
    async (layer: number) => {
      const { story } = this;
      if (!story) return;
      const weighted = this.state.value.view === "weighted";
      const ways = weighted ? await this.model.ways(story, layer) : null;
      if (story !== this.story) return;
      this.view.weigh(ways);
      this.cone.weigh(this.view.profile());
      this.inspect(this.inspected);
    },
    (error) => this.fail(error),
  );

  private showControls(): void {
    const { value } = this.state;
    const { fields } = this;
    const preset = PRESETS.find(({ stack }) => stack === value.stack);
    fields.stack.fill([...PRESETS.map(({ stack, label }) => ({ value: stack, label })), ...(preset ? [] : [{ value: value.stack, label: "your own" }])]);
    fields.stack.set(value.stack);
    fields.picture.fill([
      ...SOURCES.map(({ value: name, label }) => ({ value: name, label })),
      ...(this.ownName ? [{ value: "own", label: this.ownName }] : []),
      { value: "open", label: "your own PNG …" },
    ]);
    fields.picture.set(value.picture);
    fields.view.set(value.view);
    if (this.pixelSize !== null) fields.pixel.set(this.pixelSize);
    fields.target.set(value.target);
    this.showTable();
  }

  private showTable(): void {
    const { maps } = this.story ?? {};
    if (!maps) return;
    const result = (layer: number): Result => {
      const { output, size, sizes, jump, start } = maps[layer]!;
      const { from, to } = this.story!.fields[layer]!;
      // Behind upsampling the field may differ from place to place: then its least and its most, and the nanometres of this place.
      const words = size !== null ? pixels(size) : sizes ? sizes.map(pixels).join("–") : pixels(to - from + 1);
      return { map: output, size: words, sizeNm: this.lengthOf(size ?? to - from + 1), jump, jumpNm: jump === null ? null : this.lengthOf(jump), start };
    };
    const agrees = this.state.value.stack === formatStack(this.rows) && this.expanded.spans.length === this.rows.length;
    this.builder.show(this.rows, result(0), this.rows.map((_, i) => (agrees && this.expanded.spans[i] ? result(this.expanded.spans[i]![1] + 1) : undefined)));
    if (this.fresh !== undefined) this.builder.focus(this.fresh);
    this.fresh = undefined;
  }

  private visit(layer: number): void {
    this.timeline.pause();
    this.goTo(layer);
  }

  private aim(at: [number, number]): void {
    this.timeline.pause();
    this.state.set({ at });
    this.look();
  }

  private readonly look = latest(
    async () => {
      if (!this.model?.ready) return;
      this.story = await this.model.look(this.aimed);
      this.mend();
      this.showTable();
      this.drawStory(false);
    },
    (error) => this.fail(error),
  ) as () => void;

  private readonly inspect = latest(
    async (at: [number, number] | null) => {
      const { story, layer } = this;
      if (!at || !story) return void (this.hint.textContent = "");
      const { shares, most } = await this.model.ways(story, layer);
      const ways = shares[at[0] * this.model.input[1] + at[1]]! * most;
      const name = `pixel (${at.join(", ")})`;
      this.hint.textContent = ways > 0 ? `${name} reaches the output in ${times(ways)} way${times(ways) === "1" ? "" : "s"}` : `${name} does not reach this output`;
    },
    (error) => this.fail(error),
  );

  private playOrPause(): void {
    if (!this.timeline.playing && this.layer >= this.last) {
      this.goTo(0, false);
    }
    this.timeline.toggle();
  }

  private keyed(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const moves: Record<string, [number, number] | undefined> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const paging = ["PageUp", "PageDown", "Home", "End", " "].includes(event.key) || event.key in moves;
    // In a slide these keys would turn the page.
    if (paging) event.stopPropagation();
    if (target.matches("input, select, textarea") || !this.story || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      this.timeline.pause();
      const at = this.model.neighbour(this.story, move);
      if (at) this.aim(at);
    } else if (event.key === " " && !target.matches("button")) {
      event.preventDefault();
      this.playOrPause();
    } else if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      this.visit(event.key === "Home" ? 0 : this.last);
    }
  }
}

/** The rows with one of them at another place; unchanged where there is none. */
function moved(rows: Row[], id: number, to: number): Row[] {
  const from = rows.findIndex((row) => row.id === id);
  if (from < 0 || to < 0 || to >= rows.length) return rows;
  const next = rows.filter((row) => row.id !== id);
  next.splice(to, 0, rows[from]!);
  return next;
}
