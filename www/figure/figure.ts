/** The frame that all figures share: when to start, where to say what went wrong, how it was computed. */
import type { Engine } from "../engine/api";
import { h, icon } from "./dom";
import { host } from "./host";
import { iconButton } from "./controls";
import { CHOSEN } from "./chosen";
import css from "./figure.css";

/** One sheet for each text, shared by all figures. */
const sheets = new Map<string, CSSStyleSheet>();
const THEME = "(prefers-color-scheme: dark)";

export abstract class Figure extends HTMLElement {
  protected readonly stage = h("div", { class: "stage" });
  protected readonly strip = h("div", { class: "strip" });
  protected engine!: Engine;
  private readonly status = h("span", { class: "status" });
  private readonly alert = h("p", { class: "message", role: "alert", hidden: true });
  private readonly equivalent = h("p", { class: "hidden", role: "status" });
  private readonly below = h("div", { class: "below" });
  private built = false;
  private started = false;
  private inView = false;
  private readonly missed = new Set<"draw" | "micrographChosen">();
  private seen: IntersectionObserver | undefined;
  private listening: AbortController | undefined;
  private settle: ReturnType<typeof setTimeout> | undefined;

  /** One imperative line: what to try. */
  protected abstract readonly invitation: string;
  /** Rules of this figure alone. */
  protected readonly css: string = "";
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
    const asked = this.closest("[data-theme]")?.getAttribute("data-theme");
    return asked ? asked === "dark" : matchMedia(THEME).matches;
  }

  connectedCallback(): void {
    if (!this.built) this.frame();
    this.listening = new AbortController();
    const { signal } = this.listening;
    matchMedia(THEME).addEventListener("change", () => this.later("draw"), { signal });
    addEventListener("hashchange", () => this.started && this.addressed(), { signal });
    addEventListener(CHOSEN, () => this.later("micrographChosen"), { signal });
    addEventListener("kernelscope-theme", () => this.later("draw"), { signal });
    this.seen = new IntersectionObserver(
      ([entry]) => {
        const visible = entry?.isIntersecting ?? false;
        this.inView = visible;
        if (visible && !this.started) void this.begin();
        else if (visible) this.catchUp();
        this.shown(visible);
      },
      { rootMargin: "120px" },
    );
    this.seen.observe(this);
  }

  disconnectedCallback(): void {
    this.shown(false);
    this.seen?.disconnect();
    this.listening?.abort();
  }

  private frame(): void {
    this.built = true;
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [css, this.css].map(sheetOf);
    const number = this.getAttribute("number");
    root.append(
      h(
        "figure",
        { class: "frame", "aria-label": `${number ? `Figure ${number}. ` : ""}${this.invitation}` },
        h("div", { class: "head" }, number ? h("b", {}, `Figure ${number}`) : null, h("span", { class: "try" }, this.invitation), this.status),
        this.stage,
        this.alert,
        this.strip,
        this.equivalent,
        h("figcaption", {}, h("slot")),
        this.below,
      ),
    );
    this.setAttribute("data-state", "waiting");
    this.build();
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
      this.dispatchEvent(new Event("ready"));
    } catch (error) {
      this.setAttribute("data-state", "failed");
      this.say("");
      this.fail(error);
    }
  }

  /** The grey words at the right of the head: where and how fast it was computed. */
  protected say(words: string): void {
    this.status.textContent = words;
  }

  protected sayComputed(): void {
    const { last, simd } = this.engine.stats();
    const where = simd === "scalar" ? "computed here" : "computed here · SIMD";
    this.say(last ? `${where} · ${last.ms < 0.95 ? last.ms.toFixed(1) : last.ms < 10 ? last.ms.toFixed(1) : Math.round(last.ms)} ms` : where);
    this.status.title = `Computed by this page ${this.engine.reason}.`;
  }

  /** A sentence at the figure; the figure itself stays as it last was. */
  protected fail(error: unknown): void {
    if (error instanceof Error && error.name === "AbortError") return;
    const words = error instanceof Error ? error.message : String(error);
    this.alert.replaceChildren(h("span", {}, words));
    this.alert.hidden = false;
    this.setAttribute("data-error", words);
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
  }

  /** Reset and link, at the end of every strip. */
  protected ending(): HTMLElement {
    const copy: HTMLButtonElement = iconButton("link", "Copy a link to this state", () => void this.copyLink(copy));
    return h("span", { class: "ending" }, iconButton("reset", "Reset the figure", () => this.reset()), copy);
  }

  private async copyLink(button: HTMLButtonElement): Promise<void> {
    const address = this.link();
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
