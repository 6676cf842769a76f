/** Lines that are added and removed: members with a role, terms with a type. */

import { h } from "../lib/dom";
import { roleSelect } from "./roles";
import type { Term, Wanted } from "./shapes";

const TYPES = ["text", "number", "date", "choice", "ontology"];

interface Line<T> {
  el: HTMLElement;
  value(): T | null; // null: nothing was written into it
  focus(): void;
}

class Lines<T> {
  readonly el: HTMLElement;
  #list = h("ul", { class: "cid-lines" });
  #lines: Line<T>[] = [];

  constructor(
    private readonly what: string,
    private readonly draw: (of: T | null, changed: () => void) => Line<T>,
    private readonly changed: () => void,
  ) {
    const add = h("button", { type: "button", class: "cid-quiet" }, `Add a ${what}`);
    add.addEventListener("click", () => this.#append(null).focus());
    this.el = h("div", {}, this.#list, add);
  }

  get value(): T[] {
    return this.#lines.map((line) => line.value()).filter((one): one is T & {} => one !== null);
  }

  set value(of: T[]) {
    this.#lines = [];
    this.#list.replaceChildren();
    for (const one of of) this.#append(one);
  }

  #append(of: T | null): Line<T> {
    const line = this.draw(of, this.changed);
    const remove = h("button", { type: "button", "aria-label": `Remove this ${this.what}`, title: `Remove this ${this.what}` }, "×");
    const item = h("li", {}, line.el, remove);
    remove.addEventListener("click", () => {
      this.#lines = this.#lines.filter((one) => one !== line);
      const next = item.nextElementSibling ?? item.previousElementSibling;
      item.remove();
      ((next ?? this.el).querySelector("input, button") as HTMLElement | null)?.focus();
      this.changed();
    });
    this.#lines.push(line);
    this.#list.append(item);
    return line;
  }
}

function memberLine(of: Wanted | null, changed: () => void): Line<Wanted> {
  const person = h("input", { type: "text", value: of?.person ?? "", placeholder: "name as the login page shows it", "aria-label": "Member", autocomplete: "off", spellcheck: "false" });
  const role = roleSelect(of?.role ?? "contributor", "Role");
  for (const one of [person, role]) one.addEventListener("input", changed);
  return {
    el: h("span", { class: "cid-line" }, person, role),
    value: () => (person.value.trim() ? { person: person.value.trim(), role: role.value } : null),
    focus: () => person.focus(),
  };
}

function termLine(of: Term | null, changed: () => void): Line<Term> {
  const key = h("input", { type: "text", value: of?.key ?? "", placeholder: "such as Genotype", "aria-label": "Term", maxlength: 80 });
  const type = h("select", { "aria-label": "Type" }, ...TYPES.map((one) => h("option", { value: one, selected: one === of?.type }, one)));
  const unit = h("input", { type: "text", value: of?.unit ?? "", placeholder: "unit, such as mg", "aria-label": "Unit", maxlength: 24, class: "cid-unit-field" });
  const choices = h("input", { type: "text", value: of?.choices.join(", ") ?? "", placeholder: "choices, with commas", "aria-label": "Choices" });
  const fit = () => {
    unit.hidden = type.value !== "number";
    choices.hidden = type.value !== "choice";
  };
  type.addEventListener("input", fit);
  for (const one of [key, type, unit, choices]) one.addEventListener("input", changed);
  fit();
  const chosen = () => choices.value.split(",").map((one) => one.trim()).filter(Boolean);
  return {
    el: h("span", { class: "cid-line" }, key, type, unit, choices),
    value: () =>
      key.value.trim()
        ? {
            key: key.value.trim(),
            type: type.value,
            unit: unit.hidden ? "" : unit.value.trim(),
            choices: choices.hidden ? [] : chosen(),
          }
        : null,
    focus: () => key.focus(),
  };
}

export function memberLines(changed: () => void): Lines<Wanted> {
  return new Lines("member", memberLine, changed);
}

export function termLines(changed: () => void): Lines<Term> {
  return new Lines("term", termLine, changed);
}
