/** A square of numbers that can be typed into and, where wanted, carried to another cell by pointer or keys. */
import { colour, type Scale } from "../../draw/colormaps";
import { parseNumber, weight as written } from "../../draw/numbers";
import { h, svg } from "../../figure/dom";

export interface NumberGridOptions {
  name: string;
  label: string;
  /** What one number is called: "value", "weight". */
  unit: string;
  change(index: number, value: number): void;
  wrong(words: string): void;
  /** What was typed has been given up. */
  restored(): void;
  point(at: [number, number] | null): void;
  /** A number is being carried; `to` is `from` again when it is put back. */
  carry?(from: number, to: number): void;
  /** It was let go. */
  drop?(from: number, to: number): void;
}

/** Pixels a pointer may tremble before a press becomes a drag. */
const SLACK = 6;

export class NumberGrid {
  readonly element: HTMLElement;
  private cells: HTMLInputElement[] = [];
  private arrow = svg("svg", { class: "carried", "aria-hidden": "true" });
  private size = 0;
  private values: number[] = [];
  private text: string[] = [];
  private drag: { from: number; over: number; x: number; y: number; moving: boolean } | undefined;

  constructor(private options: NumberGridOptions) {
    this.element = h("div", { class: `numbers ${options.name}`, role: "group", "aria-label": options.label });
    const { element } = this;
    element.addEventListener("pointerover", (event) => this.tell(event.target));
    element.addEventListener("pointerleave", () => options.point(null));
    element.addEventListener("focusin", (event) => this.tell(event.target));
    element.addEventListener("focusout", () => options.point(null));
    if (options.carry) this.carrying();
  }

  get dragging(): boolean {
    return this.drag?.moving ?? false;
  }

  show(size: number, values: number[], scale: Scale): void {
    if (size !== this.size) this.resize(size);
    this.values = [...values];
    values.forEach((value, i) => {
      const cell = this.cells[i]!;
      const now = size > 4 ? written(Number(value.toPrecision(2))) : written(value);
      // What is being typed is the reader's; it is taken when it is a number.
      if (now !== this.text[i] || (parseNumber(cell.value) !== value && !cell.hasAttribute("aria-invalid"))) {
        this.text[i] = now;
        cell.value = now;
        cell.removeAttribute("aria-invalid");
        // The next thing typed replaces the new number, as it would have replaced the old one.
        if (cell === (this.element.getRootNode() as ShadowRoot).activeElement) cell.select();
      }
      cell.title = written(value) === now ? "" : String(value);
      const { fill, ink } = colour(scale, value);
      cell.style.background = fill;
      cell.style.color = ink;
    });
  }

  clear(): void {
    for (const cell of this.cells) cell.removeAttribute("aria-invalid");
    this.text = [];
  }

  mark(name: string, indices: number[]): void {
    const wanted = new Set(indices);
    this.cells.forEach((cell, i) => cell.classList.toggle(name, wanted.has(i)));
  }

  focus(index: number): void {
    this.cells[index]?.focus();
  }

