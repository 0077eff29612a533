/** `<ks-pooling>`: one window becomes one number, three ways; what moves, what changes, what stays. */
import { count, weight as written } from "../../draw/numbers";
import { h, latest } from "../../figure/dom";
import { Figure } from "../../figure/figure";
import { ownPicture, type Source, SOURCES } from "../../figure/sources";
import { State } from "../../figure/state";
import { Timeline } from "../../figure/timeline";
import { Controls } from "./controls";
import { Example } from "./example";
import { Maps } from "./maps";
import { type Look, Model, type Pooled, type Way, WAYS } from "./model";
import { changed, moveLine, moveSubject, NAMES } from "./moves";
import css from "./pooling.css";
import { ask } from "./question";
import { EXAMPLE, params, SIDE, swapped, type Values, weightsOf } from "./settings";
import { sizeLine } from "./size";
import { spoken } from "./story";

/** Milliseconds a window while playing. */
const PACE = { slow: 2400, normal: 1100, fast: 350 } as const;

/** What has to be computed anew. */
interface Stale {
  picture?: boolean;
  settings?: boolean;
  values?: boolean;
}

export class Pooling extends Figure {
  protected readonly invitation = "Drag the 6 to another cell: first inside its window, then out of it.";
  protected override readonly css = css;
  protected state!: State<Values>;
  private model!: Model;
  private example!: Example;
  private maps!: Maps;
  private controls!: Controls;
  private timeline!: Timeline;
  private stale: Stale = {};
  private own: Source | undefined;
  private look: Look | undefined;
  /** The values before the last change, and what that change is called. */
  private earlier: { values: number[]; subject: string } | undefined;
  private undoable: Pick<Values, "values" | "moved">[] = [];
  /** The values when a number was picked up. */
  private base: number[] | undefined;
  /** The pixel of the map that the reader chose to look at; windows of other sizes are laid over it too. */
  private spot: [number, number] | undefined;
  private anchor: [number, number] | undefined;
  private readonly size = h("span", { class: "formula" });
  private readonly hint = h("span", { class: "hint" });

