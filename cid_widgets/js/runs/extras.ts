/** What a run takes beside images and values: further images by their role, and how urgent it is. */

import { h } from "../lib/dom";
import type { Also, Template } from "../lib/shapes";

/** Further images by role, as their uids; and the priority. */
export interface Beside {
  inputs: Record<string, string[]>;
  priority: number;
}

export interface Extras {
  el: HTMLElement;
  values(): Beside;
  /** Show and return what is wrong, or "". */
  check(): string;
}

let made = 0;

function roleField(also: Also): { el: HTMLElement; role: string; uids(): string[]; check(): string } {
  const id = `cid-role-${(made += 1)}`;
  const input = h("input", { id, type: "text", spellcheck: "false", placeholder: also.many ? "uids of images" : "uid of an image", "aria-describedby": `${id}-hint ${id}-error` });
  const complaint = h("span", { class: "cid-field-error", id: `${id}-error`, role: "alert" });
  const uids = () => input.value.split(/[\s,;]+/).filter(Boolean);
  const check = () => {
    const count = uids().length;
    let wrong = "";
    if (!count && !also.optional) wrong = "Fill in this field.";
    else if (count > 1 && !also.many) wrong = "One image only.";
    complaint.textContent = wrong;
    input.setAttribute("aria-invalid", String(wrong !== ""));
    return wrong;
  };
  input.addEventListener("input", check);
  const hint = [also.help, also.optional ? "(may be left empty)" : ""].filter(Boolean).join(" ");
  const el = h(
    "div",
    { class: "cid-extra" },
    h("label", { for: id }, also.role),
    h("span", { class: "cid-control" }, input),
    h("span", { class: "cid-hint", id: `${id}-hint` }, hint),
    complaint,
  );
  return { el, role: also.role, uids, check };
}

export function extras(template: Template | null): Extras {
  const roles = (template?.also ?? []).map(roleField);
  const id = `cid-priority-${(made += 1)}`;
  const urgent = h(
    "select",
    { id },
    h("option", { value: 0 }, "as they come"),
    h("option", { value: -5 }, "after others of my team"),
  );
  const priority = h("div", { class: "cid-extra" }, h("label", { for: id }, "Turn"), h("span", { class: "cid-control" }, urgent));
  return {
    el: h("div", { class: "cid-fields cid-extras" }, ...roles.map(({ el }) => el), priority),
    values: () => ({
      inputs: Object.fromEntries(roles.map(({ role, uids }) => [role, uids()])),
      priority: Number(urgent.value),
    }),
    check: () => roles.map((one) => one.check()).find(Boolean) ?? "",
  };
}
