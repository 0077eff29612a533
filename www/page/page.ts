/** The page around the figures: contents that follow the reader, themes, formulas that light their figure. */
import { splitHash } from "../figure/state";
import { roadmap } from "./roadmap";

/** The text a hash leads to; the part behind `?` is the figures'. */
function go(): void {
  const { anchor } = splitHash();
  if (anchor) document.getElementById(anchor)?.scrollIntoView();
}

function followReader(): void {
  const links = new Map([...document.querySelectorAll<HTMLAnchorElement>("nav.contents a")].map((link) => [link.hash.slice(1), link]));
  const seen = new Set<string>();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) seen.add(target.id);
        else seen.delete(target.id);
      }
      const now = [...links.keys()].find((id) => seen.has(id));
      for (const [id, link] of links) {
        if (id === now) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-20% 0px -60% 0px" },
  );
  for (const id of links.keys()) {
    const section = document.getElementById(id);
    if (section) observer.observe(section);
  }
}

function themes(): void {
  const root = document.documentElement;
  const buttons = [...document.querySelectorAll<HTMLButtonElement>("[data-set-theme]")];
  const show = () => {
    const now = root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.setTheme === now));
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      root.dataset.theme = button.dataset.setTheme;
      show();
      dispatchEvent(new Event("kernelscope-theme"));
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}

/** Pointing at a symbol, or focusing it, lights what it stands for. */
function formulas(): void {
  for (const symbol of document.querySelectorAll<HTMLElement>("[data-light]")) {
    const key = symbol.closest<HTMLElement>("[data-figure]")?.dataset.figure;
    const light = (role: string | null) => {
      const figure = document.querySelector<HTMLElement & { light?(role: string | null): void }>(`[data-key="${key}"]`);
      figure?.light?.(role);
    };
    const on = () => light(symbol.getAttribute("data-light"));
    const off = () => light(null);
    symbol.addEventListener("pointerenter", on);
    symbol.addEventListener("focus", on);
    symbol.addEventListener("pointerleave", off);
    symbol.addEventListener("blur", off);
  }
}

followReader();
themes();
formulas();
roadmap();
addEventListener("hashchange", go);
go();
