/** The frame that all figures share: when to start, where to say what went wrong, how it was computed. */
import type { Engine } from "../engine/api";
import { h, icon } from "./dom";
import { host } from "./host";
import { iconButton } from "./controls";
import { CHOSEN } from "./chosen";
import { type Embedded, embedRow, frameAddress } from "./embed";
import { keepKeys } from "./keys";
import { Place } from "./place";
import { UNASKED } from "./question";
import type { State } from "./state";
import { isDark, SCHEME } from "./theme";
import css from "./figure.css";

/** One sheet for each text, shared by all figures. */
const sheets = new Map<string, CSSStyleSheet>();
/** Attributes that are not a lesson's parameters. */
const LOOK = ["controls", "hide", "theme", "fit", "autoplay"];

export abstract class Figure extends HTMLElement {
  protected readonly stage = h("div", { class: "stage", part: "stage" });
  protected readonly strip = h("div", { class: "strip", part: "controls" });
  protected engine!: Engine;
  private readonly status = h("span", { class: "status", part: "status" });
  private readonly alert = h("p", { class: "message", part: "message", role: "alert", hidden: true });
  private readonly equivalent = h("p", { class: "hidden", role: "status" });
  private readonly below = h("div", { class: "below", part: "question" });
  private built = false;
  private started = false;
  private inView = false;
  private readonly missed = new Set<"draw" | "micrographChosen">();
  #place: Place | undefined;
  #frameElement!: HTMLElement;
  readonly #watched = new MutationObserver((records) => this.#attributesChanged(records));
  #refused: string[] = [];
  #playing = false;
  private listening: AbortController | undefined;
  private settle: ReturnType<typeof setTimeout> | undefined;

  /** One imperative line: what to try. */
  protected abstract readonly invitation: string;
  /** Rules of this figure alone. */
  protected readonly css: string = "";
  /** The lesson's parameters. */
  protected abstract readonly state: State<any>;
  protected abstract build(): void;
  /** Called once, when the figure first comes into view. */
  protected abstract start(): Promise<void>;
  protected abstract draw(): void;
  protected shown(_visible: boolean): void {}
  /** The reader has chosen another micrograph for the whole page. */
  protected micrographChosen(): void {}
  /** The page's address has changed: a link in the text may speak of this figure. */
  protected abstract addressed(): void;
  protected abstract reset(): void;
  protected abstract link(): string;

  /** The name under which the URL knows this figure. */
  get key(): string {
    return this.dataset.key || this.id || this.localName.replace(/^ks-/, "");
  }

  get dark(): boolean {
    return isDark(this);
  }

  /** The lesson's parameters as they are now. Setting some of them is as if the reader had: the rest stays. */
  get values(): Record<string, unknown> {
    return this.built ? { ...this.state.value } : {};
  }

  set values(change: Record<string, unknown>) {
    if (!this.built) this.frame();
    const { values, refused } = this.state.understand(Object.entries(change));
    if (refused.length) throw new Error(`${this.localName}: ${refused.join("; ")}`);
    this.state.take(values);
    this.#bring();
  }

  /** What can be set: names, kinds, choices, and what each is at first. */
  get lesson(): State<any>["parameters"] {
    if (!this.built) this.frame();
    return this.state.parameters;
  }

  /** Today's state as text, as `at` takes it. */
  get prepared(): string {
    return this.built ? this.state.text : "";
  }

  set prepared(text: string) {
    this.setAttribute("at", text);
  }

  get theme(): string {
    return this.getAttribute("theme") ?? "auto";
  }

  set theme(theme: string) {
    this.setAttribute("theme", theme);
  }

  /** The engine's last complaint; empty when all is well. */
  get error(): string {
    return this.getAttribute("data-error") ?? "";
  }

  /** Lets time run, in figures that have time; from the beginning when it has reached the end. */
  play(): void {
    this.#time("Play");
  }

  pause(): void {
    this.#time("Pause");
  }

  /** One step of the figure's time, forwards or back. False in figures without time. */
  stepBy(by: 1 | -1 = 1): boolean {
    const [, back, next] = this.strip.querySelectorAll<HTMLButtonElement>(".time > button");
    const button = by > 0 ? next : back;
    button?.click();
    return button !== undefined;
  }

