/** The terms as a table; the opened one has its panel below its line. */

import { h } from "../lib/dom";
import { number } from "../lib/words";
import type { Term } from "./shapes";
import { folded, KINDS, typeWord } from "./words";

const HEADS = ["Term", "Type", "Values", "Records", "From"];
const COUNTED = 100; // values of one term

export const columns = HEADS.length;

function values(term: Term): string {
  if (term.span) return term.span;
  const rest = term.count - term.top.length;
  const more = term.count >= COUNTED ? "many" : number(rest);
  return `${term.top.join(", ")}${rest > 0 ? ` and ${more} more` : ""}`;
}

export function head(): HTMLElement {
  return h("thead", {}, h("tr", {}, ...HEADS.map((word) => h("th", { scope: "col", class: `cid-voc-${word.toLowerCase()}` }, word))));
}

/** One line; `toggle` opens it, or closes it. */
export function line(term: Term, opened: boolean, panelId: string, toggle: () => void): HTMLTableRowElement {
  const key = h("button", { type: "button", class: "cid-link cid-voc-key", "aria-expanded": String(opened), "aria-controls": opened && panelId, "data-at": `term ${term.uid}` }, term.key);
  const row = h(
    "tr",
    { class: "cid-voc-row", "data-opened": opened, "data-retired": term.retired },
    h("th", { scope: "row", title: term.help || undefined }, key, term.retired && h("span", { class: "cid-voc-mark" }, "retired")),
    h("td", {}, typeWord(term)),
    h("td", { class: "cid-voc-top", title: term.top.join(", ") || undefined }, `${values(term)} `, term.alike > 0 && h("span", { class: "cid-voc-some" }, `${term.alike} alike`)),
    h("td", { class: "cid-voc-n" }, term.records === null ? "–" : number(term.records)),
    h("td", {}, term.project || "facility"),
  );
  row.addEventListener("click", (event) => {
    if (!(event.target as Element).closest("a")) toggle();
  });
  return row;
}

export function heading(kind: string): HTMLTableRowElement {
  return h("tr", { class: "cid-voc-kind" }, h("th", { colspan: columns, scope: "colgroup" }, KINDS[kind] ?? kind));
}

/** Does a term answer what was typed into the filter? */
export function answers(term: Term, filter: string): boolean {
  const wanted = folded(filter);
  return [term.key, term.help, typeWord(term), ...term.top].some((one) => folded(one).includes(wanted));
}
