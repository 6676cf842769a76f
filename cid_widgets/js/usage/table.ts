/** A table that is sorted by its heads and opened by its rows. */

import { h } from "../lib/dom";

export interface Column<R> {
  title: string;
  hint?: string;
  number?: boolean; // the largest first, when it is chosen
  bar?: boolean; // a bar stands left, a number right
  cell: (row: R) => Node | string;
  value: (row: R) => number | string | null; // what it is sorted by; null comes last
}

export interface Order {
  column: number;
  down: boolean;
}

interface Options<R> {
  label: string;
  order: Order; // kept by whoever draws the table again
  open?: (row: R) => void;
  hint?: (row: R) => string; // what opening a row does
}

function compare(a: number | string | null, b: number | string | null, down: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const less =
    typeof a === "string" || typeof b === "string"
      ? String(a).localeCompare(String(b), undefined, { numeric: true })
      : a - b;
  return down ? -less : less;
}

function right<R>({ number, bar }: Column<R>): string {
  return String(Boolean(number) && !bar);
}

/** Draw rows; the first column has the button that opens a row. */
export function table<R>(columns: Column<R>[], rows: R[], options: Options<R>): HTMLElement {
  const { order, open } = options;
  const body = h("tbody");
  const heads = columns.map((column, index) => {
    const mark = h("span", { class: "cid-order", "aria-hidden": "true" });
    const button = h("button", { type: "button", class: "cid-quiet", title: column.hint }, column.title, mark);
    button.addEventListener("click", () => {
      order.down = order.column === index ? !order.down : Boolean(column.number);
      order.column = index;
      fill();
    });
    return h("th", { scope: "col", "data-number": right(column) }, button);
  });

  const line = (row: R): HTMLElement => {
    const cells = columns.map((column, index) => {
      const inside = column.cell(row);
      const opener =
        index === 0 && open
          ? h("button", { type: "button", class: "cid-link", title: options.hint?.(row) }, inside)
          : inside;
      return h(index ? "td" : "th", { "data-number": right(column), scope: index ? false : "row" }, opener);
    });
    const made = h("tr", { "data-opens": String(Boolean(open)) }, ...cells);
    if (open) made.addEventListener("click", () => open(row));
    return made;
  };

  const fill = () => {
    const { value } = columns[order.column]!;
    const sorted = [...rows].sort((a, b) => compare(value(a), value(b), order.down));
    heads.forEach((head, index) => {
      const mine = index === order.column;
      head.setAttribute("aria-sort", mine ? (order.down ? "descending" : "ascending") : "none");
      head.querySelector(".cid-order")!.textContent = mine ? (order.down ? "▾" : "▴") : "";
    });
    body.replaceChildren(...sorted.map(line));
  };
  fill();
  const made = h("table", { "aria-label": options.label }, h("thead", {}, h("tr", {}, ...heads)), body);
  return h("div", { class: "cid-table" }, made);
}