  #time(label: "Play" | "Pause"): void {
    this.strip.querySelector<HTMLButtonElement>(`.time > button[aria-label="${label}"]`)?.click();
  }

  connectedCallback(): void {
    if (!this.built) this.frame();
    this.listening = new AbortController();
    const { signal } = this.listening;
    matchMedia(SCHEME).addEventListener("change", () => this.#recolour(), { signal });
    addEventListener("hashchange", () => this.started && this.addressed(), { signal });
    addEventListener(CHOSEN, () => this.later("micrographChosen"), { signal });
    addEventListener("kernelscope-theme", () => this.#recolour(), { signal });
    this.#watched.observe(this, { attributes: true, attributeOldValue: true });
    this.state.addressed = this.getAttribute("address") !== "off" && !this.closest(".reveal");
    this.#wearTheme();
    this.#place = new Place(this, this.#frameElement, {
      shown: (visible, still) => this.#seen(visible, still),
      prepared: (state) => this.#prepareFrom(state),
    });
  }

  disconnectedCallback(): void {
    this.#place?.leave();
    this.#place = undefined;
    this.#watched.disconnect();
    this.listening?.abort();
  }

  #seen(visible: boolean, still: boolean): void {
    this.inView = visible;
    this.#frameElement.classList.toggle("still", still);
    if (visible && !this.started) void this.begin();
    else if (visible) this.catchUp();
    this.#playing = visible && !still;
    this.shown(visible && !still);
    this.#autoplay();
  }

  /** Starts by itself where the page asks for it, and never against the reader's wish for calm. */
  #autoplay(): void {
    if (!this.#playing || this.dataset.state !== "ready" || !this.hasAttribute("autoplay")) return;
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.play();
  }

  /** A slide's fragment asks for a state, counted from the figure's beginning. */
  #prepareFrom(text: string | null): void {
    const { values, refused } = this.state.read(text ?? "");
    if (refused.length) this.#complain(refused);
    this.state.take(values, { from: "start" });
    this.#bring();
  }

  /** Shows values that came from outside; a figure that has not started begins with them. */
  #bring(): void {
    if (this.started && this.dataset.state !== "starting") this.addressed();
  }

  #attributesChanged(records: MutationRecord[]): void {
    const names = new Set(records.filter(({ attributeName, oldValue }) => oldValue !== this.getAttribute(attributeName!)).map(({ attributeName }) => attributeName!));
    const lesson = [...names].filter((name) => this.state.parameters.some(({ attribute }) => attribute === name));
    if (lesson.length || names.has("at")) {
      // A prepared state is a whole one: what it does not name is as at first.
      const whole = names.has("at");
      const { values, refused } = whole ? this.#asked() : this.#given(lesson);
      this.#complain(refused);
      this.state.begin(whole ? { ...this.state.plain, ...values } : values);
      this.state.take({});
      this.#bring();
    }
    if (names.has("theme")) this.#recolour();
    if (names.has("autoplay")) this.#autoplay();
  }

  /** What attributes ask for: `at="name=value&…"` is a whole prepared state, beneath the single ones. */
  #asked(): { values: object; refused: string[] } {
    const at = this.getAttribute("at") ?? "";
    const prepared = at.includes("=") ? this.state.read(at) : { values: {}, refused: [] };
    const single = this.#given(this.state.parameters.map(({ attribute }) => attribute));
    return { values: { ...prepared.values, ...single.values }, refused: [...prepared.refused, ...single.refused] };
  }

  #given(names: string[]): { values: object; refused: string[] } {
    const single = names.filter((name) => this.hasAttribute(name) && !(name === "at" && this.getAttribute(name)!.includes("=")));
    return this.state.understand(single.map((name) => [name, this.getAttribute(name)]));
  }

  /** What a page's author wrote and no figure understands: said to the author, and at the figure when it has started. */
  #complain(refused: string[]): void {
    if (refused.length === 0) return;
    this.#refused = refused.map((words) => `<${this.localName}>: ${words}`);
    for (const words of this.#refused) console.warn(words);
    if (this.dataset.state === "ready") this.fail(this.#refused.join(". "));
  }

  #recolour(): void {
    this.#wearTheme();
    this.later("draw");
  }

  #wearTheme(): void {
    this.#frameElement.dataset.theme = this.dark ? "dark" : "light";
  }

  private frame(): void {
    this.built = true;
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [css, this.css].map(sheetOf);
    const number = this.getAttribute("number");
    // Before the figures' own listeners: they hear the keys first, since they sit deeper.
    keepKeys(this, root, () => this.#place?.inDeck ?? false);
    // Native events of the controls would reach the page besides the figure's own.
    for (const type of ["input", "change"]) root.addEventListener(type, (event) => event.stopPropagation());
    root.append(
      (this.#frameElement = h(
        "figure",
        // The words are English, whatever the language of the page around them.
        { class: "frame", part: "frame", lang: "en", "aria-label": `${number ? `Figure ${number}. ` : ""}${this.invitation}` },
        h("div", { class: "head", part: "head" }, number ? h("b", {}, `Figure ${number}`) : null, h("span", { class: "try" }, this.invitation), this.status),
        this.stage,
        this.alert,
        this.strip,
        this.equivalent,
        h("figcaption", { part: "caption" }, h("slot")),
        this.below,
      )),
    );
    this.setAttribute("data-state", "waiting");
    this.build();
    const { values, refused } = this.#asked();
    this.state.begin(values, { atFirst: true });
    this.#complain(refused);
  }

  /** Off screen a figure rests: what has changed meanwhile is shown when it is seen again. */
  private later(what: "draw" | "micrographChosen"): void {
    if (!this.started) return;
    this.missed.add(what);
    if (this.inView) this.catchUp();
  }

  private catchUp(): void {
    const missed = [...this.missed];
    this.missed.clear();
    for (const what of missed) this[what]();
  }

  private async begin(): Promise<void> {
    this.started = true;
    this.setAttribute("data-state", "starting");
    this.say("starting the engine …");
    try {
      this.engine = await host.engine();
      await this.start();
      this.setAttribute("data-state", "ready");
      // What a figure settles while it starts is nobody's change.
      this.state.listen((kind) => this.dispatchEvent(new CustomEvent(kind, { bubbles: true, composed: true, detail: this.values })));
      if (this.#refused.length) this.fail(this.#refused.join(". "));
      this.dispatchEvent(new Event("ready"));
      this.#bringLate();
      this.#autoplay();
    } catch (error) {
      this.setAttribute("data-state", "failed");
      this.say("");
      this.fail(error);
    }
  }

  /** What came from outside while the figure was starting. */
  #bringLate(): void {
    if (this.state.waiting) this.addressed();
  }

  /** The grey words at the right of the head: where and how fast it was computed. */
  protected say(words: string): void {
    this.status.textContent = words;
  }

  protected sayComputed(engine = this.engine): void {
    const { last, simd } = engine.stats();
    const where = last?.backend === "webgpu" ? "computed on the graphics card" : simd === "scalar" ? "computed here" : "computed here · SIMD";
    this.say(last ? `${where} · ${last.ms < 0.95 ? last.ms.toFixed(1) : last.ms < 10 ? last.ms.toFixed(1) : Math.round(last.ms)} ms` : where);
    this.status.title = `Computed by this page ${engine.reason}.`;
  }

  /** A sentence at the figure; the figure itself stays as it last was. */
  protected fail(error: unknown): void {
    if (error instanceof Error && error.name === "AbortError") return;
    const words = error instanceof Error ? error.message : String(error);
    this.alert.replaceChildren(h("span", {}, words));
    this.alert.hidden = false;
    if (this.error === words) return;
    this.setAttribute("data-error", words);
    this.dispatchEvent(new CustomEvent("error", { detail: words }));
  }

  protected mend(): void {
    if (this.alert.hidden) return;
    this.alert.hidden = true;
    this.alert.replaceChildren();
    this.removeAttribute("data-error");
  }

  /** The figure in words, for those who do not see it; said when things have come to rest. */
  protected describe(words: string): void {
    clearTimeout(this.settle);
    this.settle = setTimeout(() => (this.equivalent.textContent = words), 400);
  }

  protected addBelow(element: HTMLElement): void {
    this.below.append(element);
    if (this.#place?.printed || this.matches("[controls=none], [controls=minimal], [hide~=question]")) element.dispatchEvent(new Event(UNASKED));
  }

  /** Reset, link and the ways to take the figure elsewhere, at the end of every strip. */
  protected ending(): HTMLElement {
    const copy: HTMLButtonElement = iconButton("link", "Copy a link to this state", () => void this.copyLink(copy));
    const { button, row } = embedRow(() => ({ ...this.#embedded(), link: this.#address() }));
    this.strip.after(row);
    return h("span", { class: "ending", part: "ending" }, iconButton("reset", "Reset the figure", () => this.reset()), copy, button);
  }

  #embedded(): Omit<Embedded, "link"> {
    const look = LOOK.filter((name) => this.hasAttribute(name)).map((name): [string, string] => [name, this.getAttribute(name)!]);
    return { tag: this.localName, state: this.state.given, look };
  }

  /** A link to the present state: in this page, or, where a deck keeps its own place in the address, in a page of its own. */
  #address(): string {
    return this.#place?.inDeck ? frameAddress(this.#embedded()) : this.link();
  }

  private async copyLink(button: HTMLButtonElement): Promise<void> {
    const address = this.#address();
    try {
      await navigator.clipboard.writeText(address);
      button.replaceChildren("copied");
    } catch {
      // file:// and some frames have no clipboard: show the link to copy by hand.
      const field = h("input", { class: "linkfield", readonly: true, value: address, "aria-label": "Link to this state", onblur: () => field.remove() });
      button.before(field);
      field.select();
      return;
    }
    setTimeout(() => button.replaceChildren(icon("link")), 1200);
  }
}

function sheetOf(css: string): CSSStyleSheet {
  let sheet = sheets.get(css);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    sheets.set(css, sheet);
  }
  return sheet;
}
