/** A bar that says how far something is. */

import { h } from "../lib/dom";

export class Bar {
  readonly el: HTMLElement;
  #fill = h("span");

  constructor(label: string) {
    this.el = h("span", { class: "cid-progress cid-up-bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": label }, this.#fill);
  }

  set(fraction: number): void {
    const part = Math.round(1000 * Math.min(1, Math.max(0, fraction))) / 10;
    this.#fill.style.width = `${part}%`;
    this.el.setAttribute("aria-valuenow", String(Math.floor(part)));
  }
}
