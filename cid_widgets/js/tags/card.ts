/** The card: a field for each term, what would happen, and the way to do it and take it back. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { Thumbnails } from "../lib/thumbnails";
import { number, plural } from "../lib/words";
import { apart } from "./apart";
import { any, without } from "./changes";
import { Field, type Form } from "./field";
import { Foot } from "./foot";
import { newTag } from "./new_tag";
import type { Changes, TagField, TaggingState } from "./shapes";

const SHOWN = 14; // fields; beyond them those without a value wait behind a button
const KINDS: [string, string][] = [
  ["", ""],
  ["sample", ""],
  ["processing", "Processing"],
];

/** "cell 1, cell 2, cell 3 and 497 more" */
function names(first: { name: string }[], count: number): string {
  const shown = first.slice(0, 3).map(({ name }) => name);
  const rest = count - shown.length;
  return shown.join(", ") + (rest > 0 ? ` and ${number(rest)} more` : "");
}

/** Two keys that differ by case, accents or spaces only are the same key. */
export function folded(key: string): string {
  return key.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ").trim();
}

class Card implements Form {
  readonly el = h("form", { class: "cid-card", novalidate: true, "aria-label": "Tags" });
  #head = h("div", { class: "cid-card-head" });
  #why = h("p", { class: "cid-why", role: "note" });
  #trouble = h("p", { class: "cid-error", role: "alert" });
  #fields = h("div", { class: "cid-card-fields" });
  #rest = h("button", { type: "button", class: "cid-quiet cid-more-fields" });
  #apart = h("div", {});
  #byKey = new Map<string, Field>();
  #fresh: string[] = []; // keys that were typed here and are not in the vocabulary
  #all = false;
  #focus = "";
  #foot: Foot;
  #newTag: { el: HTMLElement; show: () => void };
  #pictures = "";

