/** What one can choose among: values with counts, numbers as a histogram. Or inside, and between. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { BrowserState, Facet } from "../lib/shapes";
import { number } from "../lib/words";
import { histogram } from "./histogram";

const OPEN = 3; // that are open to begin with
const SHOWN = 5; // values before "all"

export class Facets {
  readonly el: HTMLElement;
  #list = h("div", { class: "cid-facet-list" });
  #said = h("p", { class: "cid-facet-said", "aria-live": "polite" });
  #fold = h("button", { type: "button", class: "cid-fold", "aria-expanded": "true" });
  #open = new Map<string, boolean>();
  #long = new Set<string>();
  #dragged = false; // since it was drawn

  constructor(private readonly kernel: Kernel<BrowserState>) {
    this.el = h("section", { class: "cid-facets", "aria-label": "Filters" }, this.#fold, this.#said, this.#list);
    this.#fold.addEventListener("click", () => {
      this.#folded(!this.#list.hidden);
      this.#ask();
    });
    this.#folded(false);
    this.#list.addEventListener("input", ({ target }) => (this.#dragged ||= (target as HTMLInputElement).type === "range"));
    kernel.show(["facets"], () => this.#draw());
    // the same numbers again are no change, but a slider may stand elsewhere by now
    kernel.show(["counting"], () => this.#dragged && !kernel.get("counting") && this.#draw());
    kernel.show(["found"], () => this.#ask());
    kernel.show(["counting", "facets_error", "facets", "rows"], () => this.#say());
  }

  #folded(folded: boolean): void {
    this.#list.hidden = folded;
    this.#fold.setAttribute("aria-expanded", String(!folded));
    this.#fold.replaceChildren(h("span", { class: "cid-arrow", "aria-hidden": "true" }, folded ? "▸" : "▾"), "Filters");
    this.#say();
  }

  #ask(): void {
    this.kernel.ask("counts", { found: this.kernel.get("found"), facets: !this.#list.hidden });
  }

  #say(): void {
    const { kernel } = this;
    const busy = kernel.get("counting");
    const error = kernel.get("facets_error");
    const none = !kernel.get("facets").length && !busy && kernel.get("rows").length > 0;
    this.#list.setAttribute("aria-busy", String(busy));
    this.#said.textContent = error || (busy && !kernel.get("facets").length ? "Counting…" : none ? "Nothing to choose among: the images have no tags yet." : "");
    this.#said.hidden = this.#list.hidden || !this.#said.textContent;
  }

  /** Draw again; what was open stays open, and what had the focus has it. */
  #draw(): void {
    this.#dragged = false;
    const held = (document.activeElement as HTMLElement | null)?.dataset?.facet;
    const at = this.#list.scrollTop;
    this.#list.replaceChildren(...this.kernel.get("facets").map((facet, index) => this.#group(facet, index)));
    this.#list.scrollTop = at;
    if (held && document.activeElement === document.body) {
      const all = this.#list.querySelectorAll<HTMLElement>("[data-facet]");
      [...all].find((one) => one.dataset.facet === held)?.focus({ preventScroll: true });
    }
  }

  #group(facet: Facet, index: number): HTMLElement {
    const mark = facet.asked && h("span", { class: "cid-mark", title: "Part of the search" }, "●");
    const summary = h("summary", { "data-facet": facet.key }, h("span", { class: "cid-label" }, facet.title), mark);
    const group = h("details", { class: "cid-facet", open: this.#open.get(facet.key) ?? (facet.asked || index < OPEN) }, summary);
    group.addEventListener("toggle", () => this.#open.set(facet.key, group.open));
    if (facet.numbers) group.append(histogram(this.kernel, facet, facet.numbers));
    if (facet.values.length) group.append(this.#values(facet));
    return group;
  }

  #values(facet: Facet): HTMLElement {
    const { values } = facet;
    const long = this.#long.has(facet.key);
    const shown = long ? values : values.filter(({ on }, at) => on || at < SHOWN);
    const list = h("div", { class: "cid-values", role: "group", "aria-label": facet.title });
    list.append(...shown.map((one) => this.#value(facet, one)));
    if (values.length > shown.length || long) {
      const more = h("button", { type: "button", class: "cid-quiet", "data-facet": `${facet.key}\nmore` }, long ? "fewer" : `all ${values.length}`);
      more.addEventListener("click", () => {
        if (long) this.#long.delete(facet.key);
        else this.#long.add(facet.key);
        this.#draw();
      });
      list.append(more);
    }
    return list;
  }

  #value(facet: Facet, { value, count, on }: Facet["values"][number]): HTMLElement {
    const box = h("input", { type: "checkbox", "data-facet": `${facet.key}\n${value}` });
    box.checked = on;
    box.addEventListener("change", () => this.kernel.ask("choose", { key: facet.key, value, on: box.checked }));
    return h(
      "label",
      { class: "cid-value", title: value },
      box,
      h("span", { class: "cid-label" }, value),
      " ",
      h("span", { class: "cid-note" }, number(count)),
    );
  }
}
