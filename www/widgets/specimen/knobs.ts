/** Sliders made from the crate's list of knobs. */
import type { Knob } from "../../engine/api";
import { h } from "../../figure/dom";
import type { Settings } from "./settings";

export class Knobs {
  readonly element: HTMLElement;
  private readonly list = h("div", { class: "knoblist" });
  private readonly words = h("b");
  private rows = new Map<string, { input: HTMLInputElement; output: HTMLOutputElement; knob: Knob }>();

  constructor(title: string, private change: (values: Settings) => void) {
    this.element = h("div", { class: "knobs", role: "group", "aria-label": title }, h("div", { class: "label" }, this.words), this.list);
    this.words.textContent = title;
  }

  fill(knobs: Knob[]): void {
    this.rows.clear();
    this.list.replaceChildren(
      ...knobs.map((knob) => {
        const [least, most] = [place(knob, knob.min), place(knob, knob.max)];
        const input = h("input", {
          type: "range", class: "scrub", min: least, max: most, step: wide(knob) ? 0.01 : knob.step, "aria-label": knob.label,
          oninput: () => {
            this.show(knob, Number(input.value));
            this.change(this.values);
          },
        });
        const output = h("output");
        this.rows.set(knob.name, { input, output, knob });
        return h("label", { class: "knob", title: knob.label }, h("span", {}, knob.label), output, input);
      }),
    );
    this.element.hidden = !knobs.length;
  }

  set(values: Settings): void {
    for (const { knob, input } of this.rows.values()) {
      input.value = String(place(knob, values[knob.name] ?? knob.default));
      this.show(knob, Number(input.value));
    }
  }

  /** What differs from the defaults. */
  get values(): Settings {
    const entries = [...this.rows.values()].map(({ knob, input }) => [knob, valueAt(knob, Number(input.value))] as const);
    return Object.fromEntries(entries.filter(([knob, value]) => value !== knob.default).map(([knob, value]) => [knob.name, value]));
  }

  private show(knob: Knob, at: number): void {
    const { input, output } = this.rows.get(knob.name)!;
    const value = valueAt(knob, at);
    const words = knob.max === 1 && knob.step === 1 ? (value ? "yes" : "no") : String(value).replace("-", "−");
    output.textContent = words;
    input.setAttribute("aria-valuetext", words);
  }
}

/** Knobs over several powers of ten move on a logarithmic scale; 0 keeps the first place. */
const wide = ({ max, min }: Knob): boolean => min >= 0 && max >= 5000;
const least = ({ min, step }: Knob): number => min || step;

function place(knob: Knob, value: number): number {
  if (!wide(knob)) return value;
  return value < least(knob) ? -0.1 + Math.log10(least(knob)) : Math.log10(value);
}

function valueAt(knob: Knob, at: number): number {
  if (!wide(knob)) return at;
  if (at < Math.log10(least(knob)) - 0.02) return knob.min;
  // The default has its own place, and others are rounded to what the knob can be.
  if (Math.abs(at - place(knob, knob.default)) < 0.006) return knob.default;
  const value = 10 ** at;
  const digits = Number(value.toPrecision(2));
  const round = knob.step === 1 && knob.name !== "pixelSize" ? Math.round(digits) : digits;
  return Math.min(knob.max, Math.max(knob.min, round));
}
