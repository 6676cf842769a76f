/** One change as one line: who did what, its pictures, when, and Undo. */

import { h } from "../lib/dom";
import { once } from "../lib/once";
import type { Thumbnails } from "../lib/thumbnails";
import { number, when } from "../lib/words";
import type { Refused, Step } from "./shapes";

function clock(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? "" : time.toLocaleTimeString(undefined, { timeStyle: "short" });
}

/** "renamed cell to cell 6", with the names in bold. */
export function words(step: Step): (HTMLElement | string)[] {
  return step.words.map((part, index) => (index % 2 ? h("b", {}, part) : part));
}

function pictures(step: Step, thumbnails: Thumbnails): HTMLElement | false {
  if (!step.images.length) return false;
  const more = step.more > 0 && h("span", { class: "cid-more-pictures" }, `+${number(step.more)}`);
  const shown = step.images.map((image) => h("span", { title: image.name }, thumbnails.frame(image, image.thumbnail)));
  return h("span", { class: "cid-step-pictures", "aria-hidden": "true" }, ...shown, more);
}

function fate(step: Step): HTMLElement | false {
  if (!step.undone) return false;
  const by = step.undone.person ? ` by ${step.undone.person}, ${when(step.undone.at)}` : "";
  return h("span", { class: "cid-step-undone" }, `taken back${by}`);
}

/** `only`: whether all belongs to one project, so that it need not be named. */
export function stepLine(step: Step, thumbnails: Thumbnails, only: boolean, undo: () => void): HTMLElement {
  const said = h(
    "span",
    { class: "cid-step-words" },
    h("span", {}, h("span", { class: "cid-step-who" }, step.person), " ", ...words(step)),
    !only && step.project && h("span", { class: "cid-hint" }, ` in ${step.project}`),
    fate(step),
  );
  const time = h("time", { datetime: step.at, title: when(step.at) }, clock(step.at));
  const button = h("button", { type: "button", class: "cid-undo", "aria-label": `Undo: ${step.person} ${step.words.join("")}` }, "Undo");
  once(button, undo);
  return h(
    "li",
    { class: "cid-step", "data-entry": step.entry, "data-undone": Boolean(step.undone) },
    time,
    said,
    pictures(step, thumbnails),
    h("span", { class: "cid-step-way" }, step.undoable && button),
  );
}

/** Why it was not taken back, and what to take back first; `go` leads to an entry. */
export function refusal(refused: Refused, has: (entry: number) => boolean, go: (entry: number) => void): HTMLElement {
  const lines = refused.changed.map(({ person, action, at, entry }) => {
    const text = `${person}: ${action}, ${when(at)}`;
    if (entry === null || !has(entry)) return h("li", {}, text);
    const link = h("button", { type: "button", class: "cid-link" }, text);
    link.addEventListener("click", () => go(entry));
    return h("li", {}, link);
  });
  const message = lines.length
    ? "Not taken back: it was changed since. Take these back first, the newest first:"
    : `Not taken back: ${refused.message}`;
  return h("div", { class: "cid-step-refused", role: "alert" }, message, lines.length > 0 && h("ul", {}, ...lines));
}
