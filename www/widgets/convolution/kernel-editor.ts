/** The kernel as editable weights, and the bias. */
import { colour, type Scale } from "../../draw/colormaps";
import { parseNumber, tight, weight as asWeight } from "../../draw/numbers";
import { h, write } from "../../figure/dom";
import { scrub, stepFor } from "../../figure/scrub";

export interface KernelEvents {
  weights(values: number[]): void;
  bias(value: number): void;
  wrong(words: string): void;
  inspectWeight(tap: [number, number] | null): void;
}

export class KernelEditor {
  readonly bias: HTMLElement;
  readonly element: HTMLElement;
  private readonly note = h("span", { class: "note" });
  private readonly table = h("div", { class: "kernel", role: "group", "aria-label": "Kernel weights" });
  private readonly biasInput: HTMLInputElement;
  private cells: HTMLInputElement[] = [];
  private size: [number, number] = [0, 0];
  private values: number[] = [];
  /** What each cell was given to show: left as it is, it stands for the exact weight. */
  private written: string[] = [];

  constructor(private events: KernelEvents) {
    this.element = h("div", {}, h("div", { class: "label role-weight" }, h("b", {}, "Kernel"), this.note), this.table);
    this.biasInput = h("input", { type: "text", inputmode: "decimal", size: 4, value: "0", "aria-label": "Bias", autocomplete: "off", onchange: () => this.readBias() });
    this.bias = h("label", { class: "bias" }, h("span", {}, "+ bias"), this.biasInput);
    this.table.addEventListener("pointerover", (event) => this.inspect(event.target));
    this.table.addEventListener("focusin", (event) => this.inspect(event.target));
    this.table.addEventListener("pointerleave", () => events.inspectWeight(null));
    this.table.addEventListener("focusout", () => events.inspectWeight(null));
  }

  show(values: number[], size: [number, number], bias: number, words: string, dark: boolean): void {
    if (size[0] !== this.size[0] || size[1] !== this.size[1]) this.resize(size);
    this.values = [...values];
    write(this.note, words);
    const reach = Math.max(...values.map(Math.abs), 1e-6);
    const scale: Scale = { map: dark ? "prgn-dark" : "prgn", min: -reach * 1.25, max: reach * 1.25 };
    values.forEach((value, i) => {
      const cell = this.cells[i]!;
      // What is being typed is the reader's; it is taken when it is a number.
      if (parseNumber(cell.value) !== value && !cell.hasAttribute("aria-invalid")) this.inscribe(i, value);
      cell.title = `${asWeight(value)} · drag sideways, or type`;
      const { fill, ink } = colour(scale, value);
      cell.style.background = fill;
      cell.style.color = ink;
    });
    this.table.style.setProperty("--letters", String(Math.max(...this.cells.map(({ value }) => value.length))));
    if (parseNumber(this.biasInput.value) !== bias && !this.biasInput.hasAttribute("aria-invalid")) this.biasInput.value = asWeight(bias);
  }

  /** Forgets what could not be read, before new values are shown. */
  clear(): void {
    for (const cell of [...this.cells, this.biasInput]) cell.removeAttribute("aria-invalid");
  }

  light(tap: number): void {
    this.cells.forEach((cell, i) => cell.classList.toggle("lit", i === tap));
  }

  private resize([rows, cols]: [number, number]): void {
    this.size = [rows, cols];
    this.written = [];
    this.cells = Array.from({ length: rows * cols }, (_, i) => {
      const cell = h("input", {
        type: "text",
        inputmode: "decimal",
        autocomplete: "off",
        spellcheck: "false",
        "aria-label": `weight, row ${Math.floor(i / cols) + 1}, column ${(i % cols) + 1}`,
        onchange: () => this.read(i),
        onfocus: () => cell.select(),
        onkeydown: (event: KeyboardEvent) => this.key(event, i),
      });
      scrub(cell, { begin: () => this.grasp(i), move: (value) => this.drag(i, value) });
      return cell;
    });
    this.table.style.setProperty("--cols", String(cols));
    this.table.replaceChildren(...this.cells);
  }

  private read(i: number): void {
    const cell = this.cells[i]!;
    const value = parseNumber(cell.value);
    if (Number.isNaN(value)) {
      cell.setAttribute("aria-invalid", "true");
      const [row, col] = [Math.floor(i / this.size[1]) + 1, (i % this.size[1]) + 1];
      this.events.wrong(`The weight in row ${row}, column ${col} is “${cell.value}”, which is no number. Type one such as −1, 0.5 or 1/9; until then the last kernel stays in use.`);
      return;
    }
    cell.removeAttribute("aria-invalid");
    if (this.legible) this.events.weights(this.exact);
  }

  private get legible(): boolean {
    return !this.cells.some((cell) => cell.hasAttribute("aria-invalid"));
  }

  /** The weights: exact where a cell was left as it is, else what was typed. */
  private get exact(): number[] {
    return this.cells.map(({ value }, i) => (value === this.written[i] ? this.values[i]! : parseNumber(value)));
  }

  private inscribe(i: number, value: number): void {
    this.written[i] = this.size[1] <= 3 ? asWeight(value, true) : tight(value, 2);
    this.cells[i]!.value = this.written[i]!;
  }

  /** A drag changes a weight by steps that suit the largest one. */
  private grasp(i: number): { value: number; step: number } | null {
    const weights = this.exact;
    // Another cell may hold half a number that nobody has taken yet.
    if (!this.legible || weights.some(Number.isNaN)) return null;
    return { value: weights[i]!, step: stepFor(Math.max(...weights.map(Math.abs)) || 1) };
  }

  private drag(i: number, value: number): void {
    const weights = this.exact;
    weights[i] = value;
    this.values = weights;
    this.inscribe(i, value);
    this.events.weights(weights);
  }

  private readBias(): void {
    const value = parseNumber(this.biasInput.value);
    this.biasInput.removeAttribute("aria-invalid");
    if (!Number.isNaN(value)) return this.events.bias(value);
    this.biasInput.setAttribute("aria-invalid", "true");
    this.events.wrong(`The bias is “${this.biasInput.value}”, which is no number. Type one such as 0 or −0.5; until then the last one stays in use.`);
  }

  /** Enter takes the weight; up and down change it by a quarter. */
  private key(event: KeyboardEvent, i: number): void {
    const step = event.key === "ArrowUp" ? 0.25 : event.key === "ArrowDown" ? -0.25 : 0;
    if (event.key === "Enter") this.read(i);
    if (!step || Number.isNaN(parseNumber(this.cells[i]!.value))) return;
    event.preventDefault();
    this.cells[i]!.value = asWeight(parseNumber(this.cells[i]!.value) + step, this.size[1] <= 3);
    this.read(i);
  }

  private inspect(target: EventTarget | null): void {
    const i = this.cells.indexOf(target as HTMLInputElement);
    if (i >= 0) this.events.inspectWeight([Math.floor(i / this.size[1]), i % this.size[1]]);
  }
}
