/** Quality control: each series with its trend and how it stands, and a form for a new number. */

import { h } from "../lib/dom";
import { nextId } from "../people/labelled";
import type { Series } from "./shapes";
import { state } from "./state";
import { trend } from "./trend";

const HEAD = ["Series", "Trend", "Last", "May be", "On", "State"];

function amount(value: number, unit: string): string {
  return `${Number(value.toPrecision(6))} ${unit}`.trim();
}

function limits({ low, high, unit }: Series): string {
  if (low !== null && high !== null) return `${low} – ${amount(high, unit)}`;
  return low !== null ? `≥ ${amount(low, unit)}` : high !== null ? `≤ ${amount(high, unit)}` : "";
}

/** `measure` is called with the series that is to be measured anew; without it nobody may. */
export function seriesTable(series: Series[], measure: ((one: Series) => void) | null): HTMLElement {
  const rows = series.map((one) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, one.metric, one.place && h("span", { class: "cid-hint" }, one.place)),
      h("td", {}, trend(one) as unknown as HTMLElement),
      h("td", { title: one.note || undefined }, amount(one.value, one.unit)),
      h("td", {}, limits(one)),
      h("td", {}, one.on, h("span", { class: "cid-hint" }, one.due ? `again by ${one.due}` : "")),
      h(
        "td",
        {},
        state(one.low === null && one.high === null && one.state === "within" ? "free" : one.state),
        measure && h("button", { type: "button", class: "cid-quiet", "data-uid": `measure ${one.name}`, "aria-label": `Measure ${one.name}`, on: { click: () => measure(one) } }, "Measure…"),
      ),
    ),
  );
  return h(
    "table",
    { class: "cid-scope-series" },
    h("thead", {}, h("tr", {}, ...HEAD.map((word) => h("th", { scope: "col" }, word)))),
    h("tbody", {}, ...rows),
  );
}

type Told = Record<string, string | number>;

/** A number that was measured: it stays filled until it is recorded. */
export class Measuring {
  readonly el: HTMLFormElement;
  #metric = this.#input("text", { required: true, maxlength: 120, placeholder: "Lateral FWHM" });
  #place = this.#input("text", { maxlength: 120, placeholder: "63x, 488 nm" });
  #value = this.#input("number", { required: true, step: "any" });
  #unit = this.#input("text", { maxlength: 32, placeholder: "nm", class: "cid-scope-short" });
  #low = this.#input("number", { step: "any" });
  #high = this.#input("number", { step: "any" });
  #every = this.#input("number", { min: 0, max: 3660, step: 1 });
  #at = this.#input("date", {});
  #note = this.#input("text", { maxlength: 1000 });

  /** `record` is given what is said. */
  constructor(record: (told: Told) => void, close: () => void) {
    const fields: [string, HTMLInputElement][] = [
      ["Metric", this.#metric],
      ["Place", this.#place],
      ["Value", this.#value],
      ["Unit", this.#unit],
      ["At least", this.#low],
      ["At most", this.#high],
      ["Again in days", this.#every],
      ["On", this.#at],
      ["Note", this.#note],
    ];
    this.el = h(
      "form",
      { class: "cid-scope-form", "aria-label": "A measurement", hidden: true },
      ...fields.map(([label, input]) => h("div", { class: "cid-scope-field" }, h("label", { for: input.id }, label), input)),
      h("div", { class: "cid-scope-ways" }, h("button", { type: "submit", class: "cid-primary" }, "Record"), h("button", { type: "button", on: { click: close } }, "Cancel")),
    );
    this.el.addEventListener("submit", (event) => {
      event.preventDefault();
      record(this.#told());
    });
  }

  /** Fill what is known of a series, and go to its value. */
  begin(one?: Series): void {
    const known = { metric: one?.metric, place: one?.place, unit: one?.unit, low: one?.low, high: one?.high, every: one?.every };
    const fields = { metric: this.#metric, place: this.#place, unit: this.#unit, low: this.#low, high: this.#high, every: this.#every };
    for (const [name, field] of Object.entries(fields)) field.value = String(known[name as keyof typeof known] ?? "");
    for (const field of [this.#value, this.#note, this.#at]) field.value = "";
    this.el.hidden = false;
    (one ? this.#value : this.#metric).focus();
  }

  #told(): Told {
    const told: Told = { metric: this.#metric.value.trim(), value: this.#value.valueAsNumber };
    const texts = { place: this.#place, unit: this.#unit, at: this.#at, note: this.#note };
    for (const [name, field] of Object.entries(texts)) if (field.value.trim()) told[name] = field.value.trim();
    const numbers = { low: this.#low, high: this.#high, every: this.#every };
    for (const [name, field] of Object.entries(numbers)) if (field.value) told[name] = field.valueAsNumber;
    return told;
  }

  #input(type: string, more: Record<string, unknown>): HTMLInputElement {
    return h("input", { type, id: nextId(), ...more });
  }
}
