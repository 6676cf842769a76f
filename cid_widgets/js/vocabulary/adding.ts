/** A new term: its key is compared with those that are there while one types. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { Ask, VocabularyState } from "./shapes";
import { folded, listed, TYPES } from "./words";

const ONE = ["number", "date"]; // types of which a record has one value
const LISTED = ["text", "choice", "ontology"];

export interface Adding {
  el: HTMLElement;
  start(key: string): void;
}

/** `open` goes to a term that is there already, `close` is called when the form goes. */
export function adding(kernel: Kernel<VocabularyState>, ask: Ask, open: (uid: string) => void, close: () => void): Adding {
  const field = (label: string, hint: string, most: number) => h("input", { type: "text", placeholder: hint, "aria-label": label, maxlength: most, spellcheck: "false" });
  const key = field("Key of the new term", "such as Genotype", 80);
  const type = h("select", { "aria-label": "Type" }, ...TYPES.map(([value, label]) => h("option", { value }, label)));
  const unit = field("Unit", "unit, such as µm", 24);
  unit.classList.add("cid-voc-short");
  const values = field("Values", "values, with commas", 4000);
  const pattern = field("Pattern", "pattern, such as OI-\\d{4,6}", 200);
  const link = field("Link", "https://…/{id}", 400);
  const help = field("Help", "help: what it means, in a line", 400);
  const several = h("input", { type: "checkbox" });
  const many = h("label", { class: "cid-check-line" }, several, "several values");
  const add = h("button", { type: "submit", class: "cid-primary" }, "Add");
  const cancel = h("button", { type: "button", on: { click: close } }, "Cancel");
  const words = h("span", { class: "cid-hint cid-voc-wide", "aria-live": "polite" });
  const form = h("form", { class: "cid-voc-adding", novalidate: true, "aria-label": "Add a term" }, key, type, unit, values, pattern, link, many, help, add, cancel, words);
  form.hidden = true;

  const same = () => {
    const wanted = folded(key.value);
    return wanted ? kernel.get("terms").find((one) => folded(one.key) === wanted) : undefined;
  };
  const show = () => {
    unit.hidden = type.value !== "number";
    values.hidden = !LISTED.includes(type.value);
    values.placeholder = type.value === "ontology" ? "label <IRI or CURIE>; …" : type.value === "text" ? "values to offer, with commas" : "values, with commas";
    many.hidden = ONE.includes(type.value);
    pattern.hidden = link.hidden = type.value !== "id:own";
    const there = same();
    const project = kernel.get("project");
    words.replaceChildren(project ? `Everybody in ${project} has it at once.` : "All projects have it at once.");
    if (!there) return;
    const way = h("button", { type: "button", class: "cid-link", on: { click: () => open(there.uid) } }, `“${there.key}”`);
    words.replaceChildren(h("b", {}, "There is ", way, ` already${there.retired ? ", retired" : ""}.`));
  };
  form.addEventListener("input", show);
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!key.value.trim()) {
      words.replaceChildren(h("span", { class: "cid-field-error" }, "Say how it is called."));
      return key.focus();
    }
    const [kind, scheme] = type.value.split(":");
    const how: Record<string, unknown> = { type: kind };
    if (scheme) how.scheme = scheme;
    if (!unit.hidden && unit.value.trim()) how.unit = unit.value.trim();
    if (!values.hidden && values.value.trim()) how.values = listed(values.value, kind!);
    if (!many.hidden && several.checked) how.many = true;
    if (help.value.trim()) how.help = help.value.trim();
    if (!pattern.hidden && pattern.value.trim()) how.pattern = pattern.value.trim();
    if (!link.hidden && link.value.trim()) how.link = link.value.trim();
    ask("add", { key: key.value.trim(), how });
  });
  kernel.told("added", ({ good }) => {
    if (!good) return;
    for (const one of [key, unit, values, pattern, link, help]) one.value = "";
    several.checked = false;
    if (form.contains(document.activeElement)) key.focus();
    show();
  });
  return {
    el: form,
    start: (text) => {
      form.hidden = false;
      if (text) key.value = text;
      show();
      key.focus();
    },
  };
}
