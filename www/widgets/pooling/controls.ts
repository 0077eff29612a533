/** The strip under the pooling: time first, then choices. */
import { h } from "../../figure/dom";
import { iconButton, numberField, select, setIcon, toggle } from "../../figure/controls";
import { SOURCES } from "../../figure/sources";
import { SPEEDS, type Values } from "./settings";

export interface ControlEvents {
  play(): void;
  step(by: 1 | -1): void;
  scrub(index: number): void;
  change(change: Partial<Values>): void;
  wrong(words: string): void;
  open(file: File): void;
}

export class Controls {
  private readonly playButton: HTMLButtonElement;
  private readonly slider: HTMLInputElement;
  private readonly place = h("span", { class: "place" });
  private readonly file: HTMLInputElement;
  private readonly fields;
  private readonly stride: HTMLInputElement;
  private owned = "";

  constructor(strip: HTMLElement, private events: ControlEvents) {
    const { change, wrong } = events;
    this.playButton = iconButton("play", "Play", events.play, true);
    this.slider = h("input", { type: "range", class: "scrub", min: 0, max: 3, value: 0, "aria-label": "Window, in reading order", oninput: () => events.scrub(Number(this.slider.value)) });
    this.file = h("input", { type: "file", accept: ".png,image/png", class: "hidden", tabindex: -1, "aria-hidden": "true", onchange: () => this.chosen() });
    this.stride = h("input", {
      type: "text", inputmode: "numeric", size: 3, autocomplete: "off", placeholder: "= k", onchange: () => this.readStride(),
      title: "Empty means the kernel’s size: windows that neither overlap nor leave gaps",
    });
    const noNumber = (what: string) => (typed: string) => wrong(`The ${what} is “${typed}”, which is no number. Type a whole number; until then the last one stays in use.`);
    this.fields = {
      kernel: numberField("kernel", (kernel) => change({ kernel }), noNumber("kernel size")),
      padding: numberField("padding", (padding) => change({ padding }), noNumber("padding")),
      ceil: toggle("round up", (ceil) => change({ ceil })),
      count: toggle("count padding", (count) => change({ count })),
      picture: select("picture", (picture) => (picture === "open" ? this.file.click() : change({ picture }))),
      map: select("map", (map) => change({ map: map as Values["map"] })),
      speed: select("speed", (speed) => change({ speed: speed as Values["speed"] })),
    };
    const { fields } = this;
    fields.speed.fill(SPEEDS.map((value) => ({ value, label: value })));
    fields.map.fill([{ value: "edges", label: "vertical edges" }, { value: "picture", label: "the picture itself" }]);
    fields.ceil.element.title = "Ceil mode: a last window may reach beyond the map. For pooling only.";
    fields.count.element.title = "Whether the zeros of the padding count in the average.";
    strip.append(
      h("div", { class: "time" },
        this.playButton, iconButton("back", "Step back", () => events.step(-1)), iconButton("next", "Step on", () => events.step(1)),
        this.slider, this.place, fields.speed.element,
      ),
      h("div", { class: "choices", role: "group", "aria-label": "Settings of the pooling" },
        fields.kernel.element, h("label", { class: "field" }, h("span", {}, "stride"), this.stride), fields.padding.element,
        fields.ceil.element, fields.count.element, fields.picture.element, this.file, fields.map.element,
      ),
    );
  }

  ownPicture(name: string): void {
    this.owned = name;
  }

  show(now: Values): void {
    const { fields } = this;
    fields.kernel.set(now.kernel);
    fields.padding.set(now.padding);
    fields.ceil.set(now.ceil);
    fields.count.set(now.count);
    fields.count.element.hidden = now.padding === 0;
    fields.picture.fill([
      ...SOURCES.map(({ value, label }) => ({ value, label })),
      ...(this.owned ? [{ value: "own", label: this.owned }] : []),
      { value: "open", label: "your own PNG …" },
    ]);
    fields.picture.set(now.picture);
    fields.map.set(now.map);
    fields.speed.set(now.speed);
    if (!this.stride.hasAttribute("aria-invalid")) this.stride.value = now.stride;
  }

  playing(is: boolean): void {
    setIcon(this.playButton, is ? "pause" : "play", is ? "Pause" : "Play");
  }

  position(index: number, [height, width]: [number, number]): void {
    const last = height * width - 1;
    this.slider.max = String(last);
    this.slider.value = String(index);
    this.slider.setAttribute("aria-valuetext", `window ${index + 1} of ${last + 1}`);
    this.slider.style.setProperty("--done", `${(index / Math.max(1, last)) * 100}%`);
    this.place.textContent = `window ${index + 1} of ${last + 1}`;
  }

  /** Forgets what could not be read. */
  clear(): void {
    this.stride.removeAttribute("aria-invalid");
  }

  private readStride(): void {
    const typed = this.stride.value.trim().replace(/[−–]/g, "-");
    this.stride.removeAttribute("aria-invalid");
    if (typed === "" || Number.isFinite(Number(typed))) return this.events.change({ stride: typed });
    this.stride.setAttribute("aria-invalid", "true");
    this.events.wrong(`The stride is “${this.stride.value}”, which is no number. Type a whole number, or leave it empty for the kernel’s size; until then the last one stays in use.`);
  }

  private chosen(): void {
    const file = this.file.files?.[0];
    this.file.value = "";
    if (file) this.events.open(file);
  }
}
