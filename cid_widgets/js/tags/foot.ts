/** What would happen, the button that does it, what was done, and the way back. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import { number, plural } from "../lib/words";
import { any } from "./changes";
import type { TaggingState } from "./shapes";

const PATIENCE_MS = 3000;
const WAITING = "Waiting for the kernel (is a cell running?)";

/** Give a text to the reader as a file. */
function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/schema+json" }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export class Foot {
  readonly el: HTMLElement;
  #apply = h("button", { type: "button", class: "cid-primary", title: "Ctrl+Enter" });
  #reset = h("button", { type: "button" }, "Reset");
  #would = h("span", { class: "cid-would", role: "status" });
  #done = h("span", { class: "cid-said", role: "status" });
  #undo = h("button", { type: "button", class: "cid-link" }, "Undo");
  #schema = h("button", { type: "button", class: "cid-quiet cid-schema", title: "This project's card for other programs" }, "Card as JSON Schema");
  #looking = false;
  #busy = "";
  #wanted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly kernel: Kernel<TaggingState>,
    apply: () => void,
    reset: () => void,
    close: (() => void) | undefined,
  ) {
    const closing = h("button", { type: "button" }, "Close");
    closing.addEventListener("click", () => close?.());
    this.el = h(
      "div",
      { class: "cid-card-foot" },
      h("div", { class: "cid-actions" }, this.#apply, this.#reset, close && closing, this.#would, this.#done, this.#undo, this.#schema),
    );
    this.#apply.addEventListener("click", apply);
    this.#reset.addEventListener("click", reset);
    this.#undo.addEventListener("click", () => this.#start("Taking it back…", "undo_tags"));
    this.#schema.addEventListener("click", () => {
      this.#wanted = true;
      kernel.ask("card");
    });
    kernel.told("card", ({ name, card }) => {
      if (this.#wanted) save(name, JSON.stringify(card, null, 2));
      this.#wanted = false;
    });
    kernel.told("tagged", () => {
      clearTimeout(this.#timer);
      this.#busy = "";
      this.#show();
    });
    kernel.show(["tag_preview"], () => {
      this.#looking = false;
      this.#show();
    });
    kernel.show(["tag_changes", "tag_done", "tag_target", "tags_error"], () => this.#show());
    kernel.finally(() => clearTimeout(this.#timer));
  }

  /** The changes are others now; what they would do is not known yet. */
  waiting(): void {
    this.#looking = any(this.kernel.get("tag_changes"));
    this.#patience();
    this.#show();
  }

  apply(): void {
    if (!this.#apply.disabled || this.#looking) this.#start("Applying…", "apply_tags");
  }

  #start(busy: string, question: string): void {
    if (this.#busy) return;
    this.#busy = busy;
    this.#patience();
    this.#show();
    this.kernel.ask(question);
  }

  #patience(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#busy || this.#looking) this.#would.textContent = WAITING;
    }, PATIENCE_MS);
  }

  #show(): void {
    const changed = any(this.kernel.get("tag_changes"));
    const target = this.kernel.get("tag_target");
    const done = this.kernel.get("tag_done");
    const preview = this.kernel.get("tag_preview");
    const count = target?.count ?? 0;
    const what = target?.what ?? "image";
    this.#apply.textContent = this.#busy === "Applying…" ? this.#busy : `Apply to ${plural(count, what)}`;
    this.#apply.disabled = !!this.#busy || !changed || (!this.#looking && !preview?.good);
    this.#reset.disabled = !!this.#busy || !changed;
    this.#would.textContent = this.#words(changed, what);
    this.#done.textContent = changed || this.#busy ? "" : (done?.text ?? "");
    this.#done.dataset.mood = done?.undo ? "good" : "";
    this.#undo.hidden = !done?.undo || changed || !!this.#busy;
    this.#undo.disabled = !!this.#busy;
  }

  #words(changed: boolean, what: string): string {
    if (this.#busy) return this.#busy === "Applying…" ? "" : this.#busy;
    if (!changed) return this.kernel.get("tag_done") ? "" : "Only what you touch is changed.";
    if (this.#looking) return "Looking what would change…";
    const preview = this.kernel.get("tag_preview");
    if (!preview?.good) return "Correct what is marked, then apply.";
    const rest = preview.records - preview.changed;
    const had = rest ? `, ${number(rest)} ${rest === 1 ? "has" : "have"} it already` : "";
    return preview.changed ? `${plural(preview.changed, what)} will change${had}` : `All ${what}s have it already.`;
  }
}
