/** What a microscope is called and where it stands: a form for a new one, and for one that is there. */

import { h } from "../lib/dom";
import { nextId } from "../people/labelled";
import type { Line } from "./shapes";

export interface About {
  [field: string]: unknown;
  name: string;
  serial: string;
  room: string;
  names: string[];
}

export class AboutForm {
  readonly el: HTMLFormElement;
  #name = h("input", { type: "text", id: nextId(), required: true, maxlength: 120 });
  #serial = h("input", { type: "text", id: nextId(), maxlength: 120 });
  #room = h("input", { type: "text", id: nextId(), maxlength: 120 });
  #names = h("input", { type: "text", id: nextId(), placeholder: "LSM 880; PC-12" });

  constructor(title: string, word: string, save: (told: About) => void, close: () => void) {
    const fields: [string, HTMLInputElement][] = [
      ["Name", this.#name],
      ["Serial number", this.#serial],
      ["Room", this.#room],
      ["What files call it", this.#names],
    ];
    this.el = h(
      "form",
      { class: "cid-scope-form", "aria-label": title, hidden: true },
      ...fields.map(([label, input]) => h("div", { class: "cid-scope-field" }, h("label", { for: input.id }, label), input)),
      h("div", { class: "cid-scope-ways" }, h("button", { type: "submit", class: "cid-primary" }, word), h("button", { type: "button", on: { click: close } }, "Cancel")),
    );
    this.el.addEventListener("submit", (event) => {
      event.preventDefault();
      const names = this.#names.value.split(";").map((one) => one.trim()).filter(Boolean);
      save({ name: this.#name.value.trim(), serial: this.#serial.value.trim(), room: this.#room.value.trim(), names });
    });
  }

  begin(scope?: Line): void {
    this.#name.value = scope?.name ?? "";
    this.#serial.value = scope?.serial ?? "";
    this.#room.value = scope?.room ?? "";
    this.#names.value = scope?.names.join("; ") ?? "";
    this.el.hidden = false;
    this.#name.focus();
  }
}
