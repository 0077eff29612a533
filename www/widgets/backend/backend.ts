/** `<ks-backend>`: what computes this page, why, and how little it matters for the numbers. */
import { decimal } from "../../draw/numbers";
import type { Tensor } from "../../engine/api";
import { select } from "../../figure/controls";
import { h } from "../../figure/dom";
import { Lesson } from "../../figure/lesson";
import { SOURCES } from "../../figure/sources";
import { choice } from "../../figure/state";
import css from "./backend.css";
import { type Layer, type Refused, type Result, tryAll, type Way, WAYS } from "./trials";

const PICTURES = ["titanium", "grains"] as const;
const specs = { picture: choice(PICTURES, "titanium") };
type Values = { [K in keyof typeof specs]: (typeof specs)[K]["initial"] };

/** The axis of differences: powers of ten. What lies below its beginning stands there. */
const [FROM, TO] = [-9, -3];
/** What a card may be off, the bound that the engine's tests hold it to. */
const BOUND = 1e-4;

export class Backend extends Lesson<Values> {
  protected readonly invitation = "Let everything that can compute here run the same network.";
  protected readonly specs = specs;
  protected override readonly css = css;
  private readonly facts = h("dl", { class: "told" });
  private readonly bars = h("div", { class: "bars" });
  private readonly table = h("table", {});
  private readonly said = h("p", { class: "said", role: "status" });
  private readonly press = h("button", { type: "button", class: "button words primary", onclick: () => this.toggle() }, "Run it everywhere");
  private readonly pictures = select("picture", (picture) => this.change({ picture: picture as Values["picture"] }));
  private results: (Result | Refused)[] = [];
  private layers: Layer[] = [];
  private image: Tensor | undefined;
  private imageOf = "";
  private running: AbortController | undefined;

  protected assemble(): void {
    this.stage.classList.add("backend");
    this.stage.append(
      h("section", { class: "now", "aria-label": "What computes this page" }, h("div", { class: "label" }, h("b", {}, "This page")), this.facts),
      h("section", { class: "race", "aria-label": "Times" }, h("div", { class: "label" }, h("b", {}, "The U-Net for grains on 256 × 256 pixels"), h("span", { class: "note" }, "milliseconds, the best of some runs")), this.bars),
      h("section", { class: "layers", "aria-label": "Differences" },
        h("div", { class: "label" }, h("b", {}, "Layer by layer"), h("span", { class: "note" }, "largest difference from the reading order, as a share of the layer’s largest value")),
        h("div", { class: "scroller", tabindex: 0, role: "region", "aria-label": "Differences, layer by layer" }, this.table)),
      this.said,
    );
    this.pictures.fill(PICTURES.map((value) => ({ value, label: SOURCES.find((source) => source.value === value)?.label ?? value })));
    this.strip.append(this.choices(this.press, this.pictures.element));
  }

  protected override async start(): Promise<void> {
    await super.start();
    // Which backend it is may be settled later than the figure starts.
    void this.engine.settled.then(() => this.tellFacts());
  }

  protected controls(): void {
    this.pictures.set(this.state.value.picture);
  }

  protected async compute(): Promise<void> {
    const { picture } = this.state.value;
    if (this.imageOf !== picture) {
      this.running?.abort();
      this.image = (await SOURCES.find(({ value }) => value === picture)!.load(this.engine)).image;
      this.imageOf = picture;
      this.results = [];
    }
    this.show();
  }

  private toggle(): void {
    if (this.running) this.running.abort();
    else void this.run();
  }

  private async run(): Promise<void> {
    if (!this.image) return;
    const running = (this.running = new AbortController());
    this.results = [];
    this.press.textContent = "Stop";
    try {
      const told = (result: Result | Refused) => {
        this.results.push(result);
        this.show();
      };
      this.show();
      const { layers } = await tryAll(this.engine, this.image, running.signal, (result) => running.signal.aborted || told(result));
      this.layers = layers;
      this.mend();
    } catch (error) {
      if (!running.signal.aborted) this.fail(error);
    }
    this.running = undefined;
    this.press.textContent = this.results.length ? "Run it again" : "Run it everywhere";
    this.show();
  }

  private show(): void {
    this.tellFacts();
    this.showBars();
    this.showLayers();
    this.tell();
  }

  private tellFacts(): void {
    const { backend, adapter, simd, workers, memoryBytes, restarts } = this.engine.stats();
    const fact = (name: string, value: string) => [h("dt", {}, name), h("dd", {}, value)];
    const { reason } = this.engine;
    this.facts.replaceChildren(
      ...fact("computes", `${reason[0]!.toUpperCase()}${reason.slice(1)}.`),
      ...fact("vectors", simd === "simd128" ? "four numbers at a time (SIMD, 128 bits)" : "none: one number at a time"),
      ...fact("workers", `${workers} that computes, one that answers questions`.replace(/^(\d\d|[2-9])( that) computes/, "$1$2 compute")),
      ...fact("graphics card", backend === "webgpu" ? adapter || "in use; its name is not told" : "not in use"),
      ...(this.results.length ? fact("memory", `${Math.round(memoryBytes / 2 ** 20)} MB`) : []),
      ...(restarts ? fact("started again", restarts === 1 ? "once" : `${restarts} times`) : []),
    );
  }

