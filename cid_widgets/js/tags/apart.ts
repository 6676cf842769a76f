/** Tags that nobody fills in here: what imports and runs said, read only, with where it came from. */

import { h } from "../lib/dom";
import { linked } from "./field";
import type { Apart, Held, Target } from "./shapes";

const MOST = 4;
const FROM: Record<string, string> = {
  file: "read from the file",
  settings: "from the settings file",
  instrument: "from the instrument",
  person: "set by a person",
  mask: "default of the upload's mask",
  run: "set by a run",
};

function value(one: Held, unit: string, count: number): HTMLElement {
  return h(
    "span",
    { class: "cid-tag-apart-value" },
    linked(one.link, unit ? `${one.text} ${unit}` : one.text),
    one.n < count && h("span", { class: "cid-of" }, String(one.n)),
    " ",
    h("span", { class: "cid-source", title: FROM[one.source] }, one.source),
  );
}

/** The list, or nothing where there is none. */
export function apart(tags: Apart[], target: Target | null): HTMLElement {
  if (!target || !tags.length) return h("div", { hidden: true });
  const list = h("dl", { class: "cid-facts" });
  for (const { key, unit, values, more } of tags) {
    const rest = values.length - MOST + more;
    list.append(
      h("dt", {}, key),
      h("dd", {}, ...values.slice(0, MOST).map((one) => value(one, unit, target.count)), rest > 0 && h("span", { class: "cid-hint" }, `and ${rest} more`)),
    );
  }
  return h("section", { class: "cid-tag-apart", "aria-label": "Set at import" }, h("h4", {}, "Set at import, not changed here"), list);
}
