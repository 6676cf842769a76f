/** The microscope that is open: what it is, was, how it is controlled, what it took, what it asks. */

import { copyButton, h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import { AboutForm } from "./about";
import { Measuring, seriesTable } from "./controls";
import { difference, tables, tierOf, timeLine } from "./made";
import type { InstrumentsState, Line } from "./shapes";
import { state } from "./state";

/** `then` is told when the kernel has done it. */
export type Ask = (question: string, rest?: Record<string, unknown>, then?: () => void) => void;

/** Draw `inside` anew; the focus stays on what has the same `data-uid`. */
export function anew(el: HTMLElement, inside: (Node | string | null | false)[]): void {
  const focused = document.activeElement as HTMLElement | null;
  const uid = focused && el.contains(focused) ? focused.dataset.uid : undefined;
  el.replaceChildren(...inside.filter((one): one is Node | string => !!one));
  if (uid) el.querySelector<HTMLElement>(`[data-uid="${CSS.escape(uid)}"]`)?.focus({ preventScroll: true });
}

export class Opened {
  readonly el: HTMLElement;
  #head = h("div", { class: "cid-scope-title" });
  #made = h("div");
  #tier = h("div");
  #series = h("div");
  #took = h("div");
  #change: HTMLButtonElement;
  #retire: HTMLButtonElement;
  #measure: HTMLButtonElement;
  #about: AboutForm;
  #measuring: Measuring;

  constructor(
    private readonly kernel: Kernel<InstrumentsState>,
    private readonly ask: Ask,
  ) {
    this.#about = new AboutForm("What it is called", "Save", (told) => ask("change", told, () => this.#close(this.#about.el, this.#change)), () => this.#close(this.#about.el, this.#change));
    this.#measuring = new Measuring((told) => ask("measure", { told }, () => this.#close(this.#measuring.el, this.#measure)), () => this.#close(this.#measuring.el, this.#measure));
    const button = (word: string, then: () => void) => h("button", { type: "button", on: { click: then } }, word);
    this.#change = button("Change…", () => this.#about.begin(this.#now()));
    this.#retire = button("Retire", () => ask("retire", { retired: !this.#now()?.retired }));
    this.#measure = button("New measurement…", () => this.#measuring.begin());
    this.el = h(
      "div",
      { class: "cid-scope-open" },
      h("div", { class: "cid-scope-head" }, this.#head, this.#change, this.#retire),
      this.#about.el,
      part("What it is made of", this.#made),
      part("How completely it is described", this.#tier),
      part("Quality control", this.#series, this.#measuring.el, this.#measure),
      part("What it took, and what uploads must say", this.#took),
    );
    kernel.show(["opened", "scopes", "staff"], () => this.#called());
    kernel.show(["opened", "versions", "made"], () => this.#isMadeOf());
    kernel.show(["opened", "series", "staff"], () => this.#controlled());
    kernel.show(["opened", "query", "masks"], () => this.#tookWhat());
  }

  /** Another one was opened: what was typed for the last one goes. */
  closeForms(): void {
    this.#about.el.hidden = this.#measuring.el.hidden = true;
  }

  #now(): Line | undefined {
    return this.kernel.get("scopes").find(({ uid }) => uid === this.kernel.get("opened"));
  }

  #close(form: HTMLElement, back: HTMLElement): void {
    if (form.contains(document.activeElement)) back.focus({ preventScroll: true });
    form.hidden = true;
  }

  #called(): void {
    const scope = this.#now();
    const staff = this.kernel.get("staff");
    this.#change.hidden = this.#retire.hidden = this.#measure.hidden = !staff;
    this.#retire.textContent = scope?.retired ? "Use it again" : "Retire";
    if (!scope) return;
    const about = [scope.model, scope.room && `room ${scope.room}`, scope.serial && `serial number ${scope.serial}`, scope.names.length && `files call it ${scope.names.join(", ")}`];
    anew(this.#head, [
      h("h3", {}, scope.name),
      scope.control ? state(scope.control) : null,
      scope.retired && h("span", { class: "cid-scope-state" }, "retired"),
      h("span", { class: "cid-hint" }, about.filter(Boolean).join(" · ")),
      scope.why && h("span", { class: "cid-scope-why" }, scope.why),
    ]);
  }

  #isMadeOf(): void {
    const [versions, made] = [this.kernel.get("versions"), this.kernel.get("made")];
    const ways = { look: (at: string) => this.ask("look", { at }), compare: (version: string) => this.ask("compare", { version }) };
    if (!made) {
      anew(this.#made, [h("p", { class: "cid-hint" }, "Nobody said yet what it is made of.")]);
      anew(this.#tier, [tierOf(null)]);
      return;
    }
    const on = h("input", { type: "date", "data-uid": "on", "aria-label": "As it was on" });
    on.addEventListener("change", () => on.value && ways.look(on.value));
    const shown = versions.find(({ uid }) => uid === made.uid)!;
    const words = h("p", {}, `As of ${shown.since}${made.microscope ? `: ${made.microscope}` : ""}`);
    anew(this.#made, [
      h("div", { class: "cid-scope-when" }, timeLine(versions, made, ways), versions.length > 1 && h("label", {}, "As it was on ", on)),
      words,
      difference(versions, made, ways),
      h("div", { class: "cid-scope-tables" }, ...tables(made.parts)),
    ]);
    anew(this.#tier, [tierOf(made.tier)]);
  }

  #controlled(): void {
    const series = this.kernel.get("series");
    const measure = this.kernel.get("staff") ? (one: (typeof series)[number]) => this.#measuring.begin(one) : null;
    anew(this.#series, [series.length ? seriesTable(series, measure) : h("p", { class: "cid-hint" }, "Nothing was measured of it yet.")]);
  }

  #tookWhat(): void {
    const [query, masks] = [this.kernel.get("query"), this.kernel.get("masks")];
    const open = (name: string) => h("button", { type: "button", class: "cid-link", "data-uid": `mask ${name}`, on: { click: () => this.ask("show_mask", { name }) } }, name);
    const named = masks.flatMap((name, n) => [n ? ", " : "", open(name)]);
    anew(this.#took, [
      h(
        "p",
        {},
        h("button", { type: "button", "data-uid": "images", on: { click: () => this.ask("show_images") } }, "Show its images"),
        " or search for ",
        h("code", {}, query),
        " ",
        copyButton(query, "the search"),
      ),
      h("p", {}, masks.length ? "Mask: " : h("span", { class: "cid-hint" }, "No mask is made for it: uploads from it are asked what all are asked."), ...named),
    ]);
  }
}

function part(name: string, ...children: HTMLElement[]): HTMLElement {
  return h("section", { "aria-label": name }, h("h4", {}, name), ...children);
}
