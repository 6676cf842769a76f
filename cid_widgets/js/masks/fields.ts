/** The fields of a mask as a table that is edited, one line each. */

import { h } from "../lib/dom";
import type { Document, Field, Value } from "./shapes";

type Change = { [K in keyof Field]?: unknown }; // undefined: it is said no more

const TYPES = ["text", "number", "date", "choice", "ontology", "id"];

export class Fields {
  readonly el: HTMLElement;
  #rows = h("tbody");
  #document: Document = {};
  #staff = false;

  /** `write` is given the whole document when somebody changed a field. */
  constructor(private readonly write: (document: Document) => void) {
    const head = ["Key", "Type", "Required", "Choices, or unit", "Default", ""];
    const add = h("button", { type: "button", class: "cid-quiet", on: { click: () => this.#add() } }, "+ another field");
    const table = h("table", { class: "cid-mask-fields" }, h("thead", {}, h("tr", {}, ...head.map((word) => h("th", { scope: "col" }, word)))), this.#rows);
    this.el = h("div", {}, table, add);
  }

  show(document: Document, staff: boolean): void {
    const place = this.#place();
    this.#document = document;
    this.#staff = staff;
    this.#rows.replaceChildren(...this.#fields().map((field, at) => this.#row(field, at)));
    this.el.querySelector<HTMLElement>(":scope > button")!.hidden = !staff;
    if (place) this.#rows.querySelector<HTMLElement>(`[data-at="${place}"]`)?.focus();
  }

  #fields(): Field[] {
    const told = this.#document.fields;
    return Array.isArray(told) ? told.filter((one) => one !== null && typeof one === "object") : [];
  }

  #row(field: Field, at: number): HTMLElement {
    const last = this.#fields().length - 1;
    const name = String(field.key ?? "");
    const mark = (what: string) => ({ "data-at": `${at} ${what}`, "aria-label": `${what} of ${name || "the new field"}`, disabled: !this.#staff });
    const set = (change: Change) => this.#change(at, change);
    const text = (what: string, value: string, then: (value: string) => Change, placeholder = "") => {
      const input = h("input", { type: "text", spellcheck: "false", maxlength: 400, placeholder, ...mark(what) });
      input.value = value;
      input.addEventListener("change", () => set(then(input.value.trim())));
      return input;
    };
    const type = h("select", mark("type"), ...TYPES.map((one) => h("option", { value: one, selected: one === (field.type ?? "text") }, one)));
    type.addEventListener("change", () => set({ type: type.value === "text" ? undefined : type.value }));
    const required = h("input", { type: "checkbox", ...mark("required") });
    required.checked = field.required === true;
    required.addEventListener("change", () => set({ required: required.checked || undefined }));
    const number = field.type === "number";
    const choices = number
      ? text("unit", String(field.unit ?? ""), (value) => ({ unit: value || undefined }), "ms")
      : text("choices", (field.choices ?? []).join("; "), (value) => ({ choices: split(value) }), "any; or one; two");
    const button = (word: string, what: string, then: () => void, off = false) =>
      h("button", { type: "button", class: "cid-quiet", ...mark(what), title: what, disabled: off || !this.#staff, on: { click: then } }, word);
    return h(
      "tr",
      { title: field.help || undefined },
      h("td", {}, text("key", name, (key) => ({ key }), "Cell type")),
      h("td", {}, type),
      h("td", {}, required),
      h("td", {}, choices),
      h("td", {}, text("default", String(field.default ?? ""), (value) => ({ default: plain(value, number) }), field.from ? `from ${field.from}` : "")),
      h("td", { class: "cid-mask-moves" }, button("↑", "move up", () => this.#move(at, -1), at === 0), button("↓", "move down", () => this.#move(at, 1), at === last), button("×", "remove", () => this.#remove(at))),
    );
  }

  #add(): void {
    const known = new Set(this.#fields().map(({ key }) => key));
    let key = "New field";
    for (let n = 2; known.has(key); n += 1) key = `New field ${n}`;
    this.#say([...this.#fields(), { key }]);
  }

  #change(at: number, change: Change): void {
    const merged = this.#fields().map((one, n) => (n === at ? { ...one, ...change } : one));
    this.#say(merged.map((one) => Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)) as Field));
  }

  #move(at: number, by: number): void {
    const fields = [...this.#fields()];
    const [one] = fields.splice(at, 1);
    fields.splice(at + by, 0, one!);
    this.#say(fields);
    this.#rows.querySelector<HTMLElement>(`[data-at="${at + by} ${by < 0 ? "move up" : "move down"}"]`)?.focus();
  }

  #remove(at: number): void {
    this.#say(this.#fields().filter((_, n) => n !== at));
  }

  #say(fields: Field[]): void {
    this.write({ ...this.#document, fields });
  }

  #place(): string | null {
    const focused = document.activeElement;
    return this.#rows.contains(focused) ? focused!.getAttribute("data-at") : null;
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
