/** `<ks-specimen>`: what the networks look at. A specimen, its dials, the microscope's dials, and the choice for the whole page. */
import type { Knob, Specimen, SpecimenKind, Tensor } from "../../engine/api";
import { decimal } from "../../draw/numbers";
import { chosen } from "../../figure/chosen";
import { iconButton, select, toggle } from "../../figure/controls";
import { h, latest } from "../../figure/dom";
import { Figure } from "../../figure/figure";
import { State } from "../../figure/state";
import { Knobs } from "./knobs";
import { loadReal, REAL } from "../../figure/real";
import { type Values, values } from "./settings";
import css from "./specimen.css";
import { type ScaleBar, View } from "./view";

const BINS = 64;

export class SpecimenFigure extends Figure {
  protected readonly invitation = "Choose a specimen and turn the microscope’s dials: what stays, what is lost?";
  protected override readonly css = css;
  protected state!: State<Values>;
  private view!: View;
  private kinds: SpecimenKind[] = [];
  private dials: Knob[] = [];
  private reals = new Map<string, Specimen>();
  private own!: Knobs;
  private microscope!: Knobs;
  private filled = "";
  private names = "";
  private readonly about = h("div", { class: "about" });
  private readonly seed = h("span", { class: "seed" });
  private readonly fields = {
    specimen: select("specimen", (specimen) => this.change({ specimen, knobs: {}, label: "none", channel: 0 })),
    label: select("labels", (label) => this.change({ label })),
    channel: select("element", (channel) => this.change({ channel: Number(channel) })),
    use: toggle("use on this page", (use) => this.change({ use })),
  };

  protected build(): void {
    this.state = new State<Values>(values, this.key, (name) => this.getAttribute(name));
    this.view = new View(this.stage, (words) => (this.about.textContent = words || this.kindAbout), (n, at) => this.tellFrequency({ n, at }));
    this.own = new Knobs("specimen", (knobs) => this.change({ knobs }));
    this.microscope = new Knobs("microscope", (microscope) => this.change({ microscope }));
    this.view.knobs.append(this.own.element, this.microscope.element);
    this.stage.append(this.about);
    this.fields.use.element.title = "Offers this picture to the other figures as “your micrograph”";
    this.strip.append(
      h("div", { class: "choices", role: "group", "aria-label": "Settings of the specimen" },
        this.fields.specimen.element, this.fields.label.element, this.fields.channel.element,
        h("span", { class: "field" }, "seed"),
        iconButton("back", "The seed before", () => this.change({ seed: Math.max(0, this.state.value.seed - 1) })), this.seed,
        iconButton("next", "Another one: the next seed", () => this.change({ seed: this.state.value.seed + 1 })),
        this.fields.use.element, this.ending(),
      ),
    );
    this.addEventListener("keydown", (event) => {
      // Sliders and lists need these keys; in a slide they would turn the page.
      if (/^(Arrow|Page|Home|End| )/.test(event.key)) event.stopPropagation();
    });
  }

  protected async start(): Promise<void> {
    [this.kinds, this.dials] = await Promise.all([this.engine.kinds(), this.engine.microscopeOptions()]);
    this.fields.specimen.fill([
      ...this.kinds.map(({ name, label }) => ({ value: name, label: `${label} · computed` })),
      ...REAL.map(({ value, label }) => ({ value: `real-${value}`, label: `${label} · real` })),
    ]);
    const refused = await this.state.orPlain(() => this.render());
    if (refused) {
      this.showControls(false);
      this.fail(refused);
    }
  }

  protected draw(): void {
    this.update();
  }

  protected addressed(): void {
    if (this.state.follow()) this.update();
  }

  protected reset(): void {
    this.state.reset();
    this.update();
  }

  protected link(): string {
    return this.state.link();
  }

  private change(change: Partial<Values>): void {
    this.state.set(change);
    this.update();
  }

  /** Nanometres a pixel of what is shown, where known. */
  private pixel: number | undefined;

  /** What a place of the spectrum stands for: a spacing on the specimen. */
  private readonly tellFrequency = latest(
    async ({ n, at }: { n: number; at: [number, number] }) => {
      const period = await this.engine.ask<number>("period", n, ...at);
      const size = this.pixel === undefined ? `${decimal(period, 1)} pixels` : `${Number((period * this.pixel).toPrecision(3))} nm`;
      const words = Number.isFinite(period) ? `Power spectrum at (${at[0] - n / 2}, ${at[1] - n / 2}): what repeats every ${size}.` : "The middle of the power spectrum: what does not repeat at all.";
      this.about.textContent = words;
      this.describe(words);
    },
    (error) => this.fail(error),
  );

  private readonly redraw = latest(
    () => this.render(),
    (error) => this.fail(error),
  );

