/** How much room: a number and its unit, as text that the catalog reads ("2 TB"). */

import { h } from "../lib/dom";

const UNITS = ["GB", "TB"];
const SHAPE = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*$/;

/** 1500000000000 as "1.5 TB", exactly. */
export function asText(bytes: number): string {
  return bytes >= 1e12 ? `${bytes / 1e12} TB` : `${bytes / 1e9} GB`;
}

export class SizeField {
  readonly el: HTMLElement;
  #number: HTMLInputElement;
  #unit = h("select", { "aria-label": "Unit of the room" });

  constructor(id: string, changed: () => void) {
    this.#number = h("input", { id, type: "number", min: 0, step: "any", inputmode: "decimal" });
    this.#offer("");
    for (const one of [this.#number, this.#unit]) one.addEventListener("input", changed);
    this.el = h("span", { class: "cid-control cid-size" }, this.#number, this.#unit);
  }

  /** What is wrong with it, or "". */
  check(): string {
    const wrong = this.#number.value === "" || !(this.#number.valueAsNumber > 0);
    this.#number.setAttribute("aria-invalid", String(wrong));
    return wrong ? "Say how much room, such as 500 GB." : "";
  }

  get text(): string {
    return `${this.#number.value} ${this.#unit.value}`;
  }

  set text(text: string) {
    const [, number = "", unit = "GB"] = SHAPE.exec(text) ?? [];
    this.#offer(unit);
    this.#number.value = number;
    this.#unit.value = unit;
  }

  focus(): void {
    this.#number.focus();
  }

  /** Units that Python wrote are kept. */
  #offer(unit: string): void {
    const offered = !unit || UNITS.includes(unit) ? UNITS : [...UNITS, unit];
    this.#unit.replaceChildren(...offered.map((one) => h("option", { value: one }, one)));
  }
}
