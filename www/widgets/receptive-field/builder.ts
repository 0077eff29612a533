/** The stack as a table: on the left what a reader sets, on the right what the crate makes of it. */
import { h } from "../../figure/dom";
import { parseNumber } from "../../draw/numbers";
import { KINDS, type Kind, NAMES, numbersOf, placeOf, type Row, type Setting, SETTINGS } from "./stack";
import { distance, pixels } from "./units";

/** What stands in a row's right half; null while the stack cannot be computed. */
export interface Result {
  map: [number, number];
  size: string;
  sizeNm: number | null;
  jump: number | null;
  jumpNm: number | null;
  start: number | null;
}

export interface BuilderEvents {
  set(id: number, setting: Setting, value: number): void;
  kind(id: number, kind: Kind): void;
  from(id: number, source: number): void;
  add(kind: Kind): void;
  remove(id: number): void;
  move(id: number, to: number): void;
  /** The reader points at a row: the figure goes to its last layer. */
  visit(id: number): void;
  wrong(words: string): void;
}

const COLUMNS: [Setting, string, string][] = [
  ["kernel", "k", "kernel"],
  ["stride", "s", "stride"],
  ["dilation", "d", "dilation"],
  ["padding", "p", "padding"],
  ["times", "×", "repeated"],
];

interface Line {
  element: HTMLTableRowElement;
  place: HTMLButtonElement;
  kind: HTMLSelectElement;
  from: HTMLSelectElement;
  fields: Record<Setting, HTMLInputElement>;
  cells: Record<"map" | "size" | "jump" | "start", HTMLTableCellElement>;
  handle: HTMLButtonElement;
  drop: HTMLButtonElement;
}

export class Builder {
  readonly element: HTMLElement;
  private readonly body = h("tbody");
  private readonly picture: Record<"map" | "size" | "jump" | "start", HTMLTableCellElement>;
  private lines = new Map<number, Line>();
  private rows: Row[] = [];

  constructor(private events: BuilderEvents) {
    const head = (words: string, title: string, role: string) => h("th", { scope: "col", title, "data-role": role }, words);
    this.picture = { map: h("td", { "data-role": "map" }), size: h("td", { "data-role": "size" }), jump: h("td", { "data-role": "jump" }), start: h("td", { "data-role": "start" }) };
    const scroller = h("div", { class: "rows", tabindex: 0, role: "region", "aria-label": "Layers of the stack" },
      h("table", {},
        h("thead", {}, h("tr", {},
          h("th", { scope: "col" }, h("span", { class: "hidden" }, "number")), head("layer", "what the layer does", "layer"),
          ...COLUMNS.map(([setting, short, long]) => head(short, long, setting)),
          head("map", "rows × columns of its output", "map"), head("field", "how many input pixels one output pixel sees, along a side", "size"),
          head("jump", "input pixels between two neighbouring outputs", "jump"), head("start", "where the first output pixel looks, counted from the first input pixel", "start"),
          h("th", {}, h("span", { class: "hidden" }, "move, remove")),
        )),
        h("tbody", { class: "origin" }, h("tr", {}, h("td", { class: "nr" }, "0"), h("td", { colspan: 6 }, "the picture"), ...Object.values(this.picture), h("td"))),
        this.body,
      ),
    );
    const more = (kind: Kind, words: string) => h("button", { type: "button", class: "button words", onclick: () => events.add(kind) }, words);
    this.element = h("div", { class: "builder", role: "group", "aria-label": "The stack of layers" },
      scroller,
      h("div", { class: "more" }, h("span", {}, "add"), more("conv", "convolution"), more("maxpool", "pooling"), more("upsample", "upsampling"), more("concat", "skip")),
    );
  }

