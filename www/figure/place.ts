/**
 * Where a figure stands. In a page it is at work while it is in view. In a deck (reveal.js) it is at work on the present
 * slide only, is made to fit that slide, and shows what the slide's fragments say; a printed deck shows it at rest.
 */

const DECK = ".reveal";
const PREPARED = "data-ks-at";

export interface PlaceEvents {
  /** In view and, in a deck, on the present slide. `still` where the deck is being printed: draw, but do not play. */
  shown(visible: boolean, still: boolean): void;
  /** The state that the slide's fragments ask for; null for the figure's own beginning. */
  prepared(state: string | null): void;
}

export class Place {
  private readonly deck: Element | null;
  private readonly slides: Element[];
  private readonly seen: IntersectionObserver;
  private readonly changes = new MutationObserver(() => this.look());
  private readonly sizes = new ResizeObserver(() => this.fit());
  private inView = false;
  private was: string | undefined;
  private last: Element | null | undefined;

  constructor(private figure: HTMLElement, private frame: HTMLElement, private events: PlaceEvents) {
    this.deck = figure.closest(DECK);
    this.slides = this.deck ? ancestors(figure, "section") : [];
    this.seen = new IntersectionObserver(([entry]) => {
      this.inView = entry?.isIntersecting ?? false;
      this.tell();
    }, { rootMargin: "120px" });
    this.seen.observe(figure);
    if (!this.deck) return;
    figure.addEventListener("pointerdown", holdSwipe, { capture: true });
    // Decks say by classes which slide is present; that holds for every version and every way of navigating.
    for (const element of [...this.slides, this.deck, document.documentElement]) this.changes.observe(element, { attributes: true, attributeFilter: ["class", "hidden"] });
    const slide = this.slides[0];
    if (slide) this.changes.observe(slide, { attributes: true, attributeFilter: ["class"], subtree: true });
    this.sizes.observe(frame);
    this.look();
  }

  get inDeck(): boolean {
    return this.deck !== null;
  }

  leave(): void {
    this.figure.removeEventListener("pointerdown", holdSwipe, { capture: true });
    this.seen.disconnect();
    this.changes.disconnect();
    this.sizes.disconnect();
    this.inView = false;
    this.tell();
  }

  /** Whether the deck is laid out to be printed: nobody can ask or answer there. */
  get printed(): boolean {
    return this.deck !== null && document.documentElement.matches(".reveal-print, .print-pdf");
  }

  private get present(): boolean {
    return this.slides.every((slide) => slide.classList.contains("present"));
  }

  private look(): void {
    this.tell();
    this.follow();
    this.fit();
  }

  private tell(): void {
    const { printed } = this;
    const overview = this.deck?.classList.contains("overview") ?? false;
    // In the overview every slide shows what it last showed, and rests.
    const visible = printed || (this.inView && this.present && !overview);
    const now = `${visible} ${printed}`;
    if (now === this.was) return;
    this.was = now;
    this.events.shown(visible, printed);
  }

  /** The last visible fragment that prepares a state decides; going back, the one before it does. */
  private follow(): void {
    const slide = this.slides[0];
    if (!slide) return;
    const mine = [...slide.querySelectorAll<HTMLElement>(`.fragment[${PREPARED}]`)].filter((fragment) => {
      const whose = fragment.dataset.ksFor;
      return !whose || whose === this.figure.id || whose === this.figure.localName;
    });
    if (mine.length === 0) return;
    const shown = mine.filter((fragment) => fragment.classList.contains("visible"));
    const order = (fragment: HTMLElement) => Number(fragment.dataset.fragmentIndex ?? 0);
    const last = shown.sort((a, b) => order(a) - order(b)).at(-1) ?? null;
    if (last === this.last) return;
    const first = this.last === undefined;
    this.last = last;
    if (!first || last) this.events.prepared(last?.getAttribute(PREPARED) ?? null);
  }

