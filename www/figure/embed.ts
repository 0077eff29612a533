/** A figure's present state as something to paste elsewhere: a tag, a frame, a shortcode, a link. */
import { h } from "./dom";
import { host } from "./host";
import { attributeOf } from "./state";

export interface Embedded {
  /** "ks-convolution" */
  tag: string;
  /** Pairs of name and text that differ from what the figure begins with. */
  state: [name: string, text: string][];
  link: string;
  /** What the figure's page chose to show. */
  look: [attribute: string, text: string][];
}

/** The ways, in the order in which they are offered. */
export const WAYS = {
  tag: { label: "tag", about: "for a page or a slide that may run scripts" },
  frame: { label: "iframe", about: "for a course system that takes no scripts" },
  shortcode: { label: "Quarto shortcode", about: "for a .qmd with the kernelscope extension" },
  link: { label: "link", about: "to this page in this state" },
} as const;
export type Way = keyof typeof WAYS;

const quoted = (text: string) => `"${text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;")}"`;

/** The figure alone, in this state, on a page of its own. */
export function frameAddress({ tag, state, look }: Omit<Embedded, "link">): string {
  const query = new URLSearchParams([["widget", tag.replace(/^ks-/, "")], ...look]);
  const hash = new URLSearchParams(state).toString();
  return `${host.address("../embed.html")}?${query}${hash ? `#${hash}` : ""}`;
}

export function embedding(way: Way, { tag, state, link, look }: Embedded): string {
  const attributes = [...state.map(([name, text]): [string, string] => [attributeOf(name), text]), ...look];
  const written = attributes.map(([name, text]) => ` ${name}=${quoted(text)}`).join("");
  const name = tag.replace(/^ks-/, "");
  switch (way) {
    case "tag":
      return `<script src=${quoted(host.address("kernelscope.js"))} defer></script>\n<${tag}${written}></${tag}>`;
    case "frame":
      return `<iframe src=${quoted(frameAddress({ tag, state, look }))} title=${quoted(`kernelscope: ${name}`)} sandbox="allow-scripts" loading="lazy" style="width: 100%; height: 760px; border: 0"></iframe>`;
    case "shortcode":
      // A shortcode's own quotes cannot be escaped in all versions of Quarto: values have none.
      return `{{< kernelscope ${name}${attributes.map(([name, text]) => ` ${name}="${text.replace(/["{}<>]/g, "")}"`).join("")} >}}`;
    case "link":
      return link;
  }
}

/** A button that opens a row of ways; each puts its text on the clipboard and shows it, so that it can be copied by hand. */
export function embedRow(now: () => Embedded): { button: HTMLButtonElement; row: HTMLElement } {
  const text = h("textarea", { readonly: true, rows: 3, spellcheck: "false", "aria-label": "Text to paste", hidden: true, onfocus: () => text.select() });
  const said = h("span", { "aria-live": "polite" });
  const copy = async (way: Way) => {
    text.value = embedding(way, now());
    text.hidden = false;
    const { about } = WAYS[way];
    try {
      await navigator.clipboard.writeText(text.value);
      said.textContent = `copied: ${about}`;
    } catch {
      // Frames and some pages have no clipboard.
      text.focus();
      said.textContent = `${about}; copy it from the field`;
    }
  };
  const row = h("div", { class: "embedding", part: "embedding", role: "group", "aria-label": "Use this figure elsewhere", hidden: true },
    h("span", {}, "Copy as"),
    ...(Object.keys(WAYS) as Way[]).map((way) => h("button", { type: "button", class: "button words", "data-way": way, title: WAYS[way].about, onclick: () => void copy(way) }, WAYS[way].label)),
    said,
    text,
  );
  const open = (is: boolean) => {
    row.hidden = !is;
    text.hidden = true;
    said.textContent = "";
    button.setAttribute("aria-expanded", String(is));
  };
  const button = h("button", { type: "button", class: "button", "aria-label": "Use this figure elsewhere", title: "Use this figure elsewhere", "aria-expanded": "false", onclick: () => open(Boolean(row.hidden)) }, "</>");
  row.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    open(false);
    button.focus();
  });
  return { button, row };
}