  private showBars(): void {
    const done = this.results.filter((result): result is Result => "ms" in result);
    const most = Math.max(1, ...done.filter(({ imitated }) => !imitated).map(({ ms }) => ms));
    this.bars.replaceChildren(...WAYS.map(({ way, name, about }) => {
      const result = this.results.find((result) => result.way === way);
      const next = this.running && !result && WAYS[this.results.length]?.way === way;
      if (!result) return row(way, name, next ? "running …" : "", next ? "" : about, 0);
      if ("why" in result) return row(way, name, "not here", result.why, 0);
      const card = way === "card" && result.adapter ? `${name} · ${result.adapter}` : name;
      if (result.imitated) return row(way, card, milliseconds(result.ms), "an imitation of a card by the processor: its time says nothing about cards", 0, "imitated");
      return row(way, card, milliseconds(result.ms), about, result.ms / most);
    }));
  }

  private showLayers(): void {
    const compared = this.results.filter((result): result is Result => "off" in result && result.way !== "reading");
    const timed = compared.some(({ times }) => Object.keys(times).length > 0);
    const layers = this.layers.length && compared.length ? this.layers : [];
    const head = h("tr", {}, h("th", { scope: "col" }, "layer"), h("th", { scope: "col" }, "map"), h("th", { scope: "col", class: "plot" }, axis()),
      ...compared.map(({ way }) => h("th", { scope: "col", class: `number ${way}` }, way === "fast" ? "fast" : "WebGPU")), timed ? h("th", { scope: "col", class: "number" }, "on the card") : null);
    const line = ({ name, shape }: Layer) => h("tr", {},
      h("th", { scope: "row" }, name), h("td", { class: "shape" }, shape.join(" × ")),
      h("td", { class: "plot" }, h("span", { class: "track", "aria-hidden": "true" }, ...compared.map(({ way, off }) => h("i", { class: off[name] ? way : `${way} equal`, style: `left:${place(off[name]!)}%` })), h("i", { class: "bound", style: `left:${place(BOUND)}%` }))),
      ...compared.map(({ way, off }) => h("td", { class: `number ${way}` }, share(off[name]!))),
      timed ? h("td", { class: "number" }, ...compared.filter(({ way }) => way === "card").map(({ times }) => (name in times ? milliseconds(times[name]!) : "with the next"))) : null);
    if (layers.length) this.table.replaceChildren(h("thead", {}, head), h("tbody", {}, ...layers.map(line)));
    else this.table.replaceChildren(h("tbody", {}, h("tr", {}, h("td", { class: "empty" }, this.running ? "Waiting for the second way to compute …" : "Nothing has run yet."))));
  }

  private tell(): void {
    const compared = this.results.filter((result): result is Result => "off" in result && result.way !== "reading");
    if (this.running || !compared.length) {
      this.said.textContent = this.running ? `Running, ${this.results.length} of ${WAYS.length} done.` : "";
      if (!this.running) this.describe(`This page computes ${this.engine.reason}.`);
      return;
    }
    const worst = Math.max(...compared.flatMap(({ off }) => Object.values(off)));
    const words = worst === 0 ? "All ways give the same numbers." : `No two numbers of any layer differ by more than ${share(worst)} of the layer’s largest value: a sum of products has many orders, and each rounds a little differently.`;
    this.said.textContent = words;
    this.describe(`${WAYS.map(({ way, name }) => {
      const result = this.results.find((result) => result.way === way);
      return !result ? "" : "why" in result ? `${name}: not here, ${result.why}.` : `${name}: ${milliseconds(result.ms)}.`;
    }).filter(Boolean).join(" ")} ${words}`);
  }
}

function row(way: Way, name: string, value: string, note: string, part: number, more = ""): HTMLElement {
  return h("div", { class: `bar ${way} ${more}` }, h("div", { class: "label" }, h("b", {}, name), h("span", { class: "value" }, value)), h("span", { class: "track" }, h("i", { style: `width:${100 * part}%` })), h("p", { class: "note" }, note));
}

const milliseconds = (ms: number): string => (ms < 0.1 ? "below 0.1 ms" : ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);

/** Where a share stands on the axis, in percent. */
const place = (share: number): number => (100 * (Math.max(FROM, Math.min(TO, share > 0 ? Math.log10(share) : FROM)) - FROM)) / (TO - FROM);

const SUPERSCRIPT: Record<string, string> = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const power = (exponent: number): string => `10${[...String(exponent)].map((digit) => SUPERSCRIPT[digit]).join("")}`;

/** "2.1 · 10⁻⁷". */
function share(value: number): string {
  if (value === 0) return "equal";
  const exponent = Math.floor(Math.log10(value));
  return `${decimal(value / 10 ** exponent, 1)} · ${power(exponent)}`;
}

function axis(): HTMLElement {
  const ticks = Array.from({ length: (TO - FROM) / 2 + 1 }, (_, i) => FROM + 2 * i);
  return h("span", { class: "axis", "aria-hidden": "true" }, ...ticks.map((exponent) => h("span", { style: `left:${place(10 ** exponent)}%` }, power(exponent))));
}
