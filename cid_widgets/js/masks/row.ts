/** A field of a mask as a line. It is filled anew, never made anew: what one is typing there stays. */

import { h } from "../lib/dom";
import type { Field, Value } from "./shapes";

export type Change = { [K in keyof Field]?: unknown }; // undefined: it is said no more

const TYPES = ["text", "number", "date", "choice", "ontology", "id"];

export interface Ways {
  change(at: number, key: string, change: Change): void;
  move(at: number, key: string, by: number): void;
  remove(at: number, key: string): void;
}

type Control = HTMLInputElement | HTMLSelectElement | HTMLButtonElement;

export class Row {
  readonly el: HTMLElement;
  #field: Field = { key: "" };
  #filled = new Map<HTMLInputElement, string>(); // what was put into it
  #key = this.#text((key) => ({ key }), "Cell type");
  #type = h("select", {}, ...TYPES.map((one) => h("option", { value: one }, one)));
  #required = h("input", { type: "checkbox" });
  #choices = this.#text((value) => (this.#number ? { unit: value || undefined } : { choices: split(value) }));
  #default = this.#text((value) => ({ default: plain(value, this.#number) }));
  #up = this.#button("↑", "move up", () => this.ways.move(this.at, this.#field.key, -1));
  #down = this.#button("↓", "move down", () => this.ways.move(this.at, this.#field.key, 1));
  #remove = this.#button("×", "remove", () => this.ways.remove(this.at, this.#field.key));

  constructor(
    private readonly at: number,
    private readonly ways: Ways,
  ) {
    this.#type.addEventListener("change", () => this.#set({ type: this.#type.value === "text" ? undefined : this.#type.value }));
    this.#required.addEventListener("change", () => this.#set({ required: this.#required.checked || undefined }));
    const cells = [this.#key, this.#type, this.#required, this.#choices, this.#default].map((one) => h("td", {}, one));
    this.el = h("tr", {}, ...cells, h("td", { class: "cid-mask-moves" }, this.#up, this.#down, this.#remove));
  }

  show(field: Field, last: boolean, free: boolean): void {
    this.#field = field;
    const name = String(field.key ?? "");
    const mark = (control: Control, what: string, off = false) => {
      control.setAttribute("aria-label", `${what} of ${name || "the new field"}`);
      control.disabled = off || !free;
    };
    this.el.title = field.help ?? "";
    mark(this.#key, "key");
    mark(this.#type, "type");
    mark(this.#required, "required");
    mark(this.#choices, this.#number ? "unit" : "choices");
    mark(this.#default, "default");
    mark(this.#up, "move up", this.at === 0);
    mark(this.#down, "move down", last);
    mark(this.#remove, "remove");
    this.#fill(this.#key, name);
    this.#type.value = field.type ?? "text";
    this.#required.checked = field.required === true;
    this.#fill(this.#choices, this.#number ? String(field.unit ?? "") : (field.choices ?? []).join("; "));
    this.#choices.placeholder = this.#number ? "ms" : "any; or one; two";
    this.#fill(this.#default, String(field.default ?? ""));
    this.#default.placeholder = field.from ? `from ${field.from}` : "";
  }

  /** Focus the button that moves it on, or back where it can go no further. */
  focus(by: number): void {
    const on = by < 0 ? this.#up : this.#down;
    (on.disabled ? (by < 0 ? this.#down : this.#up) : on).focus();
  }

  get #number(): boolean {
    return this.#field.type === "number";
  }

  #set(change: Change): void {
    this.ways.change(this.at, this.#field.key, change);
  }

  /** What somebody is typing there is not taken away. */
  #fill(input: HTMLInputElement, value: string): void {
    const typing = document.activeElement === input && input.value !== this.#filled.get(input);
    this.#filled.set(input, value);
    if (!typing && input.value !== value) input.value = value;
  }

  #text(then: (value: string) => Change, placeholder = ""): HTMLInputElement {
    const input = h("input", { type: "text", spellcheck: "false", maxlength: 400, placeholder });
    input.addEventListener("change", () => this.#set(then(input.value.trim())));
    return input;
  }

  #button(word: string, what: string, then: () => void): HTMLButtonElement {
    return h("button", { type: "button", class: "cid-quiet", title: what, on: { click: then } }, word);
  }
}

function split(value: string): Value[] | undefined {
  const found = value.split(";").map((one) => one.trim()).filter(Boolean);
  return found.length ? found : undefined;
}

function plain(value: string, number: boolean): Value | undefined {
  if (!value) return undefined;
  return number && Number.isFinite(Number(value)) ? Number(value) : value;
}
