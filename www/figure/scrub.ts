/** A number's field that also changes when it is dragged sideways. Pressed and let go in place it is opened for typing, as ever. */

export interface Scrub {
  /** The value as the drag begins, and how much a CSS pixel changes it; null where there is nothing to drag. */
  begin(): { value: number; step: number } | null;
  move(value: number): void;
}

/** A hand that only presses trembles by so many CSS pixels. */
const SLACK = 3;

export function scrub(field: HTMLInputElement, { begin, move }: Scrub): void {
  let from: { x: number; value: number; step: number; last: number } | undefined;
  let dragging = false;
  const typing = () => field.matches(":focus");
  field.classList.add("scrubbed");
  // A press must not begin to select text or call a keyboard: it may become a drag.
  field.addEventListener("mousedown", (event) => typing() || event.preventDefault());
  field.addEventListener("click", () => {
    if (!dragging) field.focus();
    dragging = false;
  });
  field.addEventListener("pointerdown", (event) => {
    dragging = false;
    const start = event.button === 0 && !typing() ? begin() : null;
    from = start ? { x: event.clientX, ...start, last: 0 } : undefined;
  });
  field.addEventListener("pointermove", (event) => {
    if (!from) return;
    const way = Math.round(event.clientX - from.x);
    if (!dragging && Math.abs(way) < SLACK) return;
    if (!dragging) {
      dragging = true;
      field.setPointerCapture(event.pointerId);
    }
    if (way === from.last) return;
    from.last = way;
    // Six digits behind the point, so that sums of steps stay as short as they are.
    move(Number((from.value + way * from.step).toFixed(6)));
  });
  for (const end of ["pointerup", "pointercancel"]) field.addEventListener(end, () => (from = undefined));
}

/** 1, 2 or 5 times a power of ten: about a sixtieth of `reach`, and not more. */
export function stepFor(reach: number): number {
  const wanted = reach / 60;
  const ten = 10 ** Math.floor(Math.log10(wanted));
  return ([5, 2].find((times) => times * ten <= wanted) ?? 1) * ten;
}
