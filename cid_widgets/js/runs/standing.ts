/** Below a form: run this on every new match of a saved search too, counted before it begins. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { Beside } from "./extras";
import type { Values } from "./form";

interface Search {
  project: string;
  path: string;
  query: string;
}

const NONE = "No saved search is there. Keep a search of the project as a live dataset first.";
const FIRST = "Fill in the form above, then count.";
let made = 0;

function field(label: string, input: HTMLInputElement | HTMLSelectElement): HTMLElement {
  input.id = `cid-standing-${(made += 1)}`;
  return h("span", { class: "cid-standing-field" }, h("label", { for: input.id }, label), input);
}

export function standing(kernel: Kernel<any>, values: () => Values | null, beside: () => Beside): HTMLElement {
  const of = kernel as Kernel<{ searches: Search[] | null }>;
  const search = h("select", {});
  const runs = h("input", { type: "number", min: 1, step: 1, value: 100, required: true });
  const day = h("input", { type: "number", min: 1, step: 1, placeholder: "no limit" });
  const there = h("input", { type: "checkbox" });
  const told = h("p", { class: "cid-said", role: "status" });
  const begin = h("button", { type: "button", class: "cid-primary", disabled: true }, "Do it for every new match");
  const undo = h("button", { type: "button", class: "cid-undo", hidden: true }, "Undo");
  const again = h("button", { type: "button", class: "cid-quiet" }, "Count again");
  let counted = ""; // the count that is waited for: an answer to an earlier one is of another search
  const chosen = () => of.get("searches")?.[search.selectedIndex];
  const say = (text: string, mood = "") => {
    told.textContent = text;
    told.dataset.mood = mood;
  };
  const count = () => {
    const one = chosen();
    begin.disabled = true;
    undo.hidden = true;
    counted = `${Math.random()}`;
    if (!one) return;
    const parameters = values();
    if (!parameters) return say(FIRST);
    say("Counting…");
    of.ask("estimate", { project: one.project, search: one.path, parameters, mark: counted, ...beside() });
  };
  const right = () => [runs, day].every((input) => input.reportValidity());
  begin.addEventListener("click", () => {
    const one = chosen();
    const parameters = values();
    if (!one || !parameters || !right()) return;
    begin.disabled = true;
    const budget = { runs: Number(runs.value), ...(day.value ? { runs_a_day: Number(day.value) } : {}) };
    of.ask("subscribe", { project: one.project, search: one.path, parameters, budget, also_existing: there.checked, ...beside() });
  });
  undo.addEventListener("click", () => of.ask("unsubscribe"));
  search.addEventListener("change", count);
  again.addEventListener("click", count);
  kernel.told("estimated", ({ text, ok, mark }) => {
    if (mark && mark !== counted) return;
    say(text, ok ? "" : "bad");
    begin.disabled = !ok;
  });
  kernel.told("subscribed", ({ text, ok, undo: may }) => {
    say(text, ok ? "good" : "bad");
    begin.disabled = ok;
    undo.hidden = !may;
  });
  const also = h("label", { class: "cid-standing-also" }, there, "Also on those that are there now");
  const fields = h(
    "div",
    { class: "cid-standing-fields" },
    field("New matches of", search),
    field("Runs in all, at most", runs),
    field("A day, at most", day),
    also,
  );
  const empty = h("p", { class: "cid-hint", hidden: true }, NONE);
  const box = h(
    "details",
    { class: "cid-unfolded cid-standing" },
    h("summary", {}, "Do this for every new match…"),
    fields,
    empty,
    h("div", { class: "cid-actions" }, begin, undo, again, told),
  );
  of.show(["searches"], () => {
    const all = of.get("searches");
    search.replaceChildren(
      ...(all ?? []).map((one) => h("option", { title: one.query }, `${one.path} (${one.query})`)),
    );
    fields.hidden = begin.hidden = again.hidden = all !== null && all.length === 0;
    empty.hidden = all === null || all.length > 0;
    if (box.open && all?.length) count();
  });
  box.addEventListener("toggle", () => {
    if (!box.open) return;
    if (of.get("searches") === null) of.ask("searches");
    else count();
  });
  return box;
}
