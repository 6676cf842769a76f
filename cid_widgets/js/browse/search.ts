/** The search box: offers how to go on while one types, and says what a query gets wrong. */

import { debounce, h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { BrowserState, Offer } from "../lib/shapes";
import { number } from "../lib/words";

const SEARCH_MS = 200;
const OFFER_MS = 120;
let boxes = 0;

/** Something to take from the list: it replaces what stands from `start` to the caret. */
interface Choice {
  text: string;
  label: string;
  note: string;
  start: number; // in characters, as the kernel counts them
  whole?: boolean; // takes the place of everything
}

/** Does the text stop in the middle of something, so that searching would only complain? */
export function unfinished(text: string): boolean {
  const quotes = text.replace(/\\./g, "").split('"').length - 1;
  return quotes % 2 === 1 || /([:=<>,(-]|(^|\s)(OR|AND|NOT))\s*$/.test(text);
}

function choice({ text, label, start, count }: Offer): Choice {
  const note = count !== null ? number(count) : text.endsWith(":") && label !== text.slice(0, -1) ? label : "";
  return { text, label: text.endsWith(":") ? text : label, note, start };
}

export class SearchBox {
  readonly el: HTMLElement;
  readonly #box = h("input", {
    type: "search",
    class: "cid-search",
    role: "combobox",
    placeholder: "Search names and tags",
    "aria-label": "Search names and tags",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: "2000",
  });
  readonly #list = h("div", { class: "cid-offers", role: "listbox", "aria-label": "How to go on" });
  #choices: Choice[] = [];
  #at = -1;
  #mine = `${Math.random()}`;
  #asked = 0;
  #left = false;
  #said = "";

  constructor(
    private readonly kernel: Kernel<BrowserState>,
    private readonly searching: () => void,
  ) {
    boxes += 1;
    this.#list.id = `cid-offers-${boxes}`;
    this.#list.hidden = true;
    this.#box.setAttribute("aria-controls", this.#list.id);
    this.el = h("div", { class: "cid-ask" }, this.#box, this.#list);
    const soon = debounce(SEARCH_MS, () => !unfinished(this.#box.value) && this.#search());
    const offer = debounce(OFFER_MS, () => this.#offer());
    this.#box.addEventListener("input", () => {
      this.#left = false;
      soon();
      offer();
    });
    this.#box.addEventListener("keydown", (event) => this.#key(event));
    this.#box.addEventListener("click", () => !this.#box.value && this.#offer());
    this.#box.addEventListener("blur", () => this.#leave());
    this.#list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
    kernel.show(["query"], () => {
      if (kernel.get("query") === this.#said) return; // it was typed here, and maybe further
      this.#box.value = this.#said = kernel.get("query");
    });
    kernel.told("completions", (answer) => {
      if (answer.for === `${this.#mine} ${this.#asked}` && !this.#left) this.#show(answer.offers.map(choice));
    });
    kernel.finally(() => (this.#left = true));
  }

  /** Put a whole query in the box and look for it. */
  say(query: string): void {
    this.#box.value = query;
    this.#box.focus();
    this.#leave();
    this.#search();
  }

  #search(): void {
    const query = this.#box.value.trim();
    if (query === this.kernel.get("query")) return;
    this.searching();
    this.#said = query;
    this.kernel.set({ query });
  }

  #typed(): string {
    return this.#box.value.slice(0, this.#box.selectionStart ?? undefined);
  }

  #offer(): void {
    if (document.activeElement !== this.#box) return;
    this.#left = false;
    this.#asked += 1;
    this.kernel.ask("complete", { text: this.#typed(), for: `${this.#mine} ${this.#asked}` });
  }

  #show(offers: Choice[]): void {
    const before = this.#box.value ? [] : this.kernel.get("history").slice(0, 5);
    const recent = before.map((text) => ({ text, label: text, note: "recent", start: 0, whole: true }));
    // an offer that would change nothing is none
    const typed = this.#typed();
    this.#choices = [...recent, ...offers].filter((one) => one.whole || this.#with(one, typed) !== typed);
    this.#list.replaceChildren(...this.#choices.map((one, at) => this.#option(one, at)));
    this.#list.hidden = !this.#choices.length;
    this.#list.scrollTop = 0;
    this.#box.setAttribute("aria-expanded", String(!this.#list.hidden));
    this.#go(-1);
  }

  #option({ label, note }: Choice, at: number): HTMLElement {
    const option = h(
      "div",
      { class: "cid-offer", role: "option", id: `${this.#list.id}-${at}`, "aria-selected": "false" },
      h("span", { class: "cid-label" }, label),
      " ",
      note && h("span", { class: "cid-note" }, note),
    );
    option.addEventListener("click", () => this.#take(at));
    return option;
  }

  #go(to: number): void {
    this.#list.children[this.#at]?.setAttribute("aria-selected", "false");
    this.#at = to;
    const option = this.#list.children[to];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.#box.setAttribute("aria-activedescendant", option.id);
    else this.#box.removeAttribute("aria-activedescendant");
  }

  #with({ text, start }: Choice, typed: string): string {
    return [...typed].slice(0, start).join("") + text;
  }

  #take(at: number): void {
    const taken = this.#choices[at];
    if (!taken) return;
    if (taken.whole) return this.say(taken.text);
    const typed = this.#typed();
    const rest = this.#box.value.slice(typed.length);
    const isKey = taken.text.endsWith(":");
    const begin = this.#with(taken, typed) + (isKey || rest.startsWith(" ") ? "" : " ");
    this.#box.value = begin + rest;
    this.#box.setSelectionRange(begin.length, begin.length);
    this.#leave();
    if (isKey) this.#offer();
    else this.#search();
  }

  /** Close the list; an answer that comes later opens it no more. */
  #leave(): void {
    this.#left = true;
    this.#list.hidden = true;
    this.#box.setAttribute("aria-expanded", "false");
    this.#go(-1);
  }

  #key(event: KeyboardEvent): void {
    event.stopPropagation();
    const open = !this.#list.hidden;
    const last = this.#choices.length - 1;
    if (event.key === "ArrowDown" && !open) this.#offer();
    else if (event.key === "ArrowDown") this.#go(this.#at < last ? this.#at + 1 : -1);
    else if (event.key === "ArrowUp" && open) this.#go(this.#at < 0 ? last : this.#at - 1);
    else if (event.key === "Tab" && open && !event.shiftKey && (this.#at >= 0 || this.#box.value)) this.#take(Math.max(this.#at, 0));
    else if (event.key === "Enter" && open && this.#at >= 0) this.#take(this.#at);
    else if (event.key === "Enter") {
      this.#leave();
      this.#search();
    } else if (event.key === "Escape") this.#leave();
    else return;
    event.preventDefault();
  }
}

/** What the catalog says of a query that it cannot read; what was found before stays below. */
export function queryError(kernel: Kernel<BrowserState>): HTMLElement {
  const el = h("p", { class: "cid-query-error", role: "alert" });
  kernel.show(["query_error", "rows"], () => {
    const error = kernel.get("query_error");
    const rest = error && kernel.get("rows").length ? "The images are those of the search before." : "";
    el.replaceChildren(error, " ", h("span", { class: "cid-hint" }, rest));
    el.hidden = !error;
  });
  return el;
}
