/** What one step threw away as one line: pictures, what, who, until when, and the ways out. */

import { h } from "../lib/dom";
import { once } from "../lib/once";
import { sureButton } from "../lib/sure";
import type { Thumbnails } from "../lib/thumbnails";
import { bytes, number, plural, when } from "../lib/words";
import type { Thrown } from "./shapes";

const DAY_MS = 86_400_000;
const SOON = 3; // days

/** Whole days until then; 0 when less than one is left. */
export function daysLeft(iso: string, now = Date.now()): number {
  return Math.max(0, Math.floor((Date.parse(iso) - now) / DAY_MS));
}

function left(one: Thrown): HTMLElement {
  const days = daysLeft(one.purge_at);
  const text = days === 0 ? "less than a day left" : `${plural(days, "day")} left`;
  const word = h("span", { title: `Removed for good on ${when(one.purge_at)}` }, text);
  word.classList.toggle("cid-warn", days <= SOON);
  return word;
}

export interface Ways {
  restore?: (uid: string) => void;
  purge?: (uid: string) => void;
}

export function thrownLine(one: Thrown, thumbnails: Thumbnails, ways: Ways): HTMLElement {
  const more = one.records - one.images.length;
  const pictures = h(
    "span",
    { class: "cid-step-pictures", "aria-hidden": "true" },
    ...one.images.map((image) => h("span", { title: image.name }, thumbnails.frame(image, image.thumbnail))),
    more > 0 && one.images.length > 0 && h("span", { class: "cid-more-pictures" }, `+${number(more)}`),
  );
  const held = [plural(one.records, "record"), one.datasets.length && plural(one.datasets.length, "dataset"), bytes(one.nbytes)];
  const restore = h("button", { type: "button", "aria-label": `Restore ${one.what}` }, "Restore");
  once(restore, () => ways.restore?.(one.uid));
  const purge = sureButton(
    "Remove for good…",
    () => `Really remove ${bytes(one.nbytes)}?`,
    () => ways.purge?.(one.uid),
    { class: "cid-quiet cid-remove" },
  );
  purge.title = `Remove ${one.what} now: nothing brings it back`;
  return h(
    "li",
    { class: "cid-thrown", "data-uid": one.uid },
    h(
      "div",
      { class: "cid-thrown-words" },
      h("b", {}, one.what),
      h("span", { class: "cid-hint" }, held.filter(Boolean).join(" · ")),
      h("span", { class: "cid-hint" }, `thrown away by ${one.person}, ${when(one.created_at)}`),
    ),
    pictures,
    h("div", { class: "cid-thrown-left" }, left(one)),
    h("div", { class: "cid-thrown-ways" }, ways.restore && restore, ways.purge && purge),
  );
}
