/** The fields of a mask as a table that is edited, one line each. */

import { h } from "../lib/dom";
import type { Edit } from "./draft";
import { Row, type Change, type Ways } from "./row";
import type { Field } from "./shapes";

export class Fields {
  readonly el: HTMLElement;
  #lines: Row[] = [];
  #rows = h("tbody");
  #more = h("button", { type: "button", class: "cid-quiet", on: { click: () => this.edit(added) } }, "+ another field");
  #ways: Ways = {
    change: (at, key, change) => this.edit((fields) => replaced(fields, at, key, (one) => [said(one, change)])),
    remove: (at, key) => this.edit((fields) => replaced(fields, at, key, () => [])),
    move: (at, key, by) => {
      this.edit((fields) => moved(fields, at, key, by));
      this.#lines[at + by]?.focus(by);
    },
  };

  /** `edit` is given what somebody does with the fields. */
  constructor(private readonly edit: (edit: Edit) => void) {
    const head = ["Key", "Type", "Required", "Choices, or unit", "Default", ""];
    const table = h("table", { class: "cid-mask-fields" }, h("thead", {}, h("tr", {}, ...head.map((word) => h("th", { scope: "col" }, word)))), this.#rows);
    this.el = h("div", {}, table, this.#more);
  }

  show(fields: Field[], free: boolean): void {
    for (const line of this.#lines.splice(fields.length)) line.el.remove();
    while (this.#lines.length < fields.length) {
      const line = new Row(this.#lines.length, this.#ways);
      this.#lines.push(line);
      this.#rows.append(line.el);
    }
    fields.forEach((field, at) => this.#lines[at]!.show(field, at === fields.length - 1, free));
    this.#more.hidden = !free;
  }
}

/** Where this field is now; it was at `at` when it was shown. */
function place(fields: Field[], at: number, key: string): number {
  return fields[at]?.key === key ? at : fields.findIndex((one) => one.key === key);
}

function replaced(fields: Field[], at: number, key: string, by: (one: Field) => Field[]): Field[] {
  const now = place(fields, at, key);
  return now < 0 ? fields : fields.flatMap((one, n) => (n === now ? by(one) : [one]));
}

function moved(fields: Field[], at: number, key: string, by: number): Field[] {
  const now = place(fields, at, key);
  if (now < 0 || !fields[now + by]) return fields;
  const rest = fields.filter((_, n) => n !== now);
  rest.splice(now + by, 0, fields[now]!);
  return rest;
}

function added(fields: Field[]): Field[] {
  const known = new Set(fields.map(({ key }) => key));
  let key = "New field";
  for (let n = 2; known.has(key); n += 1) key = `New field ${n}`;
  return [...fields, { key }];
}

function said(field: Field, change: Change): Field {
  return Object.fromEntries(Object.entries({ ...field, ...change }).filter(([, value]) => value !== undefined)) as Field;
}
