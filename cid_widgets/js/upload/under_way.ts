/** An upload under way: sent from here, or from a page that may be gone; then imported. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import { sureButton } from "../lib/sure";
import { plural } from "../lib/words";
import { dropPlace } from "./drop";
import type { Gathered } from "./gather";
import { Progress } from "./progress";
import type { Sending } from "./sending";
import type { Sent, UploadState } from "./shapes";

const NOTHING: Sent = { sent: 0, nbytes: 0, done: 0, files: 0, rate: 0, left: null };
const AGAIN = "Another page sends this, or was closed. Drop the same files here to go on from here.";

export class UnderWay {
  readonly el: HTMLElement;
  #title = h("h4");
  #said = h("p", { class: "cid-up-said" });
  #progress = new Progress();
  #pause = h("button", { type: "button" }, "Pause");
  #again = h("button", { type: "button", class: "cid-primary" }, "Try again");
  #place;
  #last = "";

  constructor(
    private readonly kernel: Kernel<UploadState>,
    over: HTMLElement,
    private readonly mine: () => Sending | null,
    then: (found: Gathered) => void,
    cancel: () => void,
  ) {
    this.#place = dropPlace(over, AGAIN, then, true);
    this.#pause.addEventListener("click", () => {
      const sending = mine();
      if (sending?.state === "sending") sending.pause();
      else sending?.resume();
    });
    this.#again.addEventListener("click", () => {
      if (mine()?.state === "ended") kernel.ask("finish", { sender: kernel.get("deposit")?.sender });
      else mine()?.resume();
    });
    this.el = h(
      "section",
      { class: "cid-up-under-way", "aria-label": "Under way" },
      this.#title,
      this.#progress.el,
      this.#said,
      this.#place.el,
      h("div", { class: "cid-actions" }, this.#pause, this.#again, sureButton("Cancel…", () => "Really cancel?", cancel)),
    );
  }

  /** What was dropped is something else. */
  strange(): void {
    this.#place.say("These are not the files of this upload. Drop the same files here to go on from here.");
  }

  show(): void {
    const deposit = this.kernel.get("deposit");
    if (!deposit) return;
    const place = [deposit.project, deposit.dataset].filter(Boolean).join(" / ");
    const importing = this.kernel.get("state") === "importing";
    const sending = this.mine();
    this.#title.textContent = `${!importing ? "Uploading" : deposit.check ? "Checking" : "Importing"} ${plural(deposit.files, "file")} to ${place}`;
    if (importing) this.#progress.importing(this.kernel.get("progress"));
    else if (sending) this.#progress.sending(sending.sent, sending.items);
    else this.#progress.sending({ ...NOTHING, nbytes: deposit.nbytes, files: deposit.files, ...this.kernel.get("progress") });
    const state = importing ? "importing" : (sending?.state ?? "elsewhere");
    const error = this.kernel.get("error");
    this.#place.el.hidden = state !== "elsewhere" && state !== "stuck";
    if (state !== this.#last) this.#place.say(state === "stuck" ? "Drop what is missing again, if it changed." : AGAIN);
    this.#last = state;
    this.#pause.hidden = state !== "sending" && state !== "paused";
    this.#pause.textContent = state === "paused" ? "Go on" : "Pause";
    this.#again.hidden = state !== "stuck" && !(state === "ended" && error !== "");
    const wrong = sending?.wrong ?? "";
    const words: Record<string, string> = {
      sending: sending?.trouble || "Keep this page open until the bytes are there.",
      paused: "Paused. What is there stays for a day.",
      cancelled: error || "It is given up…",
      ended: error || `All bytes are there. The ${deposit.check ? "check" : "import"} begins…`,
      importing: error || (deposit.check ? "Nothing is in the catalog yet. You may close this page: show the widget again to see the verdicts." : "You may close this page: the import goes on."),
      stuck: wrong,
    };
    this.#said.textContent = words[state] ?? "";
    const bad = state === "stuck" || ((state === "ended" || state === "importing") && error !== "");
    this.#said.className = `cid-up-said ${bad ? "cid-bad" : sending?.trouble ? "cid-warn" : "cid-hint"}`;
    this.#said.setAttribute("role", bad ? "alert" : "status");
  }
}
