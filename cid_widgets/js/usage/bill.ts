/** The invoice of a team: choose its period, read its positions, save it as CSV or PDF. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import { plural } from "../lib/words";
import type { Invoice, Position, UsageState } from "./shapes";
import { money } from "./words";

const MONTHS = 24;
const YEARS = 4;
const PARTS = 40; // of a position; the CSV has all
const KINDS: Record<string, [string, string]> = {
  storage: ["Storage", "TB-years"],
  archive: ["Archive", "TB-years"],
  gpu: ["GPU", "hours"],
  cpu: ["CPU cores", "hours"],
};
const MEDIA: Record<string, string> = { csv: "text/csv", pdf: "application/pdf" };

/** The periods up to now, the newest first: [group, [value, words]]. */
export function periods(now: Date): [string, [string, string][]][] {
  const year = now.getUTCFullYear();
  const months = Array.from({ length: MONTHS }, (_, back) => {
    const first = new Date(Date.UTC(year, now.getUTCMonth() - back, 1));
    const words = first.toLocaleDateString("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
    return [first.toISOString().slice(0, 7), words] as [string, string];
  });
  const quarter = year * 4 + Math.floor(now.getUTCMonth() / 3);
  const quarters = Array.from({ length: MONTHS / 3 }, (_, back) => {
    const [of, number] = [Math.floor((quarter - back) / 4), ((quarter - back) % 4) + 1];
    return [`${of}-Q${number}`, `Quarter ${number} of ${of}`] as [string, string];
  });
  const years = Array.from({ length: YEARS }, (_, back) => [String(year - back), String(year - back)] as [string, string]);
  return [["Months", months], ["Quarters", quarters], ["Years", years]];
}

function picker(kernel: Kernel<UsageState>, asked: () => void): HTMLElement {
  const groups = periods(new Date()).map(([label, among]) =>
    h("optgroup", { label }, ...among.map(([value, words]) => h("option", { value }, words))),
  );
  const select = h("select", { "aria-label": "Period of the invoice" }, h("option", { value: "" }, "Choose a period"), ...groups);
  kernel.show(["period"], () => {
    const period = kernel.get("period");
    if (![...select.options].some(({ value }) => value === period)) {
      select.append(h("option", { value: period }, period));
    }
    select.value = period;
  });
  select.addEventListener("change", () => {
    asked();
    kernel.set({ period: select.value });
  });
  return select;
}

/** A position and, below it, its parts when they are asked for. */
function position(of: Position): HTMLElement[] {
  const [kind, unit] = KINDS[of.kind] ?? [of.kind, ""];
  const parts = of.parts.slice(0, PARTS).map((part) =>
    h(
      "tr",
      { class: "cid-part", hidden: true },
      h("td", { colspan: 4 }, part.name || (part.what === "dataset" ? "(the project itself)" : part.what)),
      h("td", { "data-number": "true" }, money(part.cost, "")),
    ),
  );
  if (of.parts.length > PARTS) {
    const more = `and ${plural(of.parts.length - PARTS, "more part")}: the CSV has all`;
    parts.push(h("tr", { class: "cid-part", hidden: true }, h("td", { colspan: 5 }, more)));
  }
  const arrow = h("span", { class: "cid-arrow", "aria-hidden": "true" }, "▸");
  const name = of.title || of.project;
  const button = h("button", { type: "button", class: "cid-link", "aria-expanded": "false", title: "Show its parts" }, arrow, name);
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    arrow.textContent = open ? "▾" : "▸";
    for (const part of parts) part.hidden = !open;
  });
  const tariff = `${of.tariff}, price list ${of.version}, VAT ${of.vat} %`;
  const line = h(
    "tr",
    {},
    h("th", { scope: "row" }, button),
    h("td", { title: tariff }, kind),
    h("td", { "data-number": "true" }, `${of.quantity} ${unit}`),
    h("td", { "data-number": "true", title: tariff }, money(of.price, "")),
    h("td", { "data-number": "true" }, money(of.cost, "")),
  );
  return [line, ...parts];
}

function sum(name: string, amount: string): HTMLElement {
  return h("tr", {}, h("th", { scope: "row", colspan: 4 }, name), h("td", { "data-number": "true" }, amount));
}

function paper(invoice: Invoice): HTMLElement {
  const { currency } = invoice;
  const tariffs = [...new Set(invoice.positions.map(({ tariff }) => tariff))].join(", ");
  const status = invoice.provisional ? h("span", { class: "cid-state", "data-state": "warning" }, "provisional") : null;
  const heads = ["Project", "What", "Quantity", "Price", `Cost (${currency})`];
  const taxes = invoice.taxes.map(({ rate, vat }) => sum(`VAT ${rate} %`, money(vat, "")));
  const empty = h("p", { class: "cid-empty" }, "Nothing was charged in this period.");
  return h(
    "div",
    { class: "cid-paper" },
    h("p", {}, h("strong", {}, invoice.number), tariffs ? ` · tariff ${tariffs} ` : " ", status),
    invoice.positions.length
      ? h(
          "div",
          { class: "cid-table" },
          h(
            "table",
            { "aria-label": `Invoice ${invoice.number}` },
            h("thead", {}, h("tr", {}, ...heads.map((name, at) => h("th", { scope: "col", "data-number": String(at > 1) }, name)))),
            h("tbody", {}, ...invoice.positions.flatMap(position)),
            h("tfoot", {}, sum("Net", money(invoice.net, "")), ...taxes, sum("Total", money(invoice.total, currency))),
          ),
        )
      : empty,
  );
}

/** Give bytes to the browser to save. */
function saveAs(name: string, form: string, content: string): void {
  const raw = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([raw], { type: MEDIA[form] ?? "application/octet-stream" }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The part of a team's page that is about money. */
export function bill(kernel: Kernel<UsageState>): HTMLElement {
  const place = h("div", { "aria-live": "polite" });
  const trouble = h("p", { class: "cid-error", role: "alert" });
  const wanted = new Set<string>();
  const saves = ["csv", "pdf"].map((form) => {
    const button = h("button", { type: "button" }, `Save ${form.toUpperCase()}`);
    button.addEventListener("click", () => {
      wanted.add(form);
      kernel.ask("save", { form });
    });
    return button;
  });
  kernel.told("saved", ({ form, name, content }) => {
    if (wanted.delete(form)) saveAs(name, form, content);
  });
  let drawn: Invoice | null | undefined; // what is open in it stays open
  const waiting = () => {
    drawn = undefined;
    place.replaceChildren(h("p", { class: "cid-empty" }, "Computing the invoice…"));
  };
  kernel.show(["charged"], () => {
    const invoice = kernel.get("invoice");
    trouble.textContent = kernel.get("invoice_error");
    trouble.hidden = !trouble.textContent;
    for (const button of saves) button.disabled = !invoice;
    if (invoice === drawn && invoice) return;
    drawn = invoice;
    if (invoice) place.replaceChildren(paper(invoice));
    else place.replaceChildren(kernel.get("period") ? "" : h("p", { class: "cid-empty" }, HINT));
  });
  return h(
    "section",
    { class: "cid-bill", "aria-label": "Invoice" },
    h("header", {}, h("h4", {}, "Invoice"), picker(kernel, waiting), ...saves),
    trouble,
    place,
  );
}

const HINT = "A period that is not over yet shows what was charged so far.";
