/** Runs from a CSV file: an image and its own values a row. Each wrong cell is told before it starts. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import { plural } from "../lib/words";
import type { Beside } from "./extras";
import type { Values } from "./form";

const LARGEST = 8_000_000; // bytes
const SHOWN = 20;

interface Cell {
  row: number;
  column: string;
  message: string;
}

export function table(kernel: Kernel<any>, values: () => Values | null, beside: () => Beside): HTMLElement {
  const file = h("input", { type: "file", accept: ".csv,.tsv,.txt,text/csv", "aria-label": "CSV file" });
  const told = h("p", { class: "cid-said", role: "status" });
  const wrong = h("ul", { class: "cid-noted", "aria-label": "Wrong cells" });
  const begin = h("button", { type: "button", class: "cid-primary", disabled: true }, "Run the rows");
  let csv = "";
  const say = (text: string, mood = "") => {
    told.textContent = text;
    told.dataset.mood = mood;
  };
  const parameters = () => values() ?? undefined;
  file.addEventListener("change", async () => {
    begin.disabled = true;
    wrong.replaceChildren();
    const chosen = file.files?.[0];
    if (!chosen) return say("");
    if (chosen.size > LARGEST) return say("This file is too large for a table of images.", "bad");
    csv = await chosen.text();
    const given = parameters();
    if (!given) return say("Fill in the form above first.", "bad");
    say("Looking…");
    kernel.ask("table", { csv, parameters: given, ...beside() });
  });
  kernel.told("table", ({ rows, wrong: cells, error }) => {
    if (error) return say(error, "bad");
    const lines = (cells as Cell[]).slice(0, SHOWN).map((one) => h("li", {}, h("b", {}, `Row ${one.row}, ${one.column}`), h("span", {}, one.message)));
    if (cells.length > SHOWN) lines.push(h("li", {}, `and ${plural(cells.length - SHOWN, "more cell")}`));
    wrong.replaceChildren(...lines);
    begin.disabled = cells.length > 0;
    begin.textContent = `Run ${plural(rows, "row")}`;
    if (cells.length) say(`${plural(cells.length, "cell")} to correct: nothing runs before all rows fit.`, "bad");
    else say(`${plural(rows, "row")} can run.`, "good");
  });
  begin.addEventListener("click", () => {
    const given = parameters();
    if (!given) return;
    begin.disabled = true;
    kernel.ask("start_table", { csv, parameters: given, ...beside() });
  });
  const hint = "First column: name, path or uid of an image; every other column is a parameter, or further images by their role.";
  return h(
    "details",
    { class: "cid-unfolded cid-table" },
    h("summary", {}, "From a table, with values for each image…"),
    h("p", { class: "cid-hint" }, hint),
    h("div", { class: "cid-actions" }, file, begin, told),
    wrong,
  );
}
