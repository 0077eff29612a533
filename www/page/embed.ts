/**
 * `embed.html?widget=convolution#kernel=sobel-y`: one figure, for a frame in somebody else's page. Whatever stands in the
 * address or in a message may be hostile: a name must be one of the known ones, everything else goes through the parsers of
 * the figure's own parameters and is set as an attribute or as a text, never as markup.
 */
import { host } from "../figure/host";
import type { Figure } from "../figure/figure";

const LOOK: Record<string, RegExp> = {
  controls: /^(none|minimal|full)$/,
  hide: /^[a-z ]{0,80}$/,
  theme: /^(light|dark|auto)$/,
  autoplay: /^$/,
  number: /^\d{1,3}$/,
};
/** Longer than any state that a figure writes. */
const LONGEST = 4000;

const query = new URLSearchParams(location.search.slice(0, LONGEST));
const name = query.get("widget") ?? "";
const tag = `ks-${name}`;
const main = document.querySelector("main")!;

/** To the page around, whoever it is: nothing that is told is a secret. */
const tell = (type: string, more: object = {}) => {
  if (parent !== window) parent.postMessage({ type: `kernelscope:${type}`, widget: name, ...more }, "*");
};

if (!host.tags.includes(tag)) {
  const said = document.createElement("p");
  said.setAttribute("role", "alert");
  said.textContent = `${name ? `There is no figure “${name.slice(0, 40)}”.` : "This address names no figure."} Write embed.html?widget= and one of: ${host.tags.map((tag) => tag.slice(3)).join(", ")}.`;
  main.append(said);
  tell("error", { message: said.textContent });
  tell("height", { height: Math.ceil(main.getBoundingClientRect().height) });
} else {
  const figure = document.createElement(tag) as Figure;
  for (const [attribute, pattern] of Object.entries(LOOK)) {
    const given = query.get(attribute);
    if (given !== null && pattern.test(given)) figure.setAttribute(attribute, given);
  }
  theme(query.get("theme"));
  figure.setAttribute("address", "off");
  prepare(location.hash);
  figure.addEventListener("ready", () => tell("ready"));
  figure.addEventListener("change", () => tell("change", { at: figure.prepared }));
  figure.addEventListener("error", (event) => tell("error", { message: (event as unknown as CustomEvent<string>).detail }));
  new ResizeObserver(() => tell("height", { height: Math.ceil(main.getBoundingClientRect().height) })).observe(main);
  addEventListener("hashchange", () => prepare(location.hash));
  addEventListener("message", ({ source, data }: MessageEvent) => {
    if (source !== parent || source === window || typeof data !== "object" || data === null) return;
    if (data.type === "kernelscope:set" && typeof data.at === "string") prepare(data.at);
    if (data.type === "kernelscope:theme") theme(data.theme);
  });
  main.append(figure);

  function prepare(text: string): void {
    const given = state(text);
    if (given) figure.setAttribute("at", given);
    else figure.removeAttribute("at");
  }
}

/** `#kernel=sobel-y`, or a link of the lecture: `#convolution?convolution.kernel=sobel-y`. An empty state is one too. */
function state(text: string): string {
  const bare = text.replace(/^#/, "").slice(0, LONGEST);
  const given = bare.includes("?") ? bare.slice(bare.indexOf("?") + 1) : bare;
  return given.includes("=") ? given : "";
}

function theme(asked: unknown): void {
  if (asked === "light" || asked === "dark") document.documentElement.dataset.theme = asked;
  else delete document.documentElement.dataset.theme;
  dispatchEvent(new Event("kernelscope-theme"));
}
