/** `<ks-filters>`: Sobel x, Sobel y, magnitude and Gaussian of one picture, side by side and at the same pixel. */
import { decimal } from "../../draw/numbers";
import { select, toggle } from "../../figure/controls";
import { h, latest } from "../../figure/dom";
import { Figure } from "../../figure/figure";
import { type Source, SOURCES } from "../../figure/sources";
import { choice, flag, number, numbers, State } from "../../figure/state";
import css from "./filters.css";
import { Model, type Told } from "./model";
import { ask } from "./question";
import { View } from "./view";

const PICTURES = ["two-grains", "titanium", "grains", "yours"] as const;
/** The most noise that the lecture's two grains can have here, as a share of the grey range. */
const MOST_NOISE = 0.3;

const values = {
  picture: choice(PICTURES, "two-grains"),
  noise: number(0.03),
  smooth: flag(false),
  at: numbers([48, 31], "."),
};
type Values = { [K in keyof typeof values]: (typeof values)[K]["initial"] };

export class Filters extends Figure {
  protected readonly invitation = "Point at a boundary and compare what the kernels say there.";
  protected override readonly css = css;
  protected state!: State<Values>;
  private model!: Model;
  private view!: View;
  private told: Told | undefined;
  private newPicture = false;
  private readonly pictures = select("picture", (value) => this.change({ picture: value as Values["picture"] }));
  private readonly smooth = toggle("Gaussian first", (smooth) => this.change({ smooth }));
  private readonly noise = h("input", { type: "range", class: "scrub", min: 0, max: MOST_NOISE, step: 0.01, "aria-label": "Noise", oninput: () => this.change({ noise: Number(this.noise.value) }) });
  private readonly noiseField = h("span", { class: "noise" }, h("span", { "aria-hidden": "true" }, "noise"), this.noise);
  private readonly apart = h("a", { class: "apart" }, "Take this pixel apart in the figure above");

  protected build(): void {
    this.state = new State<Values>(values, this.key, (name) => this.getAttribute(name));
    this.view = new View(this.stage, (at) => this.move(at));
    this.pictures.fill(PICTURES.map((value) => ({ value, label: SOURCES.find((source) => source.value === value)!.label })));
    this.stage.after(h("div", { class: "facts" }, this.apart));
    this.strip.append(h("div", { class: "choices" }, this.pictures.element, this.noiseField, this.smooth.element, this.ending()));
    this.stage.addEventListener("keydown", (event) => this.keyed(event));
  }

  protected async start(): Promise<void> {
    this.model = new Model(this.engine);
    this.newPicture = true;
    const refused = await this.state.orPlain(() => this.compute());
    if (refused) this.fail(refused);
    this.addBelow(ask(this.key, this));
  }

  protected draw(): void {
    this.view.picture(this.model, this.dark);
    this.moved();
  }

  protected override micrographChosen(): void {
    if (this.state.value.picture === "yours") this.change({}, true);
  }

  protected reset(): void {
    this.state.reset();
    this.mend();
    this.change({}, true);
  }

  protected addressed(): void {
    if (this.state.follow()) this.change({}, true);
  }

  protected link(): string {
    return this.state.link();
  }

  /** Lights what a symbol of the formula stands for. */
  light(role: string | null): void {
    this.stage.dataset.light = role ?? "";
  }

  /** Brings the figure into the state that the question is about. */
  prepare(change: Partial<Values>): void {
    this.change(change, true);
  }

  /** The products give the answer away. */
  lock(locked: boolean): void {
    this.view.products.hidden = locked;
  }

  /** What stands at a prepared pixel, once the figure has told it. */
  async toldAt([row, col]: [number, number]): Promise<Told> {
    for (let tries = 0; tries < 200; tries++) {
      if (this.told?.at[0] === row && this.told.at[1] === col) return this.told;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error("The figure could not show this place; reset it and try again.");
  }

  private change(change: Partial<Values>, newPicture = change.picture !== undefined || change.noise !== undefined): void {
    this.state.set(change);
    this.newPicture ||= newPicture;
    this.told = undefined;
    this.controls();
    this.renew(undefined);
  }

  private readonly renew = latest(() => this.compute(), (error) => this.fail(error));

  private async compute(): Promise<void> {
    const { picture, noise, smooth } = this.state.value;
    this.controls();
    if (this.newPicture) {
      this.newPicture = false;
      try {
        this.model.show(await this.source(picture, noise));
      } catch (error) {
        this.newPicture = true;
        throw error;
      }
    }
    await this.model.filter(smooth);
    this.mend();
    this.view.picture(this.model, this.dark);
    this.sayComputed();
    this.moved();
  }

  private async source(picture: string, noise: number): Promise<Source> {
    if (picture !== "two-grains") return SOURCES.find(({ value }) => value === picture)!.load(this.engine);
    const { image, pixelSize } = await this.engine.specimen("two-grains", { size: 64, noise });
    return { image, pixelSize, about: `two grains, computed, noise ${decimal(noise)}` };
  }

  private controls(): void {
    const { picture, noise, smooth } = this.state.value;
    this.pictures.set(picture);
    this.smooth.set(smooth);
    this.noise.value = String(noise);
    this.noise.setAttribute("aria-valuetext", decimal(noise));
    this.noise.style.setProperty("--done", `${(Math.min(noise, MOST_NOISE) / MOST_NOISE) * 100}%`);
    this.noiseField.hidden = picture !== "two-grains";
  }

  /** The present pixel, inside the present picture. */
  private get at(): [number, number] {
    const inside = (value: number | undefined, size: number) => Math.max(0, Math.min(size - 1, Math.floor(value ?? 0)));
    const [height, width] = this.model.size;
    const [row, col] = this.state.value.at;
    return [inside(row, height), inside(col, width)];
  }

  private move(at: [number, number]): void {
    if (!this.model?.maps) return;
    this.state.set({ at });
    this.moved();
  }

  private moved(): void {
    const { at } = this;
    this.view.point(this.model, at);
    this.tell(at);
    const { picture } = this.state.value;
    // The convolution figure has the same pictures, but for the noise that was chosen here.
    const same = picture !== "two-grains" || this.state.value.noise === values.noise.initial;
    this.apart.hidden = !same || this.state.value.smooth;
    this.apart.href = `#convolution?convolution.picture=${picture}&convolution.padding=1&convolution.mode=reflect&convolution.at=${at.join(".")}`;
  }

  private readonly tell = latest(
    async (at: [number, number]) => {
      const told = await this.model.tell(at);
      this.told = told;
      this.view.tell(told, this.model, this.dark);
      const { x, y } = told;
      const value = (filter: "magnitude" | "gaussian") => decimal(this.model.maps[filter].data[at[0] * this.model.size[1] + at[1]]!);
      this.describe(`${this.model.about}. At row ${at[0]}, column ${at[1]}: Sobel x ${decimal(x.value, 2, true)}, Sobel y ${decimal(y.value, 2, true)}, magnitude ${value("magnitude")}, Gaussian ${value("gaussian")}.`);
    },
    (error) => this.fail(error),
  );

  /** Arrows on a picture move the pixel; with Shift by ten. */
  private keyed(event: KeyboardEvent): void {
    const moves: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const by = moves[event.key];
    if (!by || !(event.target as Element).matches(".surface") || !this.model?.maps) return;
    event.preventDefault();
    event.stopPropagation();
    const far = event.shiftKey ? 10 : 1;
    const { at } = this;
    this.move([at[0] + by[0] * far, at[1] + by[1] * far].map((value, i) => Math.max(0, Math.min(this.model.size[i]! - 1, value))) as [number, number]);
  }
}