  private update(): void {
    if (this.kinds.length) this.redraw(undefined);
  }

  private get kind(): SpecimenKind | undefined {
    return this.kinds.find(({ name }) => name === this.state.value.specimen);
  }

  private get kindAbout(): string {
    return this.kind?.about ?? "A real micrograph under the same microscope: each dial acts on what its own microscope has left.";
  }

  private async render(): Promise<void> {
    const { specimen, knobs, microscope, seed, channel } = this.state.value;
    const real = REAL.find(({ value }) => `real-${value}` === specimen);
    if (!real && !this.kind) throw new Error(`There is no specimen “${specimen}”. Choose one from the list.`);
    this.showControls(Boolean(real && !real.pixelSize));
    const settings = { ...microscope, seed };
    const made = real
      ? await this.engine.microscope(await this.real(real.value), settings)
      : await this.engine.specimen(specimen, { ...knobs, seed, microscope: settings });
    const [channels, height, width] = made.image.shape as [number, number, number];
    const plane = Math.min(channel, channels - 1) * height * width;
    const image = channels === 1 ? made.image : { data: made.image.data.slice(plane, plane + height * width), shape: [1, height, width] };
    const known = !real || Boolean(real.pixelSize);
    const about = real ? real.about : `${height} × ${width} · ${Number(made.pixelSize.toPrecision(4))} nm a pixel`;
    if (this.state.value.use) this.offer(made, image, about, known);
    this.fillLabels(Object.keys(made.labels), channels);
    this.view.draw(made, image, about, this.state.value.label);
    this.mend();
    this.sayComputed();
    const [bar, counts, spectrum, strongest] = await Promise.all([
      known ? this.engine.ask<ScaleBar>("scale_bar", made.pixelSize, width) : null,
      this.engine.histogram(image, BINS),
      this.engine.powerSpectrum(image),
      this.engine.ask<{ at: [number, number] }>("strongest_frequency", image),
    ]);
    this.pixel = known ? made.pixelSize : undefined;
    this.view.scale(bar, width);
    this.view.analysis(counts, spectrum, known ? `rim: ${Number((2 * made.pixelSize).toPrecision(3))} nm` : "rim: 2 pixels", strongest.at);
    this.about.textContent = this.kindAbout;
    const set = Object.entries(microscope).map(([name, value]) => `${this.dials.find((dial) => dial.name === name)?.label ?? name} ${value}`);
    this.describe(`${this.kind?.label ?? real?.label}: ${about}. ${set.length ? `Microscope: ${set.join(", ")}.` : "The microscope adds nothing."}${bar ? ` The bar is ${bar.label} long.` : ""}`);
  }

  private async real(value: string): Promise<Specimen> {
    let found = this.reals.get(value);
    if (!found) {
      found = await loadReal(this.engine, REAL.find((real) => real.value === value)!);
      this.reals.set(value, found);
    }
    return found;
  }

  private showControls(unknownSize: boolean): void {
    const { specimen, knobs, microscope, seed, use } = this.state.value;
    if (this.filled !== specimen) {
      this.filled = specimen;
      this.own.fill((this.kind?.options ?? []).filter(({ name }) => name !== "seed"));
      this.microscope.fill(this.dials.filter(({ name }) => name !== "seed" && !(unknownSize && (name === "pixelSize" || name === "defocus"))));
    }
    this.own.set(knobs);
    this.microscope.set(microscope);
    this.fields.specimen.set(specimen);
    this.seed.textContent = String(seed);
    this.fields.use.set(use);
  }

  private fillLabels(names: string[], channels: number): void {
    const now = `${names.join()} ${channels}`;
    if (this.names !== now) {
      this.names = now;
      this.fields.label.fill([{ value: "none", label: "none" }, ...names.map((name) => ({ value: name, label: words(name) }))]);
      const elements = ["Ni", "Al", "Cr", "Ti", "O", "C"].slice(0, channels);
      this.fields.channel.fill(elements.map((label, i) => ({ value: String(i), label })));
      this.fields.channel.element.hidden = channels === 1;
    }
    const { label, channel } = this.state.value;
    this.fields.label.set(names.includes(label) ? label : "none");
    this.fields.channel.set(String(Math.min(channel, channels - 1)));
  }

  /** “Your micrograph”, for all figures, renewed whenever a dial turns. */
  private offer({ labels, pixelSize }: Specimen, image: Tensor, about: string, known: boolean): void {
    const name = this.kind ? `${this.kind.label}, computed · ` : "";
    chosen.choose({ image, about: name + about, boundaries: labels.boundaries, ...(known ? { pixelSize } : {}) });
  }
}

/** "boundaryAngle" as people write it. */
const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
