/** The microscopes as a list that is filtered by words; the one that is open is marked. */

import { h } from "../lib/dom";
import { plural } from "../lib/words";
import type { Line } from "./shapes";
import { state } from "./state";

/** Does it have all these words, somewhere in what it is called? */
export function fits(scope: Line, words: string): boolean {
  const text = [scope.name, scope.model, scope.room, scope.serial, ...scope.names].join(" ").toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

export function item(scope: Line, open: boolean, then: () => void): HTMLElement {
  const used = scope.images === null ? "" : scope.images ? `${plural(scope.images, "image")}, last ${scope.last_used}` : "no images of yours";
  const about = [scope.model, scope.room].filter(Boolean).join(" · ");
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: "cid-scope", "data-uid": scope.uid, "aria-current": open ? "true" : undefined, on: { click: then } },
      h("span", { class: "cid-scope-name" }, scope.name),
      scope.retired ? h("span", { class: "cid-scope-state" }, "retired") : scope.control && state(scope.control, scope.why),
      about && h("span", { class: "cid-hint" }, about),
      used && h("span", { class: "cid-hint" }, used),
    ),
  );
}
