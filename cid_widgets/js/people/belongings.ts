/** What a person has: first what only they reach, then all that is theirs or by them. */

import { h } from "../lib/dom";
import { bytes, plural } from "../lib/words";
import type { Belongings, Listed, Place } from "./shapes";
import { ending } from "./until";

const SHOWN = 20;

function places(title: string, of: Place[]): HTMLElement | false {
  if (of.length === 0) return false;
  const lines = of.map(({ name, role, ends_at }) =>
    h("li", {}, h("strong", {}, name), ` ${role}`, ends_at !== "" && h("span", { class: "cid-hint" }, ` ${ending(ends_at)}`)),
  );
  return h("section", {}, h("h4", {}, title), h("ul", { class: "cid-facts" }, ...lines));
}

function things(title: string, of: Listed): HTMLElement | false {
  if (of.total === 0) return false;
  const lines = of.newest.slice(0, SHOWN).map(({ project, text }) =>
    h("li", {}, h("span", { class: "cid-hint" }, `${project}: `), text || "(no name)"),
  );
  const rest = of.total - lines.length;
  if (rest > 0) lines.push(h("li", { class: "cid-hint" }, `and ${rest} more`));
  return h("details", {}, h("summary", {}, `${title}: ${of.total}`), h("ul", { class: "cid-facts" }, ...lines));
}

/** What would be lost with them, or that nothing would. */
function alone(of: Belongings): HTMLElement {
  const managed = of.only_manager.filter((name) => !of.only_reader.includes(name));
  const facts: [string, string[]][] = [
    ["Nobody else can read", of.only_reader],
    ["Nobody else can manage", managed],
    ["Nobody else leads", of.only_leader.map((name) => `team ${name}`)],
  ];
  const told = facts.filter(([, names]) => names.length > 0);
  if (told.length === 0) {
    return h("p", { class: "cid-alone", "data-mood": "good" }, `All that ${of.person} reaches is reached by somebody else too.`);
  }
  const lines = told.map(([words, names]) => h("li", {}, `${words}: `, h("strong", {}, names.join(", "))));
  return h("div", { class: "cid-alone" }, h("h4", {}, `Only ${of.person} reaches this`), h("ul", { class: "cid-facts" }, ...lines));
}

export function belongings(of: Belongings): HTMLElement {
  const brought = of.records
    ? `${of.person} brought ${plural(of.records, "record")}, ${bytes(of.nbytes)}. They stay where they are, and keep who made them.`
    : `${of.person} brought nothing that is still there.`;
  return h(
    "div",
    { class: "cid-belongings" },
    alone(of),
    h("p", {}, brought),
    h("div", { class: "cid-places" }, places("Projects", of.projects), places("Teams", of.teams)),
    things("Live datasets", of.live_datasets),
    things("Notes", of.notes),
    things("Deposits under way", of.deposits),
    things("Runs under way", of.runs),
    things("Runs by itself in their name", of.subscriptions),
  );
}
