/** How quality control stands: a dot and a word, so that nobody needs the colour. */

import { h } from "../lib/dom";
import { STATES } from "./shapes";

export function state(control: string, why = ""): HTMLElement {
  return h(
    "span",
    { class: "cid-scope-state", "data-state": control, title: why || undefined },
    h("span", { class: "cid-scope-dot", "aria-hidden": "true" }),
    STATES[control] ?? "",
  );
}