  /** The rows, and beside them what came of them (nothing where the stack is refused). */
  show(rows: Row[], origin: Result, results: (Result | undefined)[]): void {
    this.rows = rows;
    const wanted = new Set(rows.map(({ id }) => id));
    for (const [id, line] of this.lines) {
      if (wanted.has(id)) continue;
      line.element.remove();
      this.lines.delete(id);
    }
    this.tell(this.picture, origin);
    rows.forEach((row, index) => {
      const line = this.lines.get(row.id) ?? this.line(row.id);
      this.lines.set(row.id, line);
      // Moving an element that is in its place already would take the focus from it.
      if (this.body.children[index] !== line.element) {
        const focused = (this.element.getRootNode() as ShadowRoot).activeElement as HTMLElement | null;
        const inside = focused && line.element.contains(focused);
        this.body.insertBefore(line.element, this.body.children[index] ?? null);
        if (inside) focused.focus();
      }
      this.fill(line, row, index);
      this.tell(line.cells, results[index]);
    });
  }

  /** The row whose layer the figure stands at; -1 is the picture. */
  mark(index: number): void {
    this.rows.forEach(({ id }, i) => this.lines.get(id)?.element.classList.toggle("now", i === index));
    const line = this.lines.get(this.rows[index]?.id ?? -1);
    const scroller = this.body.closest<HTMLElement>(".rows")!;
    if (!line || scroller.scrollHeight <= scroller.clientHeight) return;
    const { offsetTop, offsetHeight } = line.element;
    const head = 64;
    if (offsetTop - head < scroller.scrollTop) scroller.scrollTop = offsetTop - head;
    else if (offsetTop + offsetHeight > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = offsetTop + offsetHeight - scroller.clientHeight;
  }

  focus(id: number): void {
    this.lines.get(id)?.kind.focus();
  }

  private line(id: number): Line {
    const { events } = this;
    const td = (role: string, ...children: Node[]) => h("td", { "data-role": role }, ...children);
    const place = h("button", { type: "button", class: "plain", onclick: () => events.visit(id) });
    const kind = h("select", { onchange: () => events.kind(id, kind.value as Kind) }, ...KINDS.map((value) => h("option", { value }, NAMES[value])));
    const from = h("select", { class: "from", onchange: () => events.from(id, Number(from.value)) });
    const fields = Object.fromEntries(COLUMNS.map(([setting, , long]) => [setting, this.field(id, setting, long)])) as Record<Setting, HTMLInputElement>;
    const cells = { map: td("map"), size: td("size"), jump: td("jump"), start: td("start") };
    const handle = h("button", { type: "button", class: "handle", onkeydown: (event: KeyboardEvent) => this.key(event, id), onpointerdown: (event: PointerEvent) => this.drag(event, id) }, "⠿");
    const drop = h("button", { type: "button", class: "drop", onclick: () => this.drop(id) }, "×");
    const element = h("tr", {},
      h("td", { class: "nr" }, place), td("layer", kind),
      ...COLUMNS.map(([setting]) => (setting === "kernel" ? td(setting, fields[setting], from) : td(setting, fields[setting]))),
      ...Object.values(cells), h("td", { class: "tools" }, handle, drop),
    );
    return { element, place, kind, from, fields, cells, handle, drop };
  }

  private field(id: number, setting: Setting, long: string): HTMLInputElement {
    const read = () => {
      const value = parseNumber(input.value);
      input.toggleAttribute("aria-invalid", false);
      if (Number.isFinite(value)) return this.events.set(id, setting, value);
      input.setAttribute("aria-invalid", "true");
      this.events.wrong(`The ${long === "repeated" ? "number of repetitions" : long} of layer ${numbersOf(this.rows, placeOf(this.rows, id) - 1)} is “${input.value}”, which is no number. Type a whole number; until then the last one stays in use.`);
    };
    const input = h("input", {
      type: "text",
      inputmode: "numeric",
      autocomplete: "off",
      onchange: read,
      onfocus: () => input.select(),
      onkeydown: (event: KeyboardEvent) => {
        const by = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
        const value = parseNumber(input.value);
        if (!by || Number.isNaN(value)) return;
        event.preventDefault();
        input.value = String(value + by);
        read();
      },
    });
    return input;
  }

  private fill(line: Line, row: Row, index: number): void {
    const numbers = numbersOf(this.rows, index);
    const name = `layer ${numbers}`;
    line.place.textContent = numbers;
    line.place.setAttribute("aria-label", `Go to ${name}, ${NAMES[row.kind]}`);
    line.kind.value = row.kind;
    line.kind.setAttribute("aria-label", `Kind of ${name}`);
    line.handle.setAttribute("aria-label", `Move ${name}: arrow up or down, or drag`);
    line.handle.title = "Move: drag, or focus and press arrow up or down";
    line.drop.setAttribute("aria-label", `Remove ${name}`);
    line.drop.title = "Remove";
    line.drop.disabled = this.rows.length === 1;
    const skips = row.kind === "concat" || row.kind === "add";
    line.from.hidden = !skips;
    // Where a skip comes from takes the place of what a window has to set.
    (line.from.parentElement as HTMLTableCellElement).colSpan = skips ? 4 : 1;
    for (const setting of ["stride", "dilation", "padding"] as const) line.fields[setting].parentElement!.hidden = skips;
    if (skips) {
      line.from.setAttribute("aria-label", `Where ${name} joins from`);
      const sources = [{ id: 0, words: "from the picture" }, ...this.rows.slice(0, index).map(({ id }, i) => ({ id, words: `from layer ${numbersOf(this.rows, i).split("–").at(-1)}` }))];
      line.from.replaceChildren(...sources.map(({ id, words }) => h("option", { value: id }, words)));
      line.from.value = String(row.from);
    }
    for (const [setting, , long] of COLUMNS) {
      const input = line.fields[setting];
      input.hidden = setting !== "times" && !SETTINGS[row.kind].includes(setting);
      input.setAttribute("aria-label", `${row.kind === "upsample" && setting === "kernel" ? "factor" : long} of ${name}`);
      if (parseNumber(input.value) !== row[setting]) {
        input.value = String(row[setting]);
        input.removeAttribute("aria-invalid");
      }
    }
  }

  private tell(cells: Line["cells"], result: Result | undefined): void {
    if (!result) return Object.values(cells).forEach((cell) => cell.replaceChildren("–"));
    const both = (words: string, nm: number | null) => [h("b", {}, words), nm === null ? null : h("small", {}, distance(nm))].filter((part) => part !== null);
    cells.map.replaceChildren(h("b", {}, result.map[0] === result.map[1] ? `${result.map[0]}²` : result.map.join("×")));
    cells.size.replaceChildren(...both(result.size, result.sizeNm));
    cells.jump.replaceChildren(...both(result.jump === null ? "–" : pixels(result.jump), result.jumpNm));
    cells.start.replaceChildren(h("b", {}, result.start === null ? "–" : pixels(result.start)));
  }

  private drop(id: number): void {
    const index = placeOf(this.rows, id) - 1;
    const next = this.rows[index + 1] ?? this.rows[index - 1];
    this.events.remove(id);
    if (next) this.lines.get(next.id)?.drop.focus();
  }

  private key(event: KeyboardEvent, id: number): void {
    const by = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    if (event.key === "Delete" || event.key === "Backspace") {
      if (this.rows.length > 1) this.drop(id);
    } else if (!by) return;
    else this.events.move(id, placeOf(this.rows, id) - 1 + by);
    event.preventDefault();
    event.stopPropagation();
    if (by) this.lines.get(id)?.handle.focus();
  }

  private drag(event: PointerEvent, id: number): void {
    if (event.button !== 0) return;
    const { handle } = this.lines.get(id)!;
    handle.setPointerCapture(event.pointerId);
    const over = ({ clientY }: PointerEvent) => {
      const to = this.rows.findIndex((row) => {
        const box = this.lines.get(row.id)!.element.getBoundingClientRect();
        return clientY >= box.top && clientY < box.bottom;
      });
      if (to >= 0 && this.rows[to]!.id !== id) this.events.move(id, to);
    };
    handle.addEventListener("pointermove", over);
    const end = () => {
      handle.removeEventListener("pointermove", over);
      handle.removeEventListener("lostpointercapture", end);
    };
    handle.addEventListener("lostpointercapture", end);
  }
}
