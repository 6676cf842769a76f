/** An opened term: what it means, its values, and how it is changed by who may. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import { again, once } from "../lib/once";
import { plural } from "../lib/words";
import { pairs } from "./pairs";
import type { Ask, Offer, Shown, Term, VocabularyState } from "./shapes";
import { Values } from "./values";
import { willChange } from "./words";

/** One line to change: an input, a button, and what it will do. */
function lined(label: string, at: string, control: HTMLInputElement | HTMLSelectElement, button: string, words: string, go: () => void): HTMLElement {
  control.setAttribute("data-at", at);
  const press = h("button", { type: "submit", disabled: true }, button);
  const was = control.value;
  control.addEventListener("input", () => (press.disabled = control.value.trim() === was));
  const form = h(
    "form",
    { class: "cid-voc-change", novalidate: true },
    h("label", {}, h("span", { class: "cid-label" }, label), control),
    press,
    h("span", { class: "cid-hint" }, words),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (press.disabled) return;
    press.disabled = true;
    go();
  });
  return form;
}

function changes(term: Term, shown: Shown, terms: Map<string, Term>, ask: Ask): HTMLElement {
  const name = h("input", { type: "text", value: term.key, maxlength: 80, spellcheck: "false" });
  const help = h("input", { type: "text", value: term.help, maxlength: 400 });
  const into = h("select", {}, h("option", { value: "" }, "choose a term"), ...shown.into.map((uid) => h("option", { value: uid }, terms.get(uid)!.key)));
  const count = term.records === null ? "all its records" : plural(term.records, "record");
  const shows = term.records === 0 ? "No record has it." : `At once in ${count}.`;
  const retire = h("button", { type: "button", "data-at": "retire" }, term.retired ? "Bring back" : "Retire");
  once(retire, () => ask("retire", { term: term.uid, retired: !term.retired }));
  return h(
    "section",
    { class: "cid-voc-part" },
    h("h4", {}, "Change this term"),
    lined("Name", "name", name, "Rename", shows, () => ask("rename", { term: term.uid, to: name.value.trim() })),
    lined("Help", "help", help, "Save", "Shown to who fills in a card.", () => ask("help", { term: term.uid, help: help.value.trim() })),
    !term.retired &&
      shown.into.length > 0 &&
      lined("Merge into", "into", into, "Merge", `${willChange(term.records)} “${term.key}” is then retired.`, () => ask("merge", { term: term.uid, into: into.value })),
    h(
      "div",
      { class: "cid-voc-change" },
      retire,
      h("span", { class: "cid-hint" }, term.retired ? "It is offered again for new tags." : "No new tags; those that are there stay."),
    ),
  );
}

function facts(term: Term): HTMLElement {
  const rows: [string, string][] = [
    ["Pattern", term.pattern],
    ["Link", term.link],
    ["Range", term.span],
  ];
  const told = rows.filter(([, text]) => text);
  return h("dl", { class: "cid-voc-facts" }, ...told.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
}

/** Other terms spelled much like this one: a way to them, and to one name for both. */
function others(term: Term, shown: Shown, terms: Map<string, Term>, ask: Ask, open: (uid: string) => void): HTMLElement | null {
  if (!shown.alike.length) return null;
  const lines = shown.alike.map((uid) => {
    const other = terms.get(uid)!;
    const merge = h("button", { type: "button", class: "cid-voc-merge" }, `Merge into “${other.key}”`);
    once(merge, () => ask("merge", { term: term.uid, into: uid }));
    const may = term.edit && !term.retired && shown.into.includes(uid);
    return h(
      "li",
      {},
      h("button", { type: "button", class: "cid-link", on: { click: () => open(uid) } }, other.key),
      other.records !== null && h("span", { class: "cid-hint" }, plural(other.records, "record")),
      may && h("span", { class: "cid-voc-way" }, h("span", { class: "cid-hint" }, willChange(term.records)), merge),
    );
  });
  return h("section", { class: "cid-voc-alike" }, h("h4", {}, `Another term is spelled much like “${term.key}”`), h("ul", { class: "cid-voc-others" }, ...lines));
}

export interface Panel {
  el: HTMLElement;
  /** Show other values of the same term. */
  values(shown: Shown): void;
  /** Values to merge into. */
  offer(offers: Offer[]): void;
  /** Something was refused: offer again what was pressed. */
  again(): void;
}

export function panel(kernel: Kernel<VocabularyState>, term: Term, shown: Shown, ask: Ask, open: (uid: string) => void): Panel {
  const terms = new Map(kernel.get("terms").map((one) => [one.uid, one]));
  const numeric = term.type === "number" || term.type === "date";
  const values = numeric ? null : new Values(term, ask);
  const spellings = h("div", {});
  const show = (now: Shown) => {
    values?.show(now);
    spellings.replaceChildren(...[pairs(term, now, ask)].filter((one) => one !== null));
  };
  show(shown);
  const where = kernel.get("project");
  const inherited = where && !term.project;
  const note = inherited && (term.edit_values ? `A term of the facility: its values are renamed in ${where} only. Staff changes the term itself.` : "A term of the facility, which all projects have.");
  const el = h(
    "div",
    { class: "cid-voc-panel" },
    h("p", {}, term.help || h("span", { class: "cid-hint" }, "Nothing is said about it yet.")),
    note && h("p", { class: "cid-hint" }, note),
    facts(term),
    others(term, shown, terms, ask, open),
    spellings,
    h("div", { class: "cid-voc-parts" }, values && values.el, term.edit && changes(term, shown, terms, ask)),
  );
  const press = () => {
    for (const button of el.querySelectorAll("button")) {
      again(button);
      button.disabled = false;
    }
  };
  return { el, values: show, offer: (offers) => values?.offer(offers), again: press };
}
