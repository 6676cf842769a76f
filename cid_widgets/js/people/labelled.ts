/** A control with its label, a hint and a place for what is wrong. */

import { h } from "../lib/dom";

let made = 0;

export function nextId(): string {
  made += 1;
  return `cid-people-${made}`;
}

export interface Labelled {
  el: HTMLElement;
  /** Show what is wrong; "" when nothing is. */
  complain(words: string): void;
}

export function labelled(label: string, id: string, control: HTMLElement, hint = "", wide = false): Labelled {
  const wrong = h("span", { class: "cid-field-error", id: `${id}-wrong`, role: "alert" });
  const field = control.id === id ? control : control.querySelector(`#${id}`);
  field?.setAttribute("aria-describedby", `${id}-hint ${id}-wrong`);
  const el = h(
    "div",
    { class: wide ? "cid-field cid-wide" : "cid-field" },
    field ? h("label", { for: id }, label) : h("span", { class: "cid-label" }, label),
    hint && h("span", { class: "cid-hint", id: `${id}-hint` }, hint),
    control,
    wrong,
  );
  return {
    el,
    complain: (words) => {
      wrong.textContent = words;
      field?.setAttribute("aria-invalid", String(words !== ""));
    },
  };
}
