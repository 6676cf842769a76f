/** A description is brought: chosen or dropped, looked at, and saved from a day on. */

import { h } from "../lib/dom";
import { nextId } from "../people/labelled";
import { changes, tables, tierOf } from "./made";
import type { Line, Preview } from "./shapes";

const LARGEST = 2_000_000; // bytes: the service takes no more

export interface Ways {
  read(file: string, text: string): void;
  aim(uid: string): void;
  confirm(told: { valid_from: string; why: string; name: string }): void;
  drop(): void;
  refuse(why: string): void;
}

/** A button that chooses a file, and `over`, where it may be dropped while `may()`. */
export function chooser(over: HTMLElement, ways: Ways, may: () => boolean): HTMLElement {
  const input = h("input", { type: "file", hidden: true, accept: ".json,.xml,application/json,text/xml", "aria-label": "A description of a microscope" });
  const take = async (file: File | undefined) => {
    if (!file) return;
    if (file.size > LARGEST) ways.refuse(`${file.name}: at most 2 MB; a description of one microscope is smaller`);
    else ways.read(file.name, await file.text());
  };
  input.addEventListener("change", async () => {
    await take(input.files?.[0]);
    input.value = "";
  });
  let depth = 0;
  const lit = (more: number) => {
    depth = Math.max(0, depth + more);
    over.classList.toggle("cid-scope-over", depth > 0);
  };
  const files = (event: DragEvent) => may() && !!event.dataTransfer?.types.includes("Files");
  over.addEventListener("dragenter", (event) => files(event) && lit(1));
  over.addEventListener("dragleave", (event) => files(event) && lit(-1));
  over.addEventListener("dragover", (event) => files(event) && event.preventDefault());
  over.addEventListener("drop", async (event) => {
    if (!files(event)) return;
    event.preventDefault();
    depth = 0;
    lit(0);
    await take(event.dataTransfer!.files[0]);
  });
  const button = h("button", { type: "button", title: "Or drop the file here", on: { click: () => input.click() } }, "Read a Microscope.JSON…");
  return h("span", {}, button, input);
}

/** What was read, and the way to save it. What one types stays while it is drawn anew. */
export class Bringing {
  readonly el = h("section", { class: "cid-scope-bring", "aria-label": "What was read", hidden: true });
  #head = h("h4", {});
  #target = h("select", { id: nextId() });
  #name = h("input", { type: "text", id: nextId(), maxlength: 120 });
  #since = h("input", { type: "date", id: nextId() });
  #why = h("input", { type: "text", id: nextId(), maxlength: 1000, placeholder: "as installed" });
  #save = h("button", { type: "submit", class: "cid-primary" });
  #nameField = field("Called", this.#name);
  #says = h("div", { class: "cid-scope-says" });
  #file = "";

  constructor(private readonly ways: Ways) {
    const form = h(
      "form",
      { class: "cid-scope-form", "aria-label": "Save what was read" },
      field("It is", this.#target),
      this.#nameField,
      field("From when", this.#since),
      field("Why", this.#why),
      h("div", { class: "cid-scope-ways" }, this.#save, h("button", { type: "button", on: { click: () => ways.drop() } }, "Cancel")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ways.confirm({ valid_from: this.#since.value, why: this.#why.value.trim(), name: this.#name.value.trim() });
    });
    this.#target.addEventListener("change", () => this.ways.aim(this.#target.value));
    this.el.append(this.#head, form, this.#says);
  }

  show(preview: Preview | null, scopes: Line[]): void {
    const before = this.el.hidden;
    this.el.hidden = !preview;
    if (!preview) return;
    const { file, name, target, first } = preview;
    if (before || this.#file !== file) {
      this.#file = file;
      this.#name.value = name;
      this.#why.value = "";
      this.#since.valueAsDate = new Date();
      this.#since.focus();
    }
    this.#head.textContent = [file, name].filter(Boolean).join(": ") || "What was read";
    this.#target.replaceChildren(
      h("option", { value: "" }, "a new microscope"),
      ...scopes.map((one) => h("option", { value: one.uid }, `a new version of ${one.name}`)),
    );
    this.#target.value = target;
    this.#nameField.hidden = target !== "";
    this.#name.required = target === "";
    this.#save.textContent = target ? "Save this version" : "Register";
    const same = !first && !preview.changes.length;
    this.#says.replaceChildren(
      ...(first ? tables(preview.parts) : [changes(preview.changes) ?? h("p", { class: "cid-hint" }, same ? "It says the same as the newest version." : "")]),
      tierOf(preview.tier),
    );
  }
}

function field(label: string, control: HTMLElement): HTMLElement {
  return h("div", { class: "cid-scope-field" }, h("label", { for: control.id }, label), control);
}
