/** A look before anything is sent: what was dropped, where it goes, what it takes. Then Start. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import { bytes, number, plural } from "../lib/words";
import { Bar } from "./bar";
import type { Gathered } from "./gather";
import type { Unfinished, UploadState } from "./shapes";
import { LookTree } from "./tree";
import { effect, type Where } from "./where";

export interface Ways {
  start(check: boolean): void;
  goOn(known: Unfinished): void;
  changed(): void;
  clear(): void;
}

export class Look {
  readonly el: HTMLElement;
  gathered: Gathered | null = null;
  #title = h("h4", { tabindex: "-1" });
  #remarks = h("ul", { class: "cid-up-remarks" });
  #room = new Bar("Room in the project");
  #words = h("p", { class: "cid-hint" });
  #tree: LookTree;
  #known = h("p", { class: "cid-up-known", role: "status", hidden: true });
  #start = h("button", { type: "button", class: "cid-primary" }, "Start");
  #check = h("button", { type: "button", title: "Let the service read it and say what it would become; nothing is in the catalog before you say so" }, "Check first");
  #clear = h("button", { type: "button" }, "Clear");
  #said = h("span", { role: "status", class: "cid-hint" });

  constructor(
    private readonly kernel: Kernel<UploadState>,
    private readonly where: Where,
    private readonly ways: Ways,
  ) {
    this.#tree = new LookTree((path) => this.#leaveOut(path));
    for (const [button, check] of [[this.#start, false], [this.#check, true]] as const) {
      button.addEventListener("click", () => {
        if (button.getAttribute("aria-disabled") === "true") return;
        where.keep();
        ways.start(check);
      });
    }
    kernel.show(["kind"], () => (this.#check.hidden = kernel.get("kind") === "files"));
    this.#clear.addEventListener("click", () => ways.clear());
    this.el = h(
      "section",
      { class: "cid-up-look", "aria-label": "Before it starts" },
      this.#title,
      this.#known,
      this.#tree.el,
      h("p", { class: "cid-hint" }, "What belongs together is guessed from names. The service looks into the files and decides."),
      this.#remarks,
      where.el,
      h("div", { class: "cid-up-room" }, this.#room.el, this.#words),
      h("div", { class: "cid-actions" }, this.#start, this.#check, this.#clear, this.#said),
    );
    kernel.show(["projects", "project"], () => this.#effect());
  }

  show(gathered: Gathered): void {
    this.gathered = gathered;
    const { files, unreadable, passed } = gathered;
    this.#title.textContent = `${plural(files.size, "file")} · ${bytes(this.#nbytes())}`;
    this.#tree.show(files);
    const blank = [...files.values()].filter(({ size }) => size === 0).length;
    const lines = [
      unreadable.length > 0 && `${plural(unreadable.length, "file")} cannot be read on this computer and will be missing: ${unreadable.slice(0, 3).join(", ")}${unreadable.length > 3 ? "…" : ""}`,
      blank > 0 && `${plural(blank, "file")} ${blank === 1 ? "is" : "are"} empty: was the copy finished?`,
      passed > 0 && `${plural(passed, "hidden file")} stay${passed === 1 ? "s" : ""} where ${passed === 1 ? "it is" : "they are"}`,
    ];
    const warn = [true, true, false];
    this.#remarks.replaceChildren(
      ...lines.flatMap((line, at) => (line ? [h("li", { class: warn[at] ? "cid-warn" : "cid-hint" }, line)] : [])),
    );
    this.#known.hidden = true;
    this.offer(true);
    this.#effect();
  }

  /** These are the files of an upload that was broken off. */
  found(known: Unfinished | null): void {
    this.#known.hidden = known === null;
    if (!known) return;
    const place = [known.project, known.dataset].filter(Boolean).join(" / ");
    const button = h("button", { type: "button", class: "cid-primary" }, "Go on");
    button.addEventListener("click", () => this.ways.goOn(known));
    this.#known.replaceChildren(
      h("span", {}, `These go on with an upload to ${place} that was broken off: ${number(known.done)} of ${plural(known.files, "file")} are there.`),
      button,
    );
  }

  /** Go to the first field that something is wrong with. */
  toWrong(): void {
    this.where.wrong()?.focus();
  }

  focus(): void {
    this.#title.focus({ preventScroll: true });
  }

  /** Offer Start, or say what happens instead; what is on its way is not left out any more. */
  offer(free: boolean, words = ""): void {
    this.#tree.el.classList.toggle("cid-up-fixed", !free);
    for (const button of [this.#start, this.#check]) button.setAttribute("aria-disabled", String(!free || !this.gathered?.files.size));
    this.#clear.textContent = free ? "Clear" : "Cancel";
    this.#said.textContent = words;
  }

  #nbytes(): number {
    return [...(this.gathered?.files.values() ?? [])].reduce((sum, { size }) => sum + size, 0);
  }

  #effect(): void {
    const { text, bad, part } = effect(this.kernel, this.#nbytes());
    this.#room.set(part);
    this.#room.el.hidden = text === "";
    this.#words.textContent = text;
    this.#room.el.classList.toggle("cid-up-over", bad);
    this.#words.className = bad ? "cid-bad" : "cid-hint";
  }

  #leaveOut(path: string): void {
    const files = this.gathered!.files;
    for (const one of [...files.keys()]) if (one === path || one.startsWith(`${path}/`)) files.delete(one);
    if (files.size === 0) return this.ways.clear();
    this.show(this.gathered!);
    this.ways.changed();
    this.focus();
  }
}
