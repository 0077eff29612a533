/** Keys pressed in a figure stay in it: a deck would turn its slide, an application run its shortcuts. */

export function keepKeys(figure: HTMLElement, root: ShadowRoot, handsBack: () => boolean): void {
  const keep = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
    if (event.key === "Escape") {
      if (event.type !== "keydown" || !handsBack()) return;
      // The deck has the keys again; it does not also take this one, which would open its overview.
      if (root.activeElement instanceof HTMLElement) root.activeElement.blur();
      figure.dispatchEvent(new CustomEvent("leave", { bubbles: true, composed: true }));
    }
    event.stopPropagation();
  };
  for (const type of ["keydown", "keypress", "keyup"] as const) figure.addEventListener(type, keep);
}