  protected build(): void {
    this.state = new State<Values>(params, this.key, (name) => this.getAttribute(name));
    this.recall();
    this.stage.classList.add("pooling");
    this.example = new Example(this.stage, {
      value: (index, value) => this.type(index, value),
      carry: (from, to) => this.carry(from, to),
      drop: (from, to) => this.drop(from, to),
      inspectInput: (at) => this.inspectInput(at),
      inspectOutput: (way, at) => this.inspectOutput(way, at),
      press: (at) => this.goTo(at),
      weight: (index, value) => this.change({ rule: "custom", weights: this.weights().map((old, i) => (i === index ? value : old)) }),
      rule: (rule) => this.change({ rule, ...(rule === "custom" ? {} : { weights: [] }) }),
      undo: () => this.undo(),
      wrong: (words) => this.fail(words),
      restored: () => this.mend(),
    });
    this.maps = new Maps(this.stage, {
      move: (on, at) => void this.press(on, at),
      inspect: (on, at) => this.inspectMap({ on, at }),
      shift: (shift) => this.change({ shift }),
      limit: (limit) => this.change({ limit: limit as Values["limit"] }),
    });
    this.stage.after(h("div", { class: "facts" }, this.size, this.hint));
    this.timeline = new Timeline({
      interval: () => PACE[this.state.value.speed],
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
    this.shadowRoot!.addEventListener("keydown", (event) => this.keyed(event as KeyboardEvent));
  }

  protected async start(): Promise<void> {
    this.model = new Model(this.engine);
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

  /** Shows everything anew, after a computation or a change of theme. */
  protected draw(): void {
    const { model, state: { value } } = this;
    if (!model?.example) return;
    this.showExample();
    this.maps.show(model, value.map, value.shift, value.limit, this.dark);
    this.size.replaceChildren(sizeLine(model.example, model.map!, model.kernel, value.ceil));
    this.moveTo(this.index);
    this.tellMap(null);
  }

  private showExample(): void {
    const { model, earlier: before } = this;
    const [r0 = -1, c0 = 0, r1 = -1, c1 = 0] = this.state.value.moved;
    this.example.show(model.example!, model.before, [r0 * SIDE + c0, r1 * SIDE + c1], model.weights, this.state.value.rule, this.dark);
    this.example.undo.disabled = this.undoable.length === 0 && !before;
    this.example.line.replaceChildren(
      before && model.before ? moveLine(before.subject, model.example!, model.before) : h("span", { class: "quiet" }, "Nothing has moved yet. Drag a number, or focus it and press Shift with an arrow key."),
    );
  }

  protected reset(): void {
    this.timeline.pause();
    this.state.reset();
    this.forget();
    this.recall();
    this.mend();
    this.recompute({ picture: true, settings: true });
  }

  protected addressed(): void {
    if (!this.state.follow()) return;
    this.timeline.pause();
    this.forget();
    this.recall();
    this.recompute({ picture: true, settings: true });
  }

  protected link(): string {
    return this.state.link();
  }

  /** Lights what a symbol of the formula stands for. */
  light(role: string | null): void {
    this.stage.dataset.light = role ?? "";
  }

  /** Brings the figure into a prepared state. */
  async prepare(change: Partial<Values>): Promise<void> {
    this.timeline.pause();
    this.forget();
    this.state.set(change);
    this.recall();
    await this.settled({ settings: true }).catch((error) => this.fail(error));
  }

  /** Carries a value to another cell, and says which ways' first result that changed. */
  async demonstrate(from: number, to: number): Promise<Way[]> {
    this.base = undefined;
    this.keep();
    this.exchange(this.state.value.values, from, to);
    this.example.values.glide(from, to);
    await this.settled({ values: true });
    const { example, before } = this.model;
    const touched = WAYS.filter((way) => changed(way, example!, before).includes(0));
    this.example.markAnswer(touched);
    return touched;
  }

  markAnswer(ways: Way[]): void {
    this.example.markAnswer(ways);
  }

  /** What is shown; the question speaks of it. */
  get shows(): { now: Pooled; before: Pooled | undefined } {
    return { now: this.model.example!, before: this.model.before };
  }

  private weights(): number[] {
    return weightsOf(this.state.value);
  }

  private change(change: Partial<Values>): void {
    const { value } = this.state;
    // Weights of one's own belong to one size.
    if (change.kernel !== undefined && change.kernel !== value.kernel && value.rule === "custom") Object.assign(change, { rule: "difference", weights: [] });
    if (["kernel", "stride", "padding", "ceil"].some((name) => name in change)) this.anchor = this.spot;
    this.example.markAnswer([]);
    this.state.set(change);
    if ("picture" in change) this.spot = undefined;
    this.recompute({ settings: true, picture: "picture" in change || "map" in change });
  }

  protected override micrographChosen(): void {
    if (this.state.value.picture === "yours") this.recompute({ settings: true, picture: true });
  }

  private recompute(stale: Stale): void {
    this.controls.show(this.state.value);
    Object.assign(this.stale, stale);
    this.work();
  }

  /** As `recompute`, and waits for it. */
  private async settled(stale: Stale): Promise<void> {
    this.controls.show(this.state.value);
    Object.assign(this.stale, stale);
    await this.refresh();
  }

  private readonly work = (() => {
    const run = latest<void>(() => this.refresh(), (error) => this.fail(error));
    return () => run(undefined);
  })();

  private async refresh(): Promise<void> {
    const { picture, settings } = this.stale;
    this.stale = {};
    if (picture) await this.showPicture();
    if (settings || picture) return this.compute();
    await this.model.revalue(this.state.value.values, this.earlier?.values);
    this.showExample();
    this.moveTo(this.index);
  }

  private async compute(): Promise<void> {
    const { value } = this.state;
    const { kernel, padding, ceil, count: counted } = value;
    const stride = value.stride === "" ? undefined : Number(value.stride);
    await this.model.compute({ kernel, stride, padding, ceil, count: counted, weights: () => this.weights() }, sixteen(value.values), this.earlier?.values, value.shift);
    await this.stay();
    this.mend();
    this.draw();
    this.sayComputed();
  }

  /** Another window: it stays where the last one was on the map. */
  private async stay(): Promise<void> {
    const { anchor } = this;
    this.anchor = undefined;
    if (!anchor) return;
    const { max } = await this.model.reachOf(this.model.shifted!, anchor);
    const place = max[max.length >> 1];
    if (place) this.state.set({ place });
  }

  private async showPicture(): Promise<void> {
    const { picture, map } = this.state.value;
    const source = picture === "own" && this.own ? this.own : await (SOURCES.find(({ value }) => value === picture) ?? SOURCES[0]!).load(this.engine);
    await this.model.show(source, map === "edges");
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

  // What happens to the sixteen values.

  private type(index: number, value: number): void {
    const { values } = this.state.value;
    this.keep();
    const [row, col] = [Math.floor(index / SIDE), index % SIDE];
    this.earlier = { values, subject: `(${row}, ${col}) was ${written(values[index]!)} and is ${written(value)}` };
    this.state.set({ values: values.map((old, i) => (i === index ? value : old)), moved: [] });
    this.mend();
    this.recompute({ values: true });
  }

  private carry(from: number, to: number): void {
    this.timeline.pause();
    this.base ??= this.state.value.values;
    this.exchange(this.base, from, to);
    this.recompute({ values: true });
  }

  private drop(from: number, to: number): void {
    const byKeys = !this.base;
    const base = this.base ?? this.state.value.values;
    this.base = undefined;
    if (from !== to) this.undoable.push({ values: base, moved: [] });
    this.exchange(base, from, to);
    if (byKeys) this.example.values.glide(from, to);
    this.recompute({ values: true });
  }

  /** `base` with two values exchanged; the last move is known to the address too. */
  private exchange(base: number[], from: number, to: number): void {
    const moved = from === to ? [] : [Math.floor(from / SIDE), from % SIDE, Math.floor(to / SIDE), to % SIDE];
    this.example.markAnswer([]);
    this.state.set({ values: swapped(base, from, to), moved });
    this.recall();
  }

  /** What was before follows from the last move. */
  private recall(): void {
    const { values, moved } = this.state.value;
    const [r0, c0, r1, c1] = moved;
    const whole = moved.length === 4 && moved.every((i) => Number.isInteger(i) && i >= 0 && i < SIDE);
    if (values.length !== EXAMPLE.length) this.state.value.values = [...EXAMPLE];
    this.earlier = whole
      ? { values: swapped(values, r0! * SIDE + c0!, r1! * SIDE + c1!), subject: moveSubject(values, [r0!, c0!, r1!, c1!], SIDE) }
      : undefined;
    if (!whole && moved.length) this.state.value.moved = [];
  }

  private keep(): void {
    const { values, moved } = this.state.value;
    this.undoable.push({ values, moved });
  }

  private undo(): void {
    // A move that came with a link can be taken back too.
    const last = this.undoable.pop() ?? (this.earlier && { values: this.earlier.values, moved: [] });
    if (!last) return;
    this.state.set(last);
    this.recall();
    this.example.markAnswer([]);
    this.recompute({ values: true });
  }

  private forget(): void {
    this.undoable = [];
    this.base = undefined;
    this.spot = undefined;
    this.earlier = undefined;
    this.example.values.clear();
    this.example.weights.clear();
    this.example.markAnswer([]);
    this.controls.clear();
  }

  // The window on the example.

  private get index(): number {
    const [height, width] = this.model.example!.geometry.max.output;
    const [m = 0, n = 0] = this.state.value.at;
    return Math.min(height - 1, Math.max(0, Math.round(m))) * width + Math.min(width - 1, Math.max(0, Math.round(n)));
  }

  private goTo([m, n]: [number, number]): void {
    this.timeline.pause();
    this.moveTo(m * this.model.example!.geometry.max.output[1] + n);
  }

  private moveTo(index: number): void {
    const [height, width] = this.model.example!.geometry.max.output;
    const at = Math.max(0, Math.min(height * width - 1, index));
    const next: [number, number] = [Math.floor(at / width), at % width];
    if (next.join() !== this.state.value.at.join()) this.state.set({ at: next });
    this.controls.position(at, [height, width]);
    this.tell(next);
  }

  private step(by: 1 | -1): boolean {
    if (!this.model?.example) return false;
    const [height, width] = this.model.example.geometry.max.output;
    const next = this.index + by;
    this.moveTo(next);
    return next >= 0 && next < height * width - 1;
  }

  private playOrPause(): void {
    if (!this.model?.example) return;
    const [height, width] = this.model.example.geometry.max.output;
    if (!this.timeline.playing && this.index >= height * width - 1) this.moveTo(0);
    this.timeline.toggle();
  }

  private readonly tell = latest(
    async (at: [number, number]) => {
      const { example } = this.model;
      const [height, width] = example!.geometry.max.output;
      if (at[0] >= height || at[1] >= width) return;
      this.look = await this.model.look(example!, at);
      if (this.model.example !== example) return;
      this.example.tell(this.look, example!, this.model.kernel, this.dark);
      this.describeLook(this.look);
    },
    (error) => this.fail(error),
  );

  private describeLook({ at, rect, told }: Look): void {
    const parts = WAYS.map((way) => spoken(way, told[way], written));
    this.describe(`Window over rows ${rect.top} to ${rect.bottom} and columns ${rect.left} to ${rect.right}, output row ${at[0]}, column ${at[1]}: ${parts.join("; ")}.`);
  }

  private readonly inspectInput = latest(
    async (at: [number, number] | null) => {
      const { example } = this.model ?? {};
      if (!example) return;
      const reached = at && (await this.model.reachOf(example, at));
      this.example.lightOutputs(at, reached, example);
      const much = reached?.max.length ?? 0;
      this.hint.textContent = at ? `(${at.join(", ")}) is read by ${much === 0 ? "no window" : much === 1 ? "one window" : `${count(much)} windows`}` : "";
    },
    () => undefined,
  );

  private readonly inspect = latest(
    async ({ way, at }: { way: Way; at: [number, number] | null }) => {
      const { example } = this.model ?? {};
      if (!example) return;
      this.example.lightWindow(at && (await this.model.windowOf(example, way, at)));
      this.hint.textContent = at ? `${NAMES[way]} (${at.join(", ")}) was made from this window` : "";
    },
    () => undefined,
  );

  /** Points at a result: its window lights up, and its story is told as long as the pointer stays. */
  private inspectOutput(way: Way, at: [number, number] | null): void {
    this.inspect({ way, at });
    if (!this.model?.example || this.timeline.playing) return;
    const [, width] = this.model.example.geometry.max.output;
    this.tell(at ?? [Math.floor(this.index / width), this.index % width]);
  }

  // The window on the map.

  private readonly tellMap = latest(
    async (_: null) => {
      const { shifted } = this.model;
      const look = await this.model.look(shifted!, this.place);
      if (shifted !== this.model.shifted) return;
      const { top, left, bottom, right } = look.rect;
      const [height, width] = shifted!.size;
      const within = (i: number, size: number) => Math.max(0, Math.min(size - 1, i));
      this.spot ??= [within((top + bottom) >> 1, height), within((left + right) >> 1, width)];
      this.maps.tell(look);
    },
    (error) => this.fail(error),
  );

  private get place(): [number, number] {
    const [height, width] = this.model.shifted!.geometry.max.output;
    const [m = 0, n = 0] = this.state.value.place;
    return [Math.min(height - 1, Math.max(0, Math.round(m))), Math.min(width - 1, Math.max(0, Math.round(n)))];
  }

  private async press(on: Way | "input", pixel: [number, number]): Promise<void> {
    const { shifted } = this.model ?? {};
    if (!shifted) return;
    const reached = on === "input" ? (await this.model.reachOf(shifted, pixel).catch(() => undefined))?.max : [pixel];
    const place = reached?.[Math.floor(reached.length / 2)];
    if (!place) return;
    this.goToPlace(place);
  }

  private goToPlace(place: [number, number]): void {
    this.state.set({ place });
    this.state.set({ place: this.place });
    this.spot = undefined;
    this.tellMap(null);
  }

  private readonly inspectMap = latest(
    async ({ on, at }: { on: Way | "input"; at: [number, number] | null }) => {
      const { shifted } = this.model ?? {};
      if (!shifted) return;
      this.maps.lightWindow(at && on !== "input" ? await this.model.windowOf(shifted, on, at) : null);
      this.maps.lightOutputs(at && on === "input" ? await this.model.reachOf(shifted, at) : null);
    },
    () => undefined,
  );

  private keyed(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const moves: Record<string, [number, number]> = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    // In a slide these keys would turn the page.
    if (event.key in moves || [" ", "Home", "End", "PageUp", "PageDown"].includes(event.key)) event.stopPropagation();
    if (!this.model?.example || target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = moves[event.key];
    if (move && this.maps.pictureOf(target)) {
      event.preventDefault();
      return this.goToPlace([this.place[0] + move[0], this.place[1] + move[1]]);
    }
    if (target.matches("button")) return;
    const act = { " ": () => this.playOrPause(), Home: () => this.moveTo(0), End: () => this.moveTo(Infinity) }[event.key];
    if (!act) return;
    event.preventDefault();
    if (event.key !== " ") this.timeline.pause();
    act();
  }
}

const sixteen = (values: number[]): number[] => (values.length === EXAMPLE.length ? values : EXAMPLE);
