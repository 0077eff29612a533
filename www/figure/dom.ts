/** Small helpers to make elements. */

type Child = Node | string | null | undefined;
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>;

/** `h("button", { class: "play", onclick: run }, "play")`; `on…` become listeners, `false` and `null` are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child): child is Node | string => child != null));
  return element;
}

/** Writes a text where it is not there already: the same words again would have the page laid out again. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Record<string, string | number> = {}, ...children: Node[]): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Icons of the control strip, drawn on a 16 × 16 grid. */
const ICONS = {
  play: "M4.5 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  back: "M10 3.5 5.5 8l4.5 4.5",
  next: "M6 3.5 10.5 8 6 12.5",
  reset: "M3.2 6.2A5.2 5.2 0 1 1 2.8 9M3 2.6v3.8h3.8",
  link: "M6.6 9.4a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.4 6.6a2.6 2.6 0 0 0-3.7 0L3.500 8.800a2.600 2.600 0 0 0 3.700 3.700l.800-.800",
} as const;

export function icon(name: keyof typeof ICONS): SVGSVGElement {
  const filled = name === "play" || name === "pause";
  return svg(
    "svg",
    { viewBox: "0 0 16 16", "aria-hidden": "true", class: "icon" },
    svg("path", { d: ICONS[name], ...(filled ? { fill: "currentColor" } : { fill: "none", stroke: "currentColor", "stroke-width": "1.6", "stroke-linecap": "round", "stroke-linejoin": "round" }) }),
  );
}

/** Runs the newest request only: while one is under way, later ones replace each other. */
export function latest<T>(work: (value: T) => Promise<void>, failed: (error: unknown) => void): (value: T) => void {
  let running = false;
  let next: { value: T } | null = null;
  const go = async (value: T) => {
    running = true;
    try {
      await work(value);
    } catch (error) {
      failed(error);
    }
    running = false;
    if (next) {
      const { value: newest } = next;
      next = null;
      void go(newest);
    }
  };
  return (value) => {
    if (running) next = { value };
    else void go(value);
  };
}
