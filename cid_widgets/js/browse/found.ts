/** The line above the images: how many, by which conditions, all of them, in which order. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { BrowserState } from "../lib/shapes";
import { number } from "../lib/words";

const PATIENCE_MS = 2500;
const SORTS: [string, string][] = [
  ["newest", "Newest"],
  ["oldest", "Oldest"],
  ["name", "Name"],
  ["-size", "Largest"],
  ["size", "Smallest"],
  ["-acquired", "Acquired last"],
  ["acquired", "Acquired first"],
];

/** How many images are selected. */
export function selectedCount(kernel: Kernel<BrowserState>): number {
  return kernel.get("found_all") ? (kernel.get("total") ?? 0) : kernel.get("selected").length;
}

/** What was found and chosen; after a while without an answer, why. */
function statusLine(kernel: Kernel<BrowserState>): { el: HTMLElement; searching: () => void } {
  const el = h("span", { class: "cid-status", role: "status" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  kernel.finally(() => clearTimeout(timer));
  const show = () => {
    clearTimeout(timer);
    const count = selectedCount(kernel);
    if (kernel.get("found_all")) el.textContent = `all ${kernel.get("status")} selected`;
    else el.textContent = (count ? `${number(count)} selected · ` : "") + kernel.get("status");
  };
  kernel.show(["found", "status", "selected", "found_all", "error"], show);
  kernel.told("searched", show);
  const searching = () => {
    el.textContent = "Searching…";
    clearTimeout(timer);
    timer = setTimeout(() => (el.textContent = "Waiting for the kernel (is a cell running?)"), PATIENCE_MS);
  };
  return { el, searching };
}

/** Takes all that was found, once all that is shown is selected; and lets go again. */
function allButton(kernel: Kernel<BrowserState>): HTMLElement {
  const button = h("button", { type: "button", class: "cid-quiet cid-all" });
  button.addEventListener("click", () => {
    if (kernel.get("found_all")) kernel.set({ found_all: false, selected: [] });
    else kernel.set({ found_all: true });
  });
  kernel.show(["selected", "found_all", "total", "rows"], () => {
    const total = kernel.get("total");
    const all = kernel.get("found_all");
    const page = kernel.get("rows").length;
    const whole = page > 0 && kernel.get("selected").length >= page;
    button.hidden = !all && !(whole && total !== null && total > kernel.get("selected").length);
    button.textContent = all ? "Select none" : `Select all ${number(total ?? 0)}`;
  });
  return button;
}

function sortPicker(kernel: Kernel<BrowserState>): HTMLElement {
  const picker = h("select", { class: "cid-sort", "aria-label": "Order", title: "Order" });
  picker.addEventListener("change", () => kernel.set({ sort: picker.value }));
  kernel.show(["sort"], () => {
    const sort = kernel.get("sort");
    const own: [string, string][] = SORTS.some(([name]) => name === sort) ? [] : [[sort, `By ${sort}`]];
    picker.replaceChildren(
      ...[...SORTS, ...own].map(([value, label]) => h("option", { value, selected: value === sort }, label)),
    );
  });
  return picker;
}

/** The conditions of the query, each with a button that leaves it out. */
function chips(kernel: Kernel<BrowserState>): HTMLElement {
  const el = h("div", { class: "cid-chips", role: "group", "aria-label": "Conditions" });
  kernel.show(["chips"], () => {
    const all = kernel.get("chips").map(({ text, label, out }) => {
      const drop = h("button", { type: "button", class: "cid-drop", "aria-label": `Leave out ${label}`, title: "Leave out" }, "×");
      drop.addEventListener("click", () => kernel.ask("drop", { text }));
      return h("span", { class: "cid-chip", "data-out": out, title: text }, h("span", { class: "cid-label" }, label), drop);
    });
    const clear = h("button", { type: "button", class: "cid-quiet" }, "Leave out all");
    clear.addEventListener("click", () => kernel.ask("drop"));
    const held = el.contains(document.activeElement);
    el.replaceChildren(...all, ...(all.length > 1 ? [clear] : []));
    el.hidden = !all.length;
    if (held) el.querySelector("button")?.focus();
  });
  return el;
}

export function foundLine(kernel: Kernel<BrowserState>, live: HTMLElement): { el: HTMLElement; searching: () => void } {
  const status = statusLine(kernel);
  const line = h("div", { class: "cid-found-line" }, status.el, allButton(kernel), sortPicker(kernel));
  return { el: h("div", { class: "cid-found" }, line, chips(kernel), live), searching: status.searching };
}