  /**
   * Makes the whole figure as large as the slide has room for, like a picture; `fit="none"` leaves it alone. Laid out at a
   * reading width and then scaled, its letters grow with it. Of several widths the one is taken that shows most.
   */
  private fit(): void {
    const { figure, frame } = this;
    const slide = this.slides[0];
    if (!slide || !figure.isConnected) return;
    if (figure.getAttribute("fit") === "none") return this.wear(null);
    // Without an own height a slide is as high as its text; the room is what the deck's configuration says.
    const room = Number.parseFloat(getComputedStyle(slide.closest(".slides, .pdf-page") ?? slide).height) || 0;
    const width = figure.clientWidth;
    const free = room - offsetWithin(figure, slide) - heightBelow(figure, slide) - MARGIN;
    if (!width || free < 80) return;
    let best = { width: 0, scale: 0, height: 0, shown: -1 };
    frame.classList.add("fitted");
    for (const layout of WIDTHS) {
      frame.style.setProperty("--layout", `${layout}px`);
      const height = frame.offsetHeight;
      if (!height) return;
      const scale = Math.min(width / layout, free / height);
      const shown = scale * (layout * scale) ** 2;
      if (shown > best.shown) best = { width: layout, scale, height, shown };
    }
    this.wear({ ...best, left: (width - best.width * best.scale) / 2 });
  }

  /** Decks centre their slides by the height that the slides had when they were laid out. */
  private centre(): void {
    const slide = this.slides[0] as HTMLElement;
    if (!this.printed) dispatchEvent(new Event("resize"));
    else if (Number.parseFloat(slide.style.top) > 0) {
      const room = Number.parseFloat(getComputedStyle(slide.closest(".pdf-page") ?? slide).height);
      slide.style.top = `${Math.max(0, (room - slide.offsetHeight) / 2)}px`;
    }
  }

  private wear(size: { width: number; scale: number; height: number; left: number } | null): void {
    const { figure, frame } = this;
    frame.classList.toggle("fitted", size !== null);
    const height = size ? `${Math.ceil(size.height * size.scale)}px` : "";
    const grown = figure.style.height !== height;
    figure.style.height = height;
    if (grown) this.centre();
    if (!size) return;
    frame.style.setProperty("--layout", `${size.width}px`);
    frame.style.setProperty("--fit", `translateX(${size.left.toFixed(1)}px) scale(${size.scale.toFixed(4)})`);
  }
}

/** Widths that figures are laid out in on slides, and the room that is left below them, in CSS pixels. */
const WIDTHS = [740, 820, 960, 1120, 1280];
const MARGIN = 16;

/** A finger that drags something in a figure turns no slide; beside it, it does. Decks look at this attribute when a finger comes down. */
function holdSwipe(event: Event): void {
  const figure = event.currentTarget as HTMLElement;
  const path = event.composedPath();
  const inside = path.slice(0, path.indexOf(figure)).filter((target) => target instanceof Element);
  const dragged = inside.some((element) => element.matches("input[type=range]") || getComputedStyle(element).touchAction !== "auto");
  figure.toggleAttribute("data-prevent-swipe", dragged);
}

function ancestors(element: Element, name: string): Element[] {
  const found: Element[] = [];
  for (let at = element.parentElement; at && !at.matches(DECK); at = at.parentElement) if (at.localName === name) found.push(at);
  return found;
}

/** The height that stands above an element in its slide, in the slide's own pixels. */
function offsetWithin(element: HTMLElement, slide: Element): number {
  const scale = (slide as HTMLElement).offsetWidth ? slide.getBoundingClientRect().width / (slide as HTMLElement).offsetWidth : 1;
  return (element.getBoundingClientRect().top - slide.getBoundingClientRect().top) / (scale || 1);
}

/** The height of what follows the figure in its slide: of its next siblings. */
function heightBelow(element: HTMLElement, slide: Element): number {
  let sum = 0;
  for (let at: Element | null = element; at && at !== slide; at = at.parentElement) {
    for (let next = at.nextElementSibling; next; next = next.nextElementSibling) {
      if (!(next instanceof HTMLElement) || next.matches("aside.notes, script, style")) continue;
      const { marginTop, marginBottom, position } = getComputedStyle(next);
      if (position !== "absolute") sum += next.offsetHeight + (Number.parseFloat(marginTop) || 0) + (Number.parseFloat(marginBottom) || 0);
    }
  }
  return sum;
}