  /** Two numbers that have changed places glide to where they are now. */
  glide(from: number, to: number): void {
    if (from === to || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const box = (i: number) => this.cells[i]!;
    const [dx, dy] = [box(from).offsetLeft - box(to).offsetLeft, box(from).offsetTop - box(to).offsetTop];
    const run = (cell: HTMLElement, x: number, y: number, over: string) =>
      cell.animate([{ transform: `translate(${x}px, ${y}px)`, zIndex: over }, { transform: "none", zIndex: over }], { duration: 260, easing: "ease-in-out" });
    run(box(to), dx, dy, "3");
    run(box(from), -dx, -dy, "2");
  }

  /** An arrow for the last move, or none. */
  path(from: number, to: number): void {
    this.arrow.replaceChildren();
    if (from === to || from < 0 || to < 0) return;
    const centre = (i: number) => [(i % this.size) + 0.5, Math.floor(i / this.size) + 0.5] as const;
    const [[x1, y1], [x2, y2]] = [centre(from), centre(to)];
    const length = Math.hypot(x2 - x1, y2 - y1);
    const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
    // From just beside the old place to just before the number in the new one, along the cells' upper part.
    const [ax, ay] = [x1 + dx * 0.3 + dy * 0.28, y1 + dy * 0.3 - Math.abs(dx) * 0.28];
    const [bx, by] = [x2 - dx * 0.26 + dy * 0.28, y2 - dy * 0.26 - Math.abs(dx) * 0.28];
    const head = `M${bx - dx * 0.13 - dy * 0.09} ${by - dy * 0.13 + dx * 0.09}L${bx} ${by}L${bx - dx * 0.13 + dy * 0.09} ${by - dy * 0.13 - dx * 0.09}`;
    this.arrow.setAttribute("viewBox", `0 0 ${this.size} ${this.size}`);
    const d = `M${ax} ${ay}L${bx} ${by}${head}`;
    this.arrow.append(svg("path", { d, class: "halo" }), svg("path", { d, class: "line" }));
  }

  private resize(size: number): void {
    this.size = size;
    this.text = [];
    const { unit, carry } = this.options;
    this.cells = Array.from({ length: size * size }, (_, i) => {
      const cell = h("input", {
        type: "text",
        inputmode: "decimal",
        autocomplete: "off",
        spellcheck: "false",
        "aria-label": `${unit}, row ${Math.floor(i / size)}, column ${i % size}`,
        "aria-keyshortcuts": carry ? "Shift+ArrowLeft Shift+ArrowRight Shift+ArrowUp Shift+ArrowDown" : null,
        onchange: () => this.read(i),
        onfocus: () => cell.select(),
        onkeydown: (event: KeyboardEvent) => this.key(event, i),
      });
      return cell;
    });
    this.element.style.setProperty("--cols", String(size));
    this.element.replaceChildren(...this.cells, this.arrow);
  }

  private read(i: number): void {
    const cell = this.cells[i]!;
    if (cell.value === this.text[i]) return;
    const value = parseNumber(cell.value);
    cell.removeAttribute("aria-invalid");
    if (Number.isFinite(value)) {
      // Enter and leaving the cell both read it; the second finds nothing new.
      this.text[i] = cell.value;
      return this.options.change(i, value);
    }
    cell.setAttribute("aria-invalid", "true");
    const [row, col] = [Math.floor(i / this.size), i % this.size];
    this.options.wrong(
      `The ${this.options.unit} in row ${row}, column ${col} is “${cell.value}”, which is no number. Type one such as 6, −1 or 1/4; until then ${written(this.values[i]!)} stays in use.`,
    );
  }

  private key(event: KeyboardEvent, i: number): void {
    const moves: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const move = moves[event.key];
    if (event.key === "Enter") this.read(i);
    if (event.key === "Escape") {
      if (this.drag) return this.letGo(this.drag.from);
      this.cells[i]!.removeAttribute("aria-invalid");
      this.cells[i]!.value = this.text[i]!;
      this.options.restored();
    }
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const [row, col] = [Math.floor(i / this.size) + move[0], (i % this.size) + move[1]];
    if (row < 0 || col < 0 || row >= this.size || col >= this.size) return;
    const to = row * this.size + col;
    if (event.shiftKey && this.options.carry) {
      this.read(i);
      if (this.cells[i]!.hasAttribute("aria-invalid")) return;
      this.options.drop?.(i, to);
    }
    this.focus(to);
  }

  private carrying(): void {
    const { element } = this;
    const index = (target: EventTarget | null) => this.cells.indexOf(target as HTMLInputElement);
    // A press must not begin to select text: it may become a drag. A press that stays in place is a click, and focuses.
    element.addEventListener("mousedown", (event) => event.preventDefault());
    element.addEventListener("pointerdown", (event) => {
      const from = index(event.target);
      if (from < 0 || event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      this.drag = { from, over: from, x: event.clientX, y: event.clientY, moving: false };
    });
    element.addEventListener("pointermove", (event) => this.follow(event));
    element.addEventListener("pointerup", () => {
      if (!this.drag) return;
      const { from, over, moving } = this.drag;
      if (moving) this.letGo(over);
      else this.drag = undefined;
      this.focus(moving ? over : from);
    });
    element.addEventListener("pointercancel", () => this.drag && this.letGo(this.drag.from));
  }

  private follow(event: PointerEvent): void {
    const { drag, size } = this;
    if (!drag) return;
    if (!drag.moving && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < SLACK) return;
    if (!drag.moving) {
      drag.moving = true;
      this.mark("held", [drag.from]);
    }
    // Measured on screen, so that a container scaled by CSS (a slide) changes nothing.
    const box = this.element.getBoundingClientRect();
    const cell = (part: number, whole: number) => Math.max(0, Math.min(size - 1, Math.floor((part / whole) * size)));
    const over = cell(event.clientY - box.top, box.height) * size + cell(event.clientX - box.left, box.width);
    if (over === drag.over) return;
    drag.over = over;
    this.mark("held", [over]);
    this.options.carry!(drag.from, over);
  }

  private letGo(to: number): void {
    const { from } = this.drag!;
    this.drag = undefined;
    this.mark("held", []);
    this.options.carry!(from, to);
    this.options.drop!(from, to);
  }

  private tell(target: EventTarget | null): void {
    const i = this.cells.indexOf(target as HTMLInputElement);
    if (i >= 0 && !this.dragging) this.options.point([Math.floor(i / this.size), i % this.size]);
  }
}