  constructor(
    readonly kernel: Kernel<TaggingState>,
    private readonly thumbnails: Thumbnails,
    close: (() => void) | undefined,
  ) {
    this.#foot = new Foot(kernel, () => this.#apply(), () => this.#reset(), close);
    this.#newTag = newTag(kernel, (key) => this.#open(key));
    this.#rest.addEventListener("click", () => {
      this.#all = true;
      this.#draw();
      [...this.#byKey.values()].at(SHOWN)?.focus();
    });
    this.el.append(this.#head, this.#why, this.#trouble, this.#fields, this.#rest, this.#newTag.el, this.#foot.el, this.#apart);
    this.el.addEventListener("submit", (event) => event.preventDefault());
    this.el.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.#apply();
    });
    kernel.show(["tag_target", "tag_fields", "tag_apart"], () => this.#draw());
    kernel.show(["tag_changes", "tag_preview"], () => this.#mark());
    kernel.show(["tags_error"], () => {
      this.#trouble.textContent = kernel.get("tags_error");
      this.#trouble.hidden = !this.#trouble.textContent;
    });
    kernel.told("tag_values", ({ key, q, values }) => this.#byKey.get(key)?.offered(q, values));
    kernel.told("term_added", ({ key }) => this.#open(key));
  }

  get changes(): Changes {
    return this.kernel.get("tag_changes");
  }

  get count(): number {
    return this.kernel.get("tag_target")?.count ?? 0;
  }

  change(changes: Changes): void {
    this.kernel.set({ tag_changes: changes });
    this.#foot.waiting();
  }

  #apply(): void {
    for (const field of this.#byKey.values()) field.commit();
    if (any(this.changes)) this.#foot.apply();
  }

  #reset(): void {
    this.#fresh = [];
    for (const field of this.#byKey.values()) field.forget();
    this.change({});
    this.#draw();
  }

  /** Go to the field of a key, which is made where there is none. */
  #open(key: string): void {
    const same = [...this.#byKey.keys()].find((other) => folded(other) === folded(key));
    if (!same && !this.kernel.get("tag_fields").some((field) => field.key === key)) this.#fresh.push(key);
    this.#focus = same ?? key;
    this.#draw();
  }

  #draw(): void {
    const target = this.kernel.get("tag_target");
    const shown = this.#shown();
    this.#drawHead();
    this.#why.textContent = target?.why ?? "";
    this.#why.hidden = !target?.why;
    const before = this.#byKey;
    this.#byKey = new Map();
    const parts: Node[] = [];
    for (const [kind, title] of KINDS) {
      const mine = shown.filter((field) => field.kind === kind);
      if (mine.length && title) parts.push(h("h4", { class: "cid-card-kind" }, title));
      for (const field of mine) {
        const drawn = before.get(field.key);
        const kept = drawn?.fits(field) ? drawn : new Field(field, this);
        this.#byKey.set(field.key, kept);
        parts.push(kept.el);
      }
    }
    if (parts.length !== this.#fields.childNodes.length || parts.some((part, i) => this.#fields.childNodes[i] !== part)) {
      this.#fields.replaceChildren(...parts);
    }
    this.#fields.hidden = !parts.length;
    this.#newTag.el.hidden = this.#foot.el.hidden = !target?.editable;
    this.#newTag.show();
    this.#apart.replaceChildren(apart(this.kernel.get("tag_apart"), target));
    this.#mark(shown);
    const focus = this.#byKey.get(this.#focus);
    if (focus) {
      this.#focus = "";
      focus.focus();
    }
  }

  /** The fields to show now; a reader sees those that say something. */
  #shown(): TagField[] {
    const told = this.kernel.get("tag_fields");
    const known = new Set(told.map((field) => folded(field.key)));
    this.#fresh = this.#fresh.filter((key) => !known.has(folded(key)));
    const plain = { term: "", type: "text", unit: "", help: "", kind: "", scheme: "", many: false, fresh: true, values: [], more: 0 };
    const all = [...told, ...this.#fresh.map((key): TagField => ({ ...plain, key }))];
    const editable = this.kernel.get("tag_target")?.editable;
    const filled = (field: TagField) => field.values.length > 0;
    if (!editable) {
      this.#rest.hidden = true;
      return all.filter(filled);
    }
    const wanted = (field: TagField, index: number) =>
      index < SHOWN || filled(field) || field.fresh || field.key === this.#focus || this.#byKey.has(field.key);
    const shown = this.#all ? all : all.filter(wanted);
    this.#rest.hidden = shown.length === all.length;
    this.#rest.textContent = `Show ${all.length - shown.length} more fields`;
    return shown;
  }

  #drawHead(): void {
    const target = this.kernel.get("tag_target");
    const pictures = JSON.stringify(target);
    if (pictures === this.#pictures) return;
    this.#pictures = pictures;
    if (!target) {
      const empty = this.kernel.get("tags_error") ? "" : "No images are chosen: select some, or give the Tagger images or a search.";
      this.#head.replaceChildren(h("p", { class: "cid-empty" }, empty));
      return;
    }
    const { count, what, project, first } = target;
    this.#head.replaceChildren(
      h("div", {}, h("h4", {}, `${plural(count, what)} of ${project}`), h("p", {}, names(first, count))),
      h("div", { class: "cid-card-strip", "aria-hidden": "true" }, ...(what === "image" ? first.map((one) => this.thumbnails.frame(one)) : [])),
    );
  }

  #mark(shown?: TagField[]): void {
    const told = new Map((shown ?? this.#shown()).map((field) => [field.key, field]));
    const preview = this.kernel.get("tag_preview");
    const target = this.kernel.get("tag_target");
    for (const [key, field] of this.#byKey) {
      const of = told.get(key);
      if (of && target) field.show(of, this.changes, preview?.keys[key], target);
    }
  }

  /** Leave a key as it is; one that only stood here goes. */
  leave(key: string): void {
    this.#fresh = this.#fresh.filter((other) => other !== key);
    this.change(without(this.changes, key));
  }
}

/** The card of what the kernel has in `tag_target`. */
export function card(kernel: Kernel<any>, thumbnails: Thumbnails, close?: () => void): HTMLElement {
  return new Card(kernel, thumbnails, close).el;
}
