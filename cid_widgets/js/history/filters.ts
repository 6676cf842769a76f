/** Whose changes and which kind of them. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { HistoryState } from "./shapes";

const KINDS: [string, string][] = [
  ["", "All changes"],
  ["tags", "Tags and notes"],
  ["places", "Names and places"],
  ["trash", "Trash"],
  ["data", "Imports and runs"],
  ["vocabulary", "Vocabulary"],
  ["people", "People and limits"],
];

export function filters(kernel: Kernel<HistoryState>): HTMLElement {
  const who = h("select", { "aria-label": "By whom" });
  const what = h("select", { "aria-label": "Kind of change" }, ...KINDS.map(([value, name]) => h("option", { value }, name)));
  who.addEventListener("change", () => kernel.set({ person: who.value }));
  what.addEventListener("change", () => kernel.set({ kind: what.value }));
  kernel.show(["people", "person"], () => {
    const people = kernel.get("people");
    who.replaceChildren(h("option", { value: "" }, "Everybody"), ...people.map((one) => h("option", { value: one }, one)));
    who.value = kernel.get("person");
  });
  kernel.show(["kind"], () => (what.value = kernel.get("kind")));
  return h("span", { class: "cid-filters" }, who, what);
}
