/** The roles of a project, each in one line. */

import { h } from "../lib/dom";

export const ROLES: [string, string][] = [
  ["viewer", "sees and downloads what is in the project, or linked into it"],
  ["annotator", "also tags and writes notes"],
  ["contributor", "also brings data, runs templates, names, moves and throws away"],
  ["manager", "also gives roles and keeps the vocabulary"],
  ["guest", "whose account ends: may what the role says, and never manages"],
];

export function roleSelect(chosen: string, label: string): HTMLSelectElement {
  const options = ROLES.slice(0, 4).map(([role, words]) =>
    h("option", { value: role, selected: role === chosen, title: words }, role),
  );
  return h("select", { "aria-label": label }, ...options);
}

export function rolesExplained(): HTMLElement {
  const lines = ROLES.flatMap(([role, words]) => [h("dt", {}, role), h("dd", {}, words)]);
  return h("dl", { class: "cid-roles", "aria-label": "What the roles may do" }, ...lines);
}
