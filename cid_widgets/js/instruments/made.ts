/** What a microscope is made of: its versions as a time line, one of them as tables, what is new in it. */

import { h } from "../lib/dom";
import { plural } from "../lib/words";
import type { Made, Parts, Tier, Version } from "./shapes";

export interface Ways {
  look(at: string): void;
  compare(version: string): void;
}

/** The oldest is left; the one that is shown is pressed. */
export function timeLine(versions: Version[], made: Made | null, ways: Ways): HTMLElement {
  const items = [...versions].reverse().map(({ uid, since, why, person }) => {
    const now = uid === made?.uid;
    const hint = [why, `by ${person}`].filter(Boolean).join(", ");
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", "data-uid": uid, "aria-pressed": String(now), title: hint, on: { click: () => ways.look(uid) } },
        h("b", {}, since),
        h("span", {}, why || "no reason said"),
      ),
    );
  });
  return h("ol", { class: "cid-scope-time", "aria-label": "Versions" }, ...items);
}

export function difference(versions: Version[], made: Made, ways: Ways): HTMLElement | null {
  const others = versions.filter(({ uid }) => uid !== made.uid);
  if (!others.length) return null;
  const choice = h(
    "select",
    { "data-uid": "against", "aria-label": "Compare with" },
    h("option", { value: "" }, "nothing"),
    ...others.map(({ uid, since }) => h("option", { value: uid, selected: uid === made.against }, `the version of ${since}`)),
  );
  choice.addEventListener("change", () => ways.compare(choice.value));
  const same = made.against && !made.changes.length && h("p", { class: "cid-hint" }, "Nothing is otherwise.");
  return h("div", { class: "cid-scope-diff" }, h("label", {}, "Compared with ", choice), changes(made.changes), same);
}

export function changes(lines: string[]): HTMLElement | null {
  return lines.length ? h("ul", { class: "cid-scope-changes", "aria-label": "What is otherwise" }, ...lines.map((line) => h("li", {}, line))) : null;
}

export function tables(parts: Parts[]): HTMLElement[] {
  return parts.map(({ title, columns, rows }) =>
    h(
      "table",
      { class: "cid-scope-parts" },
      h("caption", {}, title),
      columns.length > 1 && h("thead", {}, h("tr", {}, ...columns.map((word) => h("th", { scope: "col" }, word)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((text) => h("td", {}, text))))),
    ),
  );
}

/** The tier as three steps, and what the next one lacks. */
export function tierOf(tier: Tier | null): HTMLElement {
  if (!tier) return h("p", { class: "cid-hint" }, "Not known: a Microscope.JSON of the Micro-Meta App says it.");
  const steps = [1, 2, 3].map((n) => h("span", { class: "cid-scope-step", "data-reached": String(n <= tier.reached), "aria-hidden": "true" }, String(n)));
  const lacks = tier.missing.map(({ tier: n, fields }) =>
    h("details", {}, h("summary", {}, `Tier ${n} lacks ${plural(fields.length, "field")}`), h("ul", {}, ...fields.map((field) => h("li", {}, field)))),
  );
  return h(
    "div",
    { class: "cid-scope-tier" },
    h("span", { class: "cid-scope-steps" }, ...steps),
    h("span", {}, tier.reached ? `4DN-BINA-OME tier ${tier.reached} of 3` : "below tier 1 of 4DN-BINA-OME"),
    ...lacks,
  );
}
