/** An input that offers what could be meant: a combobox, by mouse and keyboard. */

import { h } from "../lib/dom";

export interface Offer {
  text: string;
  note: string; // such as how many records have it
  choose: () => void;
}

const WAIT_MS = 120;
let lists = 0;

export class Suggest {
  readonly list = h("ul", { class: "cid-tag-offers", role: "listbox", popover: "manual" });
  #offers: Offer[] = [];
  #at = -1;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `ask` is called with what was typed; its answer comes to `offer`. */
  constructor(
    readonly input: HTMLInputElement,
    label: string,
    private readonly ask: (typed: string) => void,
  ) {
    this.list.id = `cid-tag-offers-${(lists += 1)}`;
    this.list.setAttribute("aria-label", `Values of ${label}`);
    const role = { role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": this.list.id };
    for (const [name, value] of Object.entries(role)) input.setAttribute(name, value);
    input.autocomplete = "off";
    input.addEventListener("input", () => this.#soon());
    input.addEventListener("focus", () => this.#soon());
    input.addEventListener("blur", () => this.close());
    input.addEventListener("keydown", (event) => this.#key(event));
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the input keeps the focus
  }

  get open(): boolean {
    return this.#offers.length > 0;
  }

  /** Show these; nothing when the input has lost the focus since. */
  offer(offers: Offer[]): void {
    if (document.activeElement !== this.input) return;
    this.#offers = offers;
    this.#at = -1;
    this.list.replaceChildren(
      ...offers.map(({ text, note, choose }, index) => {
        const line = h("li", { role: "option", id: `${this.list.id}-${index}`, "aria-selected": "false" }, h("span", {}, text), h("span", { class: "cid-tag-offer-note" }, note));
        line.addEventListener("click", () => {
          this.close();
          choose();
        });
        return line;
      }),
    );
    if (offers.length) this.#place();
    else this.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#offers = [];
    this.#at = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    window.removeEventListener("scroll", this.#moved, true);
    if (this.list.isConnected && this.list.matches(":popover-open")) this.list.hidePopover();
  }

  #moved = (event: Event): void => {
    if (event.target !== this.list) this.close();
  };

  /** Below the input, or above where there is no room; over everything, so that nothing moves. */
  #place(): void {
    if (!this.list.isConnected) this.input.after(this.list);
    if (!this.list.matches(":popover-open")) this.list.showPopover();
    const box = this.input.parentElement!.getBoundingClientRect();
    const below = window.innerHeight - box.bottom;
    const up = below < this.list.offsetHeight + 8 && box.top > below;
    this.list.style.left = `${box.left}px`;
    this.list.style.minWidth = `${box.width}px`;
    this.list.style.top = up ? `${box.top - this.list.offsetHeight - 2}px` : `${box.bottom + 2}px`;
    this.input.setAttribute("aria-expanded", "true");
    window.addEventListener("scroll", this.#moved, true);
  }

  #soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.ask(this.input.value.trim()), WAIT_MS);
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.open) {
      this.close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!this.open) return this.#soon();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const count = this.#offers.length;
      this.#mark(this.#at < 0 && step < 0 ? count - 1 : (this.#at + step + count) % count);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && this.#at >= 0) {
      const { choose } = this.#offers[this.#at]!;
      this.close();
      choose();
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #mark(at: number): void {
    this.#at = at;
    [...this.list.children].forEach((line, index) => {
      line.setAttribute("aria-selected", String(index === at));
      if (index !== at) return;
      this.input.setAttribute("aria-activedescendant", line.id);
      line.scrollIntoView({ block: "nearest" });
    });
  }
}
