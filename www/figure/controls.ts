/** The control strip's parts. Each is a label a person can read and an element a keyboard can reach. */
import { h, icon } from "./dom";
import { parseNumber } from "../draw/numbers";

export function iconButton(name: Parameters<typeof icon>[0], label: string, press: () => void, primary = false): HTMLButtonElement {
  return h("button", { type: "button", class: primary ? "button primary" : "button", "aria-label": label, title: label, onclick: press }, icon(name));
}

export function setIcon(button: HTMLButtonElement, name: Parameters<typeof icon>[0], label: string): void {
  button.replaceChildren(icon(name));
  button.setAttribute("aria-label", label);
  button.title = label;
}

export interface Choice {
  value: string;
  label: string;
}

/** A drop-down with its label in front. */
export function select(label: string, choose: (value: string) => void): { element: HTMLElement; fill(choices: Choice[]): void; set(value: string): void } {
  const list = h("select", { onchange: () => choose(list.value) });
  let filled = "";
  return {
    element: h("label", { class: "field" }, h("span", {}, label), list),
    fill: (choices) => {
      // Figures show all of their state at every move of a hand; new options would have the whole strip laid out anew.
      const same = JSON.stringify(choices);
      if (same === filled) return;
      filled = same;
      list.replaceChildren(...choices.map(({ value, label: words }) => h("option", { value }, words)));
    },
    set: (value) => (list.value = value),
  };
}

/** A number that may be typed. What is no number stays as it was typed and is reported. */
export function numberField(label: string, change: (value: number) => void, wrong: (typed: string) => void): { element: HTMLElement; input: HTMLInputElement; set(value: number): void } {
  const input = h("input", {
    type: "text",
    inputmode: "numeric",
    size: 3,
    autocomplete: "off",
    onchange: () => read(),
    onkeydown: (event: KeyboardEvent) => {
      const step = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
      const value = parseNumber(input.value);
      if (!step || Number.isNaN(value)) return;
      event.preventDefault();
      input.value = String(value + step);
      read();
    },
  });
  const read = () => {
    const value = parseNumber(input.value);
    input.toggleAttribute("aria-invalid", false);
    if (Number.isNaN(value)) {
      input.setAttribute("aria-invalid", "true");
      wrong(input.value);
    } else change(value);
  };
  return {
    element: h("label", { class: "field" }, h("span", {}, label), input),
    input,
    set: (value) => {
      if (parseNumber(input.value) === value) return;
      input.value = String(value);
      input.removeAttribute("aria-invalid");
    },
  };
}

/** A button that stays pressed. */
export function toggle(label: string, change: (on: boolean) => void): { element: HTMLButtonElement; set(on: boolean): void } {
  const element = h("button", { type: "button", class: "button words", "aria-pressed": "false", onclick: () => change(element.getAttribute("aria-pressed") !== "true") }, label);
  return { element, set: (on) => element.setAttribute("aria-pressed", String(on)) };
}

export interface SliderOptions {
  min: number;
  max: number;
  step?: number;
  /** The value in words, beside the name and for screen readers. */
  words?(value: number): string;
}

/** A slider with its name and its value above it. */
export function slider(label: string, { min, max, step = 1, words = String }: SliderOptions, change: (value: number) => void): { element: HTMLElement; set(value: number): void } {
  const output = h("output", {});
  const input = h("input", { type: "range", class: "scrub", min, max, step, "aria-label": label, oninput: () => { show(Number(input.value)); change(Number(input.value)); } });
  const show = (value: number) => {
    output.textContent = words(value);
    input.setAttribute("aria-valuetext", words(value));
    input.style.setProperty("--done", `${(100 * (Math.max(min, Math.min(max, value)) - min)) / (max - min)}%`);
  };
  return {
    element: h("span", { class: "slider" }, h("span", { "aria-hidden": "true" }, label), output, input),
    set: (value) => {
      input.value = String(value);
      show(value);
    },
  };
}

/** A few ways that exclude each other, as buttons side by side. */
export function tabs<T extends string>(label: string, choices: readonly (readonly [T, string])[], choose: (value: T) => void): { element: HTMLElement; set(value: T): void } {
  const buttons = choices.map(([value, words]) => h("button", { type: "button", class: "button words", "aria-pressed": "false", onclick: () => choose(value) }, words));
  return {
    element: h("span", { class: "tabs", role: "group", "aria-label": label }, ...buttons),
    set: (value) => buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(choices[i]![0] === value))),
  };
}
