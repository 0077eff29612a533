/** Light or dark: what was asked for, else what the page has, else what suits the page's own text. */

export const SCHEME = "(prefers-color-scheme: dark)";

export function isDark(figure: Element): boolean {
  const asked = figure.getAttribute("theme");
  if (asked === "dark" || asked === "light") return asked === "dark";
  const around = figure.closest("[data-theme]")?.getAttribute("data-theme");
  if (around === "dark" || around === "light") return around === "dark";
  const style = getComputedStyle(figure.parentElement ?? document.documentElement);
  // A page with our style sheet follows the reader's system; a foreign page may be light on a dark system.
  if (style.getPropertyValue("--ks-paper")) return matchMedia(SCHEME).matches;
  return lightness(style.color) > 0.5;
}

/** From 0 for black to 1 for white; colours that are not written as rgb(…) count as black. */
function lightness(color: string): number {
  const [r = 0, g = 0, b = 0] = /^rgba?\(([^)]*)\)/.exec(color)?.[1]?.split(/[\s,/]+/).map(Number) ?? [];
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}
