/** A part takes the place of another: who worked in the one finds himself at the top of the other. */

/** What scrolls around an element, if anything does but the page. */
function scroller(el: HTMLElement): HTMLElement | null {
  for (let around = el.parentElement; around; around = around.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(around).overflowY) && around.scrollHeight > around.clientHeight) return around;
  }
  return null;
}

/** Give `part` the focus; `whole` begins where it can be seen, though what was there before was longer. */
export function turnTo(part: HTMLElement, whole: HTMLElement): void {
  part.tabIndex = -1;
  part.focus({ preventScroll: true });
  const top = Math.max(0, scroller(whole)?.getBoundingClientRect().top ?? 0);
  if (whole.getBoundingClientRect().top < top) whole.scrollIntoView({ block: "start" });
}

/** Bring `el` into sight, and again while it grows, until somebody does something himself. */
export function follow(el: HTMLElement): void {
  const grown = new ResizeObserver(() => el.scrollIntoView({ block: "nearest" }));
  grown.observe(el);
  const own = new AbortController();
  for (const kind of ["wheel", "pointerdown", "keydown"]) {
    addEventListener(kind, () => (grown.disconnect(), own.abort()), { capture: true, passive: true, signal: own.signal });
  }
}
