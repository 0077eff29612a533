/** A grid of numbers: a zoomed crop of a picture, a table of products. Focus moves in it with the arrow keys. */
import { h, write } from "./dom";

export interface Cell {
  text: string;
  /** A small second line above the number. */
  detail?: string;
  fill: string;
  ink: string;
  /** Space-separated: "tap", "now", "lit", "pad", "void". */
  classes?: string;
  /** What a screen reader says. */
  label: string;
}

export interface GridOptions {
  /** A class of its own. */
  name: string;
  label: string;
  /** Pointer or focus on a cell, or null when both have left. */
  point(at: [number, number] | null): void;
  press?(at: [number, number]): void;
}

/** Under this width in CSS pixels a number would be smaller than 11 px: the cell shows only its colour. */
const LEGIBLE = 23;

export class Grid {
  readonly element: HTMLElement;
  private rows = 0;
  private cols = 0;
  private cells: HTMLElement[] = [];
  private shown: Cell[] = [];
  private focus: [number, number] = [0, 0];

  constructor(private options: GridOptions) {
    this.element = h("div", { class: `grid ${options.name}`, role: "grid", "aria-label": options.label, onkeydown: (event: KeyboardEvent) => this.key(event) });
    const under = (event: Event) => this.indexOf(event.target as Node);
    this.element.addEventListener("pointerover", (event) => {
      const at = under(event);
      if (at) options.point(at);
    });
    this.element.addEventListener("pointerleave", () => options.point(null));
    this.element.addEventListener("focusin", (event) => {
      const at = under(event);
      if (at && (event.target as Element).matches(":focus-visible")) options.point(at);
    });
    this.element.addEventListener("focusout", () => options.point(null));
    this.element.addEventListener("click", (event) => {
      const at = under(event);
      if (at) options.press?.(at);
    });
    new ResizeObserver(([entry]) => {
      const width = entry!.contentRect.width / (this.cols || 1);
      this.element.classList.toggle("tiny", width < LEGIBLE);
      this.element.style.setProperty("--cell", `${width}px`);
    }).observe(this.element);
  }

  /** `cells` in reading order. Only what differs from before is touched: grids follow a hand that drags. */
  show(rows: number, cols: number, cells: Cell[]): void {
    if (rows !== this.rows || cols !== this.cols) this.resize(rows, cols);
    cells.forEach((cell, i) => {
      const element = this.cells[i]!;
      const before = this.shown[i];
      const classes = `cell ${cell.classes ?? ""}`;
      if (element.className !== classes) element.className = classes;
      if (cell.fill !== before?.fill) element.style.background = cell.fill;
      if (cell.ink !== before?.ink) element.style.color = cell.ink;
      if (cell.text !== before?.text || cell.detail !== before.detail || cell.label !== before.label) tell(element, cell);
    });
    this.shown = cells;
  }

  at(row: number, col: number): HTMLElement | undefined {
    return this.cells[row * this.cols + col];
  }

  /** Marks cells by index with a class, taking it from all others. */
  mark(name: string, indices: number[]): void {
    const wanted = new Set(indices);
    this.cells.forEach((cell, i) => cell.classList.toggle(name, wanted.has(i)));
  }

  private resize(rows: number, cols: number): void {
    const had = this.element.contains((this.element.getRootNode() as ShadowRoot).activeElement);
    [this.rows, this.cols] = [rows, cols];
    this.focus = [Math.min(this.focus[0], rows - 1), Math.min(this.focus[1], cols - 1)];
    this.shown = [];
    this.cells = Array.from({ length: rows * cols }, () => h("div", { role: "gridcell", class: "cell", tabindex: -1 }));
    this.element.style.setProperty("--cols", String(cols));
    this.element.replaceChildren(
      ...Array.from({ length: rows }, (_, row) => h("div", { role: "row", class: "row" }, ...this.cells.slice(row * cols, (row + 1) * cols))),
    );
    const start = this.at(...this.focus);
    if (start) start.tabIndex = 0;
    if (had) start?.focus();
    const width = this.element.clientWidth / cols;
    this.element.classList.toggle("tiny", width > 0 && width < LEGIBLE);
    this.element.style.setProperty("--cell", `${width}px`);
  }

  private indexOf(node: Node): [number, number] | null {
    const cell = (node instanceof Element ? node : node.parentElement)?.closest<HTMLElement>(".cell");
    const index = cell ? this.cells.indexOf(cell) : -1;
    return index < 0 ? null : [Math.floor(index / this.cols), index % this.cols];
  }

  private key(event: KeyboardEvent): void {
    const moves: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const move = moves[event.key];
    if (event.key === "Enter" && this.options.press) this.options.press(this.focus);
    else if (!move) return;
    else {
      const [row, col] = [this.focus[0] + move[0], this.focus[1] + move[1]];
      const next = row >= 0 && col >= 0 && row < this.rows && col < this.cols ? this.at(row, col) : undefined;
      if (next) {
        this.at(...this.focus)!.tabIndex = -1;
        this.focus = [row, col];
        next.tabIndex = 0;
        next.focus();
      }
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Its one or two lines, in the elements that are there already where as many are. Screen readers hear more than stands there. */
function tell(element: HTMLElement, { text, detail, label }: Cell): void {
  const lines = detail === undefined ? [text] : [detail, text];
  const { children } = element;
  if (children.length === lines.length) lines.forEach((line, i) => write(children[i]!, line));
  else if (detail === undefined) element.replaceChildren(h("b", {}, text));
  else element.replaceChildren(h("small", {}, detail), " ", h("b", {}, text));
  // Words that hold the shown number are the cell's name; others describe it, and the number names it itself.
  const named = detail === undefined && (text === "" || label.split(/[\s,:()]+/).includes(text));
  const [used, unused] = named ? ["aria-label", "aria-description"] : ["aria-description", "aria-label"];
  element.setAttribute(used!, label);
  element.removeAttribute(unused!);
}
