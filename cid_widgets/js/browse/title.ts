/** The name of the image in the details: a double click or F2 edits it, where the role may. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { BrowserState, Detail } from "../lib/shapes";
import { mayChange } from "./live";

export class Title {
  readonly el = h("div", { class: "cid-naming" });
  #said = h("p", { class: "cid-name-said", "aria-live": "polite" });
  #image: Detail | null = null;
  #before = "";

  constructor(private readonly kernel: Kernel<BrowserState>) {
    kernel.told("renamed", ({ uid, before }) => {
      if (uid !== this.#image?.uid) return;
      this.#before = before;
      this.#show();
    });
    kernel.told("unkept", ({ act, message }) => {
      if (act !== "rename") return;
      this.#said.replaceChildren(message);
      this.#said.dataset.mood = "bad";
    });
  }

  /** Show the name of this image. */
  name(image: Detail): HTMLElement {
    if (image.uid !== this.#image?.uid) this.#before = "";
    this.#image = image;
    this.#show();
    return this.el;
  }

  /** Edit the name here, if the visitor may. */
  edit(): void {
    const image = this.#image;
    if (!image || !mayChange(this.kernel, image.project)) return;
    const box = h("input", { class: "cid-rename", value: image.name, "aria-label": "Name", maxlength: "200", spellcheck: "false" });
    let done = false;
    const end = (save: boolean) => {
      if (done) return;
      done = true;
      const name = box.value.trim();
      if (save && name && name !== image.name) this.#rename(name);
      this.#show();
    };
    box.addEventListener("blur", () => end(true));
    box.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" || event.key === "Escape") {
        end(event.key === "Enter");
        this.el.closest<HTMLElement>(".cid-details")?.focus();
      }
    });
    this.el.replaceChildren(box, this.#said);
    box.select();
    box.focus();
  }

  #rename(name: string): void {
    if (!this.#image) return;
    this.#image = { ...this.#image, name };
    this.kernel.ask("rename", { uid: this.#image.uid, name });
  }

  #show(): void {
    const image = this.#image!;
    const may = mayChange(this.kernel, image.project);
    const title = h(
      "h3",
      { class: "cid-title", title: may ? "Double click or F2 to rename" : undefined },
      image.name,
      image.kind === "labels" && h("span", { class: "cid-badge" }, "labels"),
    );
    title.addEventListener("dblclick", () => this.edit());
    this.#said.replaceChildren();
    delete this.#said.dataset.mood;
    if (this.#before && this.#before !== image.name) {
      const undo = h("button", { type: "button", class: "cid-quiet" }, "Undo");
      const before = this.#before;
      undo.addEventListener("click", () => this.#rename(before));
      this.#said.append(`Renamed, was ${before}. `, undo);
    }
    this.el.replaceChildren(title, this.#said);
  }
}
