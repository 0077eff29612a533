/** The strip under the convolution: time first, then choices. */
import type { KernelInfo } from "../../engine/api";
import { h, write } from "../../figure/dom";
import { iconButton, numberField, select, setIcon, toggle } from "../../figure/controls";
import { SOURCES } from "../../figure/sources";

export const MODES = ["zeros", "reflect", "replicate", "circular"] as const;
export const UNITS = ["product", "pixel", "row"] as const;
export const SPEEDS = ["slow", "normal", "fast"] as const;

export interface Choices {
  picture: string;
  kernel: string;
  stride: number;
  padding: string;
  mode: (typeof MODES)[number];
  dilation: number;
  flip: boolean;
  unit: (typeof UNITS)[number];
  speed: (typeof SPEEDS)[number];
  whole: boolean;
}

export interface ControlEvents {
  play(): void;
  step(by: 1 | -1): void;
  scrub(index: number): void;
  change(change: Partial<Choices>): void;
  wrong(words: string): void;
  open(file: File): void;
}

export class Controls {
  private readonly playButton: HTMLButtonElement;
  private readonly slider: HTMLInputElement;
  private readonly place = h("span", { class: "place" });
  private readonly fields;
  private readonly file: HTMLInputElement;
  private owned = "";
  private presets: KernelInfo[] = [];

  constructor(strip: HTMLElement, events: ControlEvents) {
    const { change, wrong } = events;
    this.playButton = iconButton("play", "Play", events.play, true);
    this.slider = h("input", { type: "range", class: "scrub", min: 0, max: 1, value: 0, "aria-label": "Output pixel, in reading order", oninput: () => events.scrub(Number(this.slider.value)) });
    this.file = h("input", { type: "file", accept: ".png,image/png", class: "hidden", tabindex: -1, "aria-hidden": "true", onchange: () => this.chosen(events) });
    const noNumber = (what: string) => (typed: string) => wrong(`The ${what} is “${typed}”, which is no number. Type a whole number; until then the last one stays in use.`);
    this.fields = {
      picture: select("picture", (picture) => (picture === "open" ? this.file.click() : change({ picture }))),
      kernel: select("kernel", (kernel) => change({ kernel })),
      stride: numberField("stride", (stride) => change({ stride }), noNumber("stride")),
      padding: numberField("padding", (padding) => change({ padding: String(padding) }), (typed) =>
        /^(same|valid)$/.test(typed.trim()) ? change({ padding: typed.trim() }) : wrong(`The padding is “${typed}”. Type a whole number, same or valid; until then the last one stays in use.`)),
      mode: select("fill", (mode) => change({ mode: mode as Choices["mode"] })),
      dilation: numberField("dilation", (dilation) => change({ dilation }), noNumber("dilation")),
      unit: select("step by", (unit) => change({ unit: unit as Choices["unit"] })),
      speed: select("speed", (speed) => change({ speed: speed as Choices["speed"] })),
      flip: toggle("flip kernel", (flip) => change({ flip })),
      whole: toggle("whole map", (whole) => change({ whole })),
    };
    const { fields } = this;
    fields.unit.fill(UNITS.map((value) => ({ value, label: value })));
    fields.speed.fill(SPEEDS.map((value) => ({ value, label: value })));
    fields.mode.fill(MODES.map((value) => ({ value, label: value })));
    fields.flip.element.title = "True convolution turns the kernel by 180° before it slides. Libraries do not.";
    fields.whole.element.title = "Show the whole feature map, not only what the window has passed.";
    strip.append(
      h("div", { class: "time" },
        this.playButton,
        iconButton("back", "Step back", () => events.step(-1)),
        iconButton("next", "Step on", () => events.step(1)),
        this.slider,
        this.place,
        fields.unit.element,
        fields.speed.element,
        fields.whole.element,
      ),
      h("div", { class: "choices", role: "group", "aria-label": "Settings of the convolution" },
        fields.picture.element, this.file, fields.kernel.element, fields.stride.element, fields.padding.element, fields.mode.element, fields.dilation.element, fields.flip.element,
      ),
    );
  }

  kernels(presets: KernelInfo[]): void {
    this.presets = presets;
  }

  ownPicture(name: string): void {
    this.owned = name;
  }

  show(now: Choices): void {
    const { fields } = this;
    fields.picture.fill([
      ...SOURCES.map(({ value, label }) => ({ value, label })),
      ...(this.owned ? [{ value: "own", label: this.owned }] : []),
      { value: "open", label: "your own PNG …" },
    ]);
    fields.picture.set(now.picture);
    fields.kernel.fill([
      ...this.presets.map(({ name, label }) => ({ value: name, label })),
      ...(now.kernel === "custom" ? [{ value: "custom", label: "your own" }] : []),
    ]);
    fields.kernel.set(now.kernel);
    fields.stride.set(now.stride);
    if (Number.isNaN(Number(now.padding))) fields.padding.input.value = now.padding;
    else fields.padding.set(Number(now.padding));
    fields.mode.set(now.mode);
    fields.dilation.set(now.dilation);
    fields.unit.set(now.unit);
    fields.speed.set(now.speed);
    fields.flip.set(now.flip);
    fields.whole.set(now.whole);
  }

  playing(is: boolean): void {
    setIcon(this.playButton, is ? "pause" : "play", is ? "Pause" : "Play");
  }

  position(index: number, [height, width]: [number, number]): void {
    this.slider.max = String(height * width - 1);
    this.slider.value = String(index);
    const row = Math.floor(index / width);
    this.slider.setAttribute("aria-valuetext", `row ${row} of ${height}, column ${index % width} of ${width}`);
    this.slider.style.setProperty("--done", `${(index / Math.max(1, height * width - 1)) * 100}%`);
    write(this.place, `row ${row + 1} of ${height}`);
  }

  private chosen(events: ControlEvents): void {
    const file = this.file.files?.[0];
    this.file.value = "";
    if (file) events.open(file);
  }
}
