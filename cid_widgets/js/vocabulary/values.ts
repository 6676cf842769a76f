/** The values of a term with their counts; one is renamed, or merged into another, in its line. */

import { debounce, h } from "../lib/dom";
import { number } from "../lib/words";
import { Suggest } from "../tags/suggest";
import type { Ask, Offer, Shown, Term, Value } from "./shapes";
import { listed, willChange } from "./words";

const TYPED_MS = 250;

/** The form that takes the place of a value's line. */
function renaming(term: Term, value: Value, shown: Shown, ask: Ask, done: () => void): { el: HTMLElement; suggest: Suggest } {
  const to = h("input", { type: "text", value: value.text, "aria-label": `New name of ${value.text}`, maxlength: 400, spellcheck: "false" });
  const words = h("span", { class: "cid-hint", "aria-live": "polite" });
  const go = h("button", { type: "submit", class: "cid-primary" });
  const show = () => {
    const wanted = to.value.trim();
    const other = shown.values.find((one) => one.text === wanted && one.uid !== value.uid);
    go.textContent = other ? "Merge" : "Rename";
    go.disabled = !wanted || wanted === value.text;
    words.textContent = `${other ? `They become one with “${other.text}” (${number(other.n)}). ` : ""}${willChange(value.n)}`;
  };
  const suggest = new Suggest(to, term.key, (q) => ask("offers", { term: term.uid, q: q === value.text ? "" : q }));
  to.addEventListener("input", show);
  show();
  const cancel = h("button", { type: "button", on: { click: done } }, "Cancel");
  const form = h("form", { class: "cid-voc-renaming", novalidate: true }, to, go, cancel, words);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (go.disabled) return;
    go.disabled = true;
    ask("rename_value", { term: term.uid, value: value.uid, to: to.value.trim() });
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    done();
  });
  form.addEventListener("choose", show);
  return { el: form, suggest };
}

export class Values {
  readonly el: HTMLElement;
  #list = h("ul", { class: "cid-voc-values", "aria-label": "Values" });
  #find = h("input", { type: "search", placeholder: "values that begin with…", "aria-label": "Values that begin with", "data-at": "find", spellcheck: "false" });
  #note = h("p", { class: "cid-hint" });
  #shown!: Shown;
  #suggest: Suggest | null = null;

  constructor(
    private readonly term: Term,
    private readonly ask: Ask,
  ) {
    this.#find.addEventListener("input", debounce(TYPED_MS, () => ask("values", { q: this.#find.value.trim() })));
    this.el = h("section", { class: "cid-voc-part" }, h("h4", {}, "Values"), this.#find, this.#list, this.#note, term.edit && this.#declaring());
  }

  show(shown: Shown): void {
    this.#shown = shown;
    this.#find.hidden = !shown.more && !shown.q;
    if (document.activeElement !== this.#find) this.#find.value = shown.q;
    this.#list.replaceChildren(...shown.values.map((value) => this.#line(value)));
    this.#list.hidden = shown.values.length === 0;
    const none = shown.q ? `No value begins with “${shown.q}”.` : "It has no values yet.";
    this.#note.textContent = shown.values.length === 0 ? none : shown.more ? "The 100 most frequent; type above to find others." : "";
  }

  #line(value: Value): HTMLElement {
    const text = value.link ? h("a", { href: value.link, target: "_blank", rel: "noopener noreferrer" }, value.text) : value.text;
    const rename = h("button", { type: "button", class: "cid-quiet", "aria-label": `Rename ${value.text}`, "data-at": `value ${value.uid}` }, "Rename…");
    const line = h(
      "li",
      {},
      h("span", { class: "cid-voc-text" }, text),
      h("span", { class: "cid-hint" }, value.declared && "declared"),
      h("span", { class: "cid-voc-n" }, number(value.n)),
      this.term.edit_values && rename,
    );
    rename.addEventListener("click", () => {
      const back = () => {
        form.el.replaceWith(line);
        rename.focus();
      };
      const form = renaming(this.term, value, this.#shown, this.ask, back);
      const item = h("li", { class: "cid-voc-open" });
      item.append(form.el);
      form.el = item;
      this.#suggest = form.suggest;
      line.replaceWith(item);
      form.suggest.input.focus();
      form.suggest.input.select();
    });
    return line;
  }

  /** Offer values to merge into, in the line that is open. */
  offer(offers: Offer[]): void {
    const suggest = this.#suggest;
    if (!suggest) return;
    const choose = (text: string) => {
      suggest.input.value = text;
      suggest.input.dispatchEvent(new CustomEvent("choose", { bubbles: true }));
      suggest.input.focus();
    };
    const own = suggest.input.defaultValue;
    suggest.offer(offers.filter(({ text }) => text !== own).map(({ text, n }) => ({ text, note: number(n), choose: () => choose(text) })));
  }

  #declaring(): HTMLElement {
    const hint = this.term.type === "ontology" ? "more: label <IRI or CURIE>; …" : "more values, with commas";
    const given = h("input", { type: "text", placeholder: hint, "aria-label": "Values to declare", "data-at": "declare", spellcheck: "false" });
    const go = h("button", { type: "submit" }, "Declare");
    const form = h("form", { class: "cid-voc-line", novalidate: true }, given, go);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const values = listed(given.value, this.term.type);
      if (values.length) this.ask("declare", { term: this.term.uid, values });
      else given.focus();
    });
    return form;
  }
}
