/** Tags that all images of an upload get: the fields of a mask, and lines of key and value. */

import { h } from "../lib/dom";
import { nextId } from "../people/labelled";
import type { Mask, Tags, Wrong } from "./shapes";

type Field = Mask["fields"][number];

const FEW = 12; // choices that are named; of more the list opens as one types

/** What a field takes: "as in the freezer list · one of HeLa, U2OS", "1 to 10000 ms". */
function words({ help, choices, unit, minimum, maximum }: Field): string {
  const names = choices.map((choice) => choice.replace(/\s*<[^<>]*>$/, "")); // of an ontology: without its IRI
  const offered = names.length > FEW ? `one of ${names.length}: type to find it` : names.length > 0 && `one of ${names.join(", ")}`;
  const range = minimum !== "" && maximum !== "" ? `${Number(minimum)} to ${Number(maximum)}` : minimum !== "" ? `${Number(minimum)} or more` : maximum !== "" && `${Number(maximum)} or less`;
  return [help, offered, range && `${range} ${unit}`.trim()].filter(Boolean).join(" · ");
}

export class TagLines {
  readonly el: HTMLElement;
  #list = h("div", { class: "cid-up-tags" });
  #help = h("p", { class: "cid-up-help", hidden: true });
  #fields: Field[] = [];

  constructor(private readonly changed: () => void) {
    const more = h("button", { type: "button", class: "cid-quiet" }, "+ another tag");
    more.addEventListener("click", () => this.#line("", "").querySelector("input")!.focus());
    this.el = h("div", {}, this.#help, this.#list, more);
    this.value = {};
  }

  /** Ask for what masks ask for, with their own words; what was said stays. */
  ask(masks: Mask[]): void {
    const before = this.value;
    this.#fields = [...new Map(masks.flatMap(({ fields }) => fields).map((field) => [field.key, field])).values()];
    this.#help.textContent = masks.map(({ help }) => help).filter(Boolean).join(" ");
    this.#help.hidden = this.#help.textContent === "";
    this.value = before;
  }

  get value(): Tags {
    const found = new Map<string, string[]>();
    for (const line of this.#list.children) {
      const [key, value] = [...line.querySelectorAll("input")].map(({ value }) => value.trim());
      if (key && value) found.set(key, [...new Set([...(found.get(key) ?? []), value])]);
    }
    return Object.fromEntries([...found].map(([key, values]) => [key, values.length > 1 ? values : values[0]!]));
  }

  set value(tags: Tags) {
    const values = (key: string) => [tags[key] ?? ""].flat();
    const others = Object.keys(tags).filter((key) => !this.#fields.some((field) => field.key === key));
    this.#list.replaceChildren();
    for (const field of this.#fields) for (const value of values(field.key)) this.#line(field.key, value, field);
    for (const key of others) for (const value of values(key)) this.#line(key, value);
    if (!this.#list.hasChildNodes()) this.#line("", "");
  }

  /** Show what is wrong beside the key that it is of; return what is wrong elsewhere. */
  complain(wrong: Wrong[]): string[] {
    const here = (line: Element) => line.querySelector("input")!.value.trim();
    const told = new Set<string>(); // of several lines of a key the first one says it
    for (const line of this.#list.children) {
      const words = wrong.filter(({ field, file }) => !file && field === here(line) && !told.has(field)).map(({ message }) => message);
      told.add(here(line));
      line.querySelector(".cid-field-error")!.textContent = words.join("; ");
      line.querySelectorAll("input")[1]!.setAttribute("aria-invalid", String(words.length > 0));
    }
    const keys = new Set([...this.#list.children].map(here));
    return wrong
      .filter(({ field, file }) => file || !keys.has(field))
      .map(({ field, message, file }) => [file, field, message].filter(Boolean).join(": "));
  }

  /** The first field that something is wrong with. */
  wrong(): HTMLElement | null {
    return this.#list.querySelector<HTMLElement>('[aria-invalid="true"]');
  }

  /** The first field that is empty of those that something is wrong with. */
  empty(wrong: Wrong[]): HTMLInputElement | null {
    for (const line of this.#list.children) {
      const [key, value] = line.querySelectorAll("input");
      if (!value!.value.trim() && wrong.some(({ field }) => field === key!.value)) return value!;
    }
    return null;
  }

  #line(key: string, value: string, field?: Field): HTMLElement {
    const known = nextId();
    const choices = field?.choices ?? [];
    const hint = field ? [field.required ? "required" : "optional", field.unit, field.default && `else ${field.default}`].filter(Boolean).join(", ") : "HeLa";
    const about = field ? words(field) : "";
    const first = h("input", { type: "text", "aria-label": "Tag", placeholder: "Cell type", maxlength: 80, spellcheck: "false", readonly: !!field });
    const second = h("input", {
      type: "text",
      "aria-label": field ? field.key : "Value of the tag",
      "aria-required": field ? String(field.required) : undefined,
      placeholder: hint,
      "aria-describedby": about ? `${known}-about` : undefined,
      maxlength: 200,
      spellcheck: "false",
      list: choices.length ? known : undefined,
    });
    const more = field?.many && h("button", { type: "button", class: "cid-quiet", "aria-label": `Another ${field.key}`, title: `Another ${field.key}` }, "+");
    if (more) more.addEventListener("click", () => this.#another(made, field));
    first.value = key;
    second.value = value;
    const made = h(
      "div",
      { class: "cid-up-tag" },
      first,
      second,
      more,
      choices.length > 0 && h("datalist", { id: known }, ...choices.map((choice) => h("option", { value: choice }))),
      about && h("span", { class: "cid-hint", id: `${known}-about` }, about),
      h("span", { class: "cid-field-error", role: "alert" }),
    );
    made.addEventListener("input", () => {
      made.querySelector(".cid-field-error")!.textContent = ""; // it is judged anew
      second.removeAttribute("aria-invalid");
      this.changed();
    });
    this.#list.append(made);
    return made;
  }

  /** A line more for another value of the same key, below the one that is there. */
  #another(above: HTMLElement, field: Field): void {
    const made = this.#line(field.key, "", field);
    above.after(made);
    made.querySelectorAll("input")[1]!.focus();
  }
}
