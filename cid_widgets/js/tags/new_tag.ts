/** A key that the card does not have: used at once as a plain tag, or declared as a typed term. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { TaggingState } from "./shapes";

const TYPES: [string, string][] = [
  ["text", "text"],
  ["number", "number"],
  ["date", "date"],
  ["choice", "one of a list"],
  ["ontology", "ontology term"],
  ["id:orcid", "ORCID"],
  ["id:rrid", "RRID"],
  ["id:doi", "DOI"],
  ["id:url", "web address"],
];
const ONE = ["number", "date"]; // types of which a record has one value

/** The line below the fields; `open` goes to the field of a key. */
export function newTag(kernel: Kernel<TaggingState>, open: (key: string) => void): { el: HTMLElement; show: () => void } {
  const name = h("input", { type: "text", placeholder: "another tag", "aria-label": "Another tag", spellcheck: "false", maxlength: 80 });
  const type = h("select", { "aria-label": "Type" }, ...TYPES.map(([value, label]) => h("option", { value }, label)));
  const unit = h("input", { type: "text", class: "cid-short", placeholder: "unit", "aria-label": "Unit" });
  const values = h("input", { type: "text", placeholder: "values, with commas", "aria-label": "Values" });
  const several = h("input", { type: "checkbox" });
  const many = h("label", { class: "cid-check-line" }, several, "several values");
  const add = h("button", { type: "button" });
  const ask = h("span", { class: "cid-hint" });
  const typed = h("span", { class: "cid-new-how" }, type, unit, values, many);
  const el = h("div", { class: "cid-new-tag" }, name, typed, add, ask);

  const manages = () => kernel.get("tag_target")?.manages ?? false;
  const known = () => kernel.get("tag_fields").some(({ key }) => key.toLowerCase() === name.value.trim().toLowerCase());
  const show = () => {
    const target = kernel.get("tag_target");
    const kind = type.value;
    typed.hidden = !manages() || !name.value.trim() || known();
    unit.hidden = kind !== "number";
    values.hidden = kind !== "choice";
    many.hidden = ONE.includes(kind);
    add.textContent = manages() && !known() ? "Add term" : "Add tag";
    add.disabled = !name.value.trim();
    ask.textContent = manages() || !name.value.trim() ? "" : `It becomes a plain term of ${target?.project}. For one with a type, a unit or a list, ask ${target?.ask}.`;
  };
  const go = () => {
    const key = name.value.trim();
    if (!key) return;
    name.value = "";
    if (!manages() || kernel.get("tag_fields").some((field) => field.key.toLowerCase() === key.toLowerCase())) open(key);
    else {
      const [kind, scheme] = type.value.split(":");
      const listed = values.value.split(",").map((one) => one.trim()).filter(Boolean);
      const how: Record<string, unknown> = { type: kind };
      if (scheme) how.scheme = scheme;
      if (kind === "number" && unit.value.trim()) how.unit = unit.value.trim();
      if (kind === "choice") how.values = listed;
      if (several.checked && !ONE.includes(kind!)) how.many = true;
      kernel.ask("add_term", { key, how });
    }
    show();
  };
  for (const control of [name, unit, values]) {
    control.addEventListener("input", show);
    control.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      go();
    });
  }
  name.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !name.value) return;
    name.value = "";
    event.preventDefault();
    event.stopPropagation();
    show();
  });
  type.addEventListener("change", show);
  add.addEventListener("click", go);
  return { el, show };
}
