/** What stands below a field: how often each value is there, how it was read, what is alike. */

import { h } from "../lib/dom";
import { number, plural } from "../lib/words";
import * as c from "./changes";
import { linked } from "./field";
import type { Changes, KeyPreview, TagField, Target } from "./shapes";

export interface Doing {
  use: (text: string) => void;
  replace: (old: string, value: string) => void;
  keep: (text: string) => void;
  kept: ReadonlySet<string>;
  declare: (value: string) => void;
}

const MOST = 6;

function button(label: string, act: () => void, about = ""): HTMLButtonElement {
  const made = h("button", { type: "button", class: "cid-link", title: about || undefined }, label);
  made.addEventListener("click", act);
  return made;
}

function line(mood: string, ...parts: (Node | string | false)[]): HTMLElement {
  return h("p", { class: "cid-tag-note", "data-mood": mood }, ...parts);
}

/** "HeLa 300 · HEK 187 · none 13": how often each; one click takes it for all. */
function spread({ values, more, unit }: TagField, count: number, use: (text: string) => void): HTMLElement {
  const sum = values.reduce((total, { n }) => total + n, 0);
  const parts = values.slice(0, MOST).map(({ text, n }) => {
    const what = unit ? `${text} ${unit}` : text;
    return h("span", {}, button(what, () => use(text), `Use ${what} for all`), ` ${n}`);
  });
  const others = values.length - parts.length + more;
  if (others > 0) parts.push(h("span", {}, `${others} others`));
  if (sum < count && !more) parts.push(h("span", {}, `none ${count - sum}`));
  return h("p", { class: "cid-tag-note cid-tag-spread" }, ...parts);
}

/** The notes of one field, the most pressing first. */
export function notes(field: TagField, changes: Changes, told: KeyPreview | undefined, target: Target, doing: Doing): HTMLElement[] {
  const { key, values, many, type } = field;
  const same = values.length === 1 && values[0]!.n === target.count;
  const found: HTMLElement[] = [];
  if (!target.editable) return found;
  const touched = c.touched(changes, key);
  if (told?.error) {
    const value = c.wanted(changes, key);
    const closed = type === "choice" && value !== undefined;
    found.push(line("bad", told.error.replace(`value of '${key}': `, ""), closed && !target.manages && ` ${target.ask} may add it.`));
    if (closed && target.manages) {
      found.push(line("", button(`Make “${c.text(value)}” a choice`, () => doing.declare(c.text(value)))));
    }
  }
  if (touched && told && !told.error) {
    const asked = [...c.chips(changes, field, target.count).map(({ text }) => text), c.text(c.wanted(changes, key) ?? "")];
    for (const [kept, given] of Object.entries(told.taken)) {
      if (asked.includes(kept)) found.push(line("good", `“${given}” is written “${kept}” here.`));
    }
    for (const [mine, others] of Object.entries(told.similar)) {
      if (!asked.includes(mine) || doing.kept.has(mine)) continue;
      const uses = others.map((other) => button(`use “${other}”`, () => doing.replace(mine, other)));
      found.push(line("warn", `“${mine}” is much like what is there: `, ...uses.flatMap((use) => [use, " · "]), button("keep mine", () => doing.keep(mine))));
    }
    const had = told.unchanged && told.changed ? `, ${number(told.unchanged)} ${told.unchanged === 1 ? "has" : "have"} it already` : "";
    found.push(line("", told.changed ? `${plural(told.changed, target.what)} will change${had}` : `All ${target.what}s have it already`));
  }
  if (!touched && !many && values.length && !same) found.push(spread(field, target.count, doing.use));
  if (!touched && !many && same && values[0]!.link) found.push(line("", linked(values[0]!.link, "open ↗")));
  if (!touched && !values.length && field.help) found.push(line("", field.help));
  if (type === "ontology" && touched && told?.error) found.push(line("", "A new concept is written: label <IRI or CURIE>"));
  return found;
}
