/** The query language in six examples, behind a "?". */

import { h } from "../lib/dom";

const EXAMPLES: [string, string][] = [
  ["hela dapi", "both words: in the name, the tags, the dataset or the notes"],
  ['cell_type:"HeLa S3",A549', "a tag with one of these values; in quotes the whole value"],
  ["snr:10..20 exposure_time<=50ms", "numbers, in any unit"],
  ["acquired:2026-03 created>7d", "taken in March; came in the last seven days"],
  ["objective:63x OR objective:40x", "either; with parentheses where needed"],
  ["has:staining -by:anna", "has any value; and whatever follows - is left out"],
];
let helps = 0;

/** A button, and the examples that it opens; `use` gets the one that is pressed. */
export function help(use: (query: string) => void): { button: HTMLElement; el: HTMLElement } {
  helps += 1;
  const id = `cid-help-${helps}`;
  const button = h(
    "button",
    { type: "button", class: "cid-what", title: "How to search", "aria-label": "How to search", "aria-expanded": "false", "aria-controls": id },
    "?",
  );
  const list = h("dl", { class: "cid-examples" });
  const el = h("section", { id, class: "cid-help", "aria-label": "How to search" }, list);
  el.hidden = true;
  const show = (open: boolean) => {
    el.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  };
  for (const [query, meaning] of EXAMPLES) {
    const example = h("button", { type: "button", class: "cid-link", title: "Search for this" }, h("code", {}, query));
    example.addEventListener("click", () => {
      show(false);
      use(query);
    });
    list.append(h("dt", {}, example), h("dd", {}, meaning));
  }
  button.addEventListener("click", () => show(el.hidden));
  for (const part of [button, el]) {
    part.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || el.hidden) return;
      event.preventDefault();
      event.stopPropagation();
      show(false);
      button.focus();
    });
  }
  return { button, el };
}
