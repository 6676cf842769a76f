/** One term of the card as one field: what the records say, and what they shall say. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import * as c from "./changes";
import { notes } from "./notes";
import type { Changes, Given, Held, KeyPreview, TagField, TaggingState, Target } from "./shapes";
import { type Offer, Suggest } from "./suggest";

export interface Form {
  kernel: Kernel<TaggingState>;
  readonly changes: Changes;
  readonly count: number;
  change(changes: Changes): void;
  leave(key: string): void;
}

const CONCEPT = /^(.+?)\s*<([^<>\s]+)>$/;
const HINTS: Record<string, string> = {
  date: "2026-11-21",
  orcid: "0000-0002-1825-0097",
  rrid: "RRID:AB_2298772",
  doi: "10.1000/182",
  url: "https://…",
};
const CLOSED = ["choice", "ontology"]; // what is new has to be declared
let fields = 0;

export function linked(url: string, text: string): HTMLElement | string {
  if (!/^https?:\/\//i.test(url)) return text;
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text);
}

export class Field {
  readonly el: HTMLElement;
  #input: HTMLInputElement;
  #chips = h("span", { class: "cid-tag-values" });
  #back = h("button", { type: "button", class: "cid-icon", title: "Leave it as it was (Esc)" }, "↺");
  #off = h("button", { type: "button", class: "cid-icon", title: "Take it off all" }, "×");
  #notes = h("div", { class: "cid-tag-notes", "aria-live": "polite" });
  #fixed = h("span", { class: "cid-fixed" });
  #suggest: Suggest | null = null;
  #kept = new Set<string>(); // spellings that stay although others are similar
  #field: TagField;
  #target: Target | null = null;

  constructor(
    field: TagField,
    private readonly form: Form,
  ) {
    this.#field = field;
    const id = `cid-tag-${(fields += 1)}`;
    this.#input = h("input", { id, type: "text", spellcheck: "false", "aria-describedby": `${id}-notes` });
    this.#notes.id = `${id}-notes`;
    this.#back.setAttribute("aria-label", `Leave ${field.key} as it was`);
    this.#off.setAttribute("aria-label", `Take ${field.key} off all`);
    if (!["number", "date"].includes(field.type)) {
      this.#suggest = new Suggest(this.#input, field.key, (q) => this.#ask(q));
    }
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#input.addEventListener("blur", () => this.commit());
    this.#back.addEventListener("click", () => this.#leave());
    this.#off.addEventListener("click", () => this.form.change(c.cleared(this.form.changes, field.key)));
    const unit = field.unit && h("span", { class: "cid-unit" }, field.unit);
    const title = h("label", { for: id, title: field.help }, field.key, field.fresh && h("span", { class: "cid-new" }, "new"));
    this.el = h(
      "div",
      { class: "cid-tag-field", "data-type": field.type, "data-key": field.key },
      title,
      this.#fixed,
      h("div", { class: "cid-tag-box" }, this.#chips, this.#input, unit, this.#off, this.#back),
      this.#notes,
    );
  }

  /** Is this still how the term is drawn? */
  fits(field: TagField): boolean {
    const drawn = (one: TagField) => JSON.stringify([one.type, one.unit, one.many, one.help, one.fresh, one.term]);
    return drawn(field) === drawn(this.#field);
  }

  focus(): void {
    this.#input.focus();
  }

  /** What was typed and not entered is dropped. */
  forget(): void {
    this.#kept.clear();
    this.#input.value = "";
    this.#input.dataset.shown = "";
  }

  show(field: TagField, changes: Changes, preview: KeyPreview | undefined, target: Target): void {
    this.#field = field;
    this.#target = target;
    const touched = c.touched(changes, field.key);
    this.el.toggleAttribute("data-touched", touched);
    this.el.toggleAttribute("data-wrong", !!preview?.error);
    this.#input.setAttribute("aria-invalid", String(!!preview?.error));
    this.#back.hidden = !touched;
    this.#off.hidden = touched || field.many || !field.values.length;
    this.#fixed.hidden = target.editable;
    this.#input.parentElement!.hidden = !target.editable;
    if (!target.editable) this.#showFixed();
    else if (field.many) this.#showChips(changes);
    else this.#showOne(changes);
    const replace = (old: string, value: string) => this.form.change(c.instead(this.form.changes, this.#field, this.form.count, old, value));
    const parts = notes(field, changes, preview, target, {
      use: (text) => this.#commit(text),
      replace,
      keep: (text) => {
        this.#kept.add(text);
        this.show(this.#field, this.form.changes, preview, target);
        this.focus();
      },
      kept: this.#kept,
      declare: (value) => this.form.kernel.ask("declare", { term: field.term, key: field.key, value }),
    });
    if (this.#notes.textContent !== parts.map((part) => part.textContent).join("")) this.#notes.replaceChildren(...parts);
  }

  /** Take what was typed, as Enter does. */
  commit(): void {
    const typed = this.#input.value.trim();
    if (typed && typed !== this.#input.dataset.shown) this.#commit(this.#typed(typed));
    else if (!typed && this.#input.dataset.shown && !this.#field.many) this.form.change(c.cleared(this.form.changes, this.#field.key));
  }

  /** Answer to what was typed: what the vocabulary has, what was just added, then what is new. */
  offered(q: string, values: { text: string; n: number; iri: string }[]): void {
    if (q !== this.#query()) return;
    const known = new Set(values.map((one) => one.text));
    const mine = c.chips(this.form.changes, this.#field, this.form.count).filter(({ n, text, state }) => {
      return n === 0 && state === "added" && !known.has(text) && text.toLowerCase().startsWith(q.toLowerCase());
    });
    const held = new Set(c.chips(this.form.changes, this.#field, this.form.count).flatMap((chip) => (chip.n >= this.form.count && chip.state === "held" ? [chip.text] : [])));
    const offers: Offer[] = [...mine.map(({ text }) => ({ text, n: 0 })), ...values]
      .filter(({ text }) => !(this.#field.many && held.has(text)))
      .map(({ text, n }) => ({ text, note: n ? String(n) : "", choose: () => this.#commit(text) }));
    const exact = [...known].some((text) => text.toLowerCase() === q.toLowerCase());
    if (q && !exact && !CLOSED.includes(this.#field.type)) {
      offers.push({ text: `Add “${q}”`, note: "new", choose: () => this.#commit(this.#typed(q)) });
    } else if (q && !exact && CONCEPT.test(q)) {
      offers.push({ text: `Add “${q}”`, note: "new concept", choose: () => this.#commit(this.#typed(q)) });
    } else if (q && !exact && this.#field.type === "choice" && this.#target?.manages) {
      const declare = { term: this.#field.term, key: this.#field.key, value: q };
      offers.push({
        text: `Make “${q}” a choice`,
        note: "new",
        choose: () => {
          this.form.kernel.ask("declare", declare);
          this.#commit(q);
        },
      });
    }
    this.#suggest?.offer(offers);
  }

  /** What completion is asked for: all values where the input shows what is there. */
  #query(): string {
    const typed = this.#input.value.trim();
    return typed === this.#input.dataset.shown ? "" : typed;
  }

  #ask(_: string): void {
    const { key, term } = this.#field;
    if (term) this.form.kernel.ask("tag_values", { key, term, q: this.#query() });
    else this.offered(this.#query(), []);
  }

  #typed(text: string): Given {
    const concept = this.#field.type === "ontology" ? CONCEPT.exec(text) : null;
    if (concept) return { label: concept[1]!, iri: concept[2]! };
    const number = Number(text);
    return this.#field.type === "number" && text && Number.isFinite(number) ? number : text;
  }

  #commit(value: Given): void {
    const { changes, count } = this.form;
    const field = this.#field;
    if (field.many) {
      this.#input.value = "";
      this.form.change(c.chipped(changes, field, count, value, "added"));
      return;
    }
    const all = field.values.length === 1 && field.values[0]!.n === count && field.values[0]!.text === c.text(value);
    this.#input.dataset.shown = this.#input.value = c.text(value);
    this.form.change(all ? c.without(changes, field.key) : c.setTo(changes, field.key, value));
  }

  #leave(): void {
    this.forget();
    this.form.leave(this.#field.key);
    this.focus();
  }

  #key(event: KeyboardEvent): void {
    const plain = !event.ctrlKey && !event.metaKey;
    const typed = this.#input.value.trim();
    if (event.key === "Enter" && plain) {
      this.#suggest?.close();
      this.commit();
    } else if (event.key === "Escape" && typed !== (this.#input.dataset.shown ?? "")) {
      this.#input.value = this.#input.dataset.shown ?? "";
    } else if (event.key === "Escape" && c.touched(this.form.changes, this.#field.key)) {
      this.#leave();
    } else if (event.key === "Backspace" && this.#field.many && !this.#input.value) {
      const last = c.chips(this.form.changes, this.#field, this.form.count).filter(({ state }) => state !== "off").at(-1);
      if (last) this.#chip(last.text, last.state === "added" ? "held" : "off");
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #chip(text: string, state: c.Chip["state"]): void {
    this.form.change(c.chipped(this.form.changes, this.#field, this.form.count, text, state));
  }

  #showOne(changes: Changes): void {
    const { values, key, type, scheme } = this.#field;
    const wanted = c.wanted(changes, key);
    const same = values.length === 1 && values[0]!.n === this.form.count;
    const gone = c.isCleared(changes, key);
    const shown = gone ? "" : wanted !== undefined ? c.text(wanted) : same ? values[0]!.text : "";
    const busy = document.activeElement === this.#input && this.#input.value !== (this.#input.dataset.shown ?? "");
    if (!busy) this.#input.value = shown;
    this.#input.dataset.shown = shown;
    const mixed = values.length > 1 || (values.length === 1 && !same);
    this.#input.placeholder = gone ? "taken off" : mixed ? "several values" : (HINTS[scheme || type] ?? "");
    this.el.toggleAttribute("data-mixed", mixed && !c.touched(changes, key));
  }

  #showChips(changes: Changes): void {
    this.#input.dataset.shown = "";
    this.#input.placeholder = this.#field.values.length ? "add" : (HINTS[this.#field.scheme] ?? "");
    const held = document.activeElement?.closest("[data-chip]")?.getAttribute("data-chip");
    this.#chips.replaceChildren(...c.chips(changes, this.#field, this.form.count).map((chip) => this.#drawChip(chip)));
    if (held === null || held === undefined || this.el.contains(document.activeElement)) return;
    const again = [...this.#chips.children].find((el) => el.getAttribute("data-chip") === held);
    (again?.querySelector("button:last-of-type") as HTMLElement | undefined ?? this.#input).focus();
  }

  #drawChip({ text, n, link, source, state }: c.Chip): HTMLElement {
    const count = this.form.count;
    const part = n > 0 && n < count && state !== "added";
    const act = (label: string, sign: string, to: c.Chip["state"]) => {
      const button = h("button", { type: "button", "aria-label": label, title: label }, sign);
      button.addEventListener("click", () => this.#chip(text, to));
      return button;
    };
    return h(
      "span",
      { class: "cid-tag-value", "data-state": state, "data-part": part, "data-chip": text, title: source && `set by ${source}` },
      linked(link, text),
      part && h("span", { class: "cid-of", title: `${n} of ${count} have it` }, String(n)),
      part && state === "held" && act(`Add ${text} to all`, "+", "added"),
      state === "off" ? act(`Keep ${text}`, "↺", "held") : state === "added" ? act(`Do not add ${text}`, "×", "held") : act(`Take ${text} off`, "×", "off"),
    );
  }

  #showFixed(): void {
    const { values, unit, more } = this.#field;
    const words = (one: Held) => {
      const value = linked(one.link, unit ? `${one.text} ${unit}` : one.text);
      const some = one.n < this.form.count && h("span", { class: "cid-of" }, String(one.n));
      return h("span", { class: "cid-tag-value", "data-state": "held" }, value, some);
    };
    this.#fixed.replaceChildren(...values.map(words), ...(more ? [h("span", { class: "cid-hint" }, `and ${more} more`)] : []));
  }
}
