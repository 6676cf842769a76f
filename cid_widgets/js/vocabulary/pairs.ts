/** Two spellings side by side that may mean the same: choose which one stays, and merge. */

import { h } from "../lib/dom";
import { once } from "../lib/once";
import { number } from "../lib/words";
import type { Ask, Shown, Term, Value } from "./shapes";
import { willChange } from "./words";

let made = 0;

function pair(term: Term, both: [Value, Value], ask: Ask): HTMLElement {
  const name = `cid-voc-pair-${(made += 1)}`;
  let stays = both[1].declared && !both[0].declared ? 1 : 0;
  const words = h("span", { class: "cid-hint" });
  const merge = h("button", { type: "button", class: "cid-voc-merge" });
  const show = () => {
    const [into, old] = [both[stays]!, both[1 - stays]!];
    merge.textContent = `Merge into “${into.text}”`;
    words.textContent = willChange(old.n);
  };
  const choices = both.map((value, index) => {
    const radio = h("input", { type: "radio", name, checked: index === stays });
    radio.addEventListener("change", () => {
      stays = index;
      show();
    });
    return h(
      "label",
      { class: "cid-voc-spelling" },
      term.edit_values && radio,
      h("span", { class: "cid-voc-text" }, value.text),
      h("span", { class: "cid-hint" }, number(value.n)),
    );
  });
  once(merge, () => ask("rename_value", { term: term.uid, value: both[1 - stays]!.uid, to: both[stays]!.text }));
  show();
  const legend = h("legend", { class: "cid-offscreen" }, `Which spelling stays: ${both[0].text} or ${both[1].text}`);
  return h(
    "fieldset",
    { class: "cid-voc-pair" },
    legend,
    ...choices,
    term.edit_values && h("span", { class: "cid-voc-way" }, words, merge),
  );
}

/** Values that may be the same; null where none are. */
export function pairs(term: Term, shown: Shown, ask: Ask): HTMLElement | null {
  if (!shown.pairs.length) return null;
  return h(
    "section",
    { class: "cid-voc-alike", "aria-label": "Spelled much alike" },
    h("h4", {}, "Spelled much alike: the same?"),
    ...shown.pairs.map(([first, later]) => pair(term, [shown.values[first]!, shown.values[later]!], ask)),
  );
}
