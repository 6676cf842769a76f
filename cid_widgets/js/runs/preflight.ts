/** What would become of the runs, as lights: how many images are ready, and what stops the others. */

import { h } from "../lib/dom";
import type { Light, Note, Preflight } from "../lib/shapes";
import { bytes, number, plural } from "../lib/words";

const WORDS: Record<Light, string> = { green: "ready", amber: "to look at", red: "cannot run" };
const ORDER: Light[] = ["green", "amber", "red"];
const OPEN = 5; // so many images with notes are shown without asking

function dot(light: Light): HTMLElement {
  return h("span", { class: "cid-light", "data-light": light, "aria-hidden": "true" });
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function sentence(note: Note): HTMLElement {
  const fix = h("span", { class: "cid-fix" }, `${capital(note.fix)}.`);
  return h("span", {}, `${capital(note.message)}. `, fix);
}

function counted(found: Preflight): HTMLElement {
  const parts = ORDER.filter((light) => found.counts[light]).map((light) =>
    h("span", {}, dot(light), `${number(found.counts[light])} ${WORDS[light]}`),
  );
  const room = found.nbytes ? h("span", { class: "cid-hint" }, `up to ${bytes(found.nbytes)} for results`) : false;
  return h("p", { class: "cid-lights" }, ...parts, room);
}

function listed(found: Preflight): HTMLElement {
  const lines = found.images.map((one) =>
    h("li", {}, dot(one.light), h("b", {}, one.name), h("span", {}, ...one.notes.map(sentence))),
  );
  if (found.more) lines.push(h("li", {}, `and ${plural(found.more, "more image")}`));
  const list = h("ul", { class: "cid-noted" }, ...lines);
  if (found.images.length <= OPEN) return list;
  return h("details", {}, h("summary", {}, `Why, for ${plural(found.images.length + found.more, "image")}`), list);
}

/** The images of a pre-flight that would run. */
export function fitting(found: Preflight): number {
  return found.counts.green + found.counts.amber;
}

/** What is in the way of all of them; null when nothing is. */
export function stopped(found: Preflight): Note | null {
  return found.notes.find((note) => note.light === "red") ?? null;
}

/** The panel; nothing while nothing was looked at. */
export function panel(found: Preflight | null): HTMLElement[] {
  if (!found) return [];
  if (found.error) return [h("p", { class: "cid-error" }, found.error)];
  const all = found.notes.map((note) => h("p", { class: "cid-note" }, dot(note.light), sentence(note)));
  return [counted(found), ...all, ...(found.images.length ? [listed(found)] : [])];
}
