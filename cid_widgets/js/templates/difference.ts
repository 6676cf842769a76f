/** What changed between two versions: values as a table, cells line by line, told by signs and colour. */

import { h } from "../lib/dom";
import { plural } from "../lib/words";
import type { Cell, Difference, Value } from "./shapes";

const SIGNS: Record<string, string> = { added: "+", removed: "−", changed: "±" };

function line(text: string): HTMLElement {
  const sign = text.slice(0, 1);
  if (sign === "+") return h("ins", {}, text);
  if (sign === "-") return h("del", {}, text);
  return h("span", { class: sign === "@" ? "cid-diff-gap" : "" }, sign === "@" ? "⋯" : text);
}

function cell(of: Cell): HTMLElement {
  const added = of.lines.filter((one) => one.startsWith("+")).length;
  const removed = of.lines.filter((one) => one.startsWith("-")).length;
  const words = `${SIGNS[of.change] ?? ""} Cell ${of.after ?? of.before} (${of.kind}) ${of.change}`;
  const counts = [added && `${plural(added, "line")} added`, removed && `${plural(removed, "line")} removed`].filter(Boolean).join(", ");
  const lines = of.lines.filter((text, index) => index > 0 || !text.startsWith("@@"));
  return h(
    "section",
    { class: "cid-diff-cell", "aria-label": words },
    h("h5", {}, words, " ", h("span", { class: "cid-hint" }, counts)),
    h("pre", { tabindex: "0", "aria-label": `Lines of cell ${of.after ?? of.before}` }, ...lines.map(line)),
  );
}

function values(of: Value[]): HTMLElement {
  const head = h("tr", {}, ...["Value", "", "Before", "After"].map((one) => h("th", { scope: "col" }, one)));
  const rows = of.map((one) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", {}, one.key)),
      h("td", {}, `${SIGNS[one.change] ?? ""} ${one.change}`),
      h("td", {}, one.before !== "" && h("del", {}, one.before)),
      h("td", {}, one.after !== "" && h("ins", {}, one.after)),
    ),
  );
  return h("table", { class: "cid-diff-values", "aria-label": "Values that changed" }, h("thead", {}, head), h("tbody", {}, ...rows));
}

export function differenceView(of: Difference): HTMLElement {
  const alike = !of.values.length && !of.cells.length;
  return h(
    "section",
    { class: "cid-diff", "aria-label": `What changed from ${of.version} to ${of.to}` },
    h("h5", {}, `From ${of.version} to ${of.to}`),
    alike && h("p", { class: "cid-hint" }, "Nothing differs."),
    of.values.length > 0 && values(of.values),
    ...of.cells.map(cell),
  );
}
