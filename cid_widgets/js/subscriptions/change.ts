/** A subscription's budget and values in a form; only what was changed is asked for. */

import { h } from "../lib/dom";
import { field } from "../runs/field";
import type { Fields } from "./shapes";

type Budget = Record<string, number | string | null>;

export interface Changed {
  parameters: Record<string, unknown>;
  budget: Budget;
}

const LIMITS = [
  ["runs", "Runs in all, at most", "number"],
  ["runs_a_day", "A day, at most", "number"],
  ["nbytes", "Reserved, at most", "text"],
] as const;

let made = 0;

export function changeForm(of: Fields, save: (changed: Changed) => void, close: () => void): HTMLElement {
  made += 1;
  const limits = LIMITS.map(([name, label, type]) => {
    const id = `cid-sub-${made}-${name}`;
    const whole = type === "number" ? { min: 1, step: 1 } : { spellcheck: "false" };
    const input = h("input", { id, type, value: of.budget[name], placeholder: "no limit", ...whole });
    const hint = name === "nbytes" && h("span", { class: "cid-hint" }, "such as 80 GB");
    const el = h("div", { class: "cid-field" }, h("label", { for: id }, label), h("span", { class: "cid-control" }, input), hint);
    return { name, type, input, el };
  });
  const values = Object.entries(of.takes).map(([name, takes]) => {
    return { was: takes.default, ...field(name, takes, `cid-sub-${made}-value-${name}`) };
  });
  const budget = (): Budget => {
    const others = limits.filter(({ name, input }) => input.value.trim() !== of.budget[name]);
    const read = (type: string, text: string) => (text && type === "number" ? Number(text) : text || null);
    return Object.fromEntries(others.map(({ name, type, input }) => [name, read(type, input.value.trim())]));
  };
  const form = h(
    "form",
    { class: "cid-sub-form", "aria-label": "Budget and values", novalidate: true },
    h("div", { class: "cid-fields" }, ...limits.map(({ el }) => el)),
    values.length > 0 && h("div", { class: "cid-fields" }, ...values.map(({ el }) => el)),
    h(
      "div",
      { class: "cid-actions" },
      h("button", { type: "submit", class: "cid-primary" }, "Save"),
      h("button", { type: "button", on: { click: close } }, "Cancel"),
      h("span", { class: "cid-hint" }, "Other values hold for the runs to come: what ran is not run again."),
    ),
  );
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!limits.every(({ input }) => input.reportValidity())) return;
    const wrong = values.filter((one) => one.check());
    if (wrong.length) return wrong[0]!.focus();
    const others = values.filter((one) => one.value() !== one.was).map((one) => [one.name, one.value()]);
    const changed: Changed = { parameters: Object.fromEntries(others), budget: budget() };
    if (others.length || Object.keys(changed.budget).length) save(changed);
    else close();
  });
  return form;
}
