/** Who did what and when, by day, newest first; each change can be taken back where it may be. */

import { again } from "./lib/once";
import { said } from "./lib/said";
import "./styles/history.css";
import { day } from "./history/day";
import { filters } from "./history/filters";
import type { HistoryState, Step } from "./history/shapes";
import { refusal, stepLine } from "./history/step";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { Thumbnails } from "./lib/thumbnails";

/** The list by days; it grows as one scrolls. */
class Days {
  readonly el = h("div", { class: "cid-days", role: "region", "aria-label": "Changes, newest first", tabindex: "0" });
  #steps: Step[] = [];
  #found = -1;
  #asked = -1;
  #empty = h("p", { class: "cid-empty" });
  #older = h("button", { type: "button", class: "cid-older" }, "Show older");
  readonly #sight: IntersectionObserver;

  constructor(
    private readonly kernel: Kernel<HistoryState>,
    private readonly thumbnails: Thumbnails,
    private readonly undo: (entry: number) => void,
  ) {
    this.#older.addEventListener("click", () => this.#more());
    this.#sight = new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && this.#more(), {
      root: this.el,
      rootMargin: "300px",
    });
    kernel.finally(() => this.#sight.disconnect());
    kernel.show(["found", "entries"], () => this.#show());
    kernel.show(["refused"], () => this.#refuse());
    kernel.told("entries", (answer) => {
      if (answer.found !== this.#found) return;
      this.#asked = -1;
      this.#append(answer.entries, answer.more);
    });
  }

  #show(): void {
    const { kernel } = this;
    if (kernel.get("found") === this.#found) return;
    const held = this.el.contains(document.activeElement);
    const top = this.#found < 0 ? 0 : this.el.scrollTop;
    this.#found = kernel.get("found");
    this.#asked = -1;
    this.#steps = [];
    this.el.replaceChildren(this.#empty, this.#older);
    this.#append(kernel.get("entries"), kernel.get("more"));
    this.el.scrollTop = top;
    if (held) this.el.focus({ preventScroll: true });
  }

  #append(steps: Step[], more: boolean): void {
    const only = Boolean(this.kernel.get("project") || this.kernel.get("about"));
    for (const step of steps) {
      this.#dayOf(step).append(stepLine(step, this.thumbnails, only, () => this.undo(step.entry)));
      this.#steps.push(step);
    }
    this.#older.hidden = !more;
    this.#older.disabled = false;
    this.#empty.hidden = this.#steps.length > 0;
    this.#empty.textContent = this.#why(more);
    this.#sight.unobserve(this.#older); // it tells of changes only, and this may have been in sight
    this.#sight.observe(this.#older);
  }

  /** The list of the day of a step, made when it is the first. */
  #dayOf(step: Step): HTMLElement {
    const name = day(step.at);
    const last = [...this.el.querySelectorAll<HTMLElement>(".cid-day")].at(-1);
    if (last?.dataset.day === name) return last.querySelector("ul")!;
    const list = h("ul", {});
    const made = h("section", { class: "cid-day", "data-day": name, "aria-label": name }, h("h4", {}, name), list);
    this.#empty.before(made);
    return list;
  }

  #why(more: boolean): string {
    const { kernel } = this;
    if (kernel.get("error")) return "";
    if (kernel.get("person") || kernel.get("kind")) {
      return more ? "Nothing like that lately. Look further back:" : "Nothing like that was done here.";
    }
    return "Nothing was done here yet.";
  }

  #more(): void {
    if (this.#older.hidden || this.#asked === this.#steps.length) return;
    this.#asked = this.#steps.length;
    this.#older.disabled = true;
    this.kernel.ask("more", { found: this.#found });
  }

  #line(entry: number): HTMLElement | null {
    return this.el.querySelector<HTMLElement>(`[data-entry="${entry}"]`);
  }

  /** Below the change that could not be taken back, why. */
  #refuse(): void {
    this.el.querySelectorAll(".cid-step-refused").forEach((one) => one.remove());
    const refused = this.kernel.get("refused");
    if (!refused) return;
    const why = refusal(refused, (entry) => this.#line(entry) !== null, (entry) => this.#go(entry));
    const line = this.#line(refused.entry);
    if (!line) return this.el.prepend(why); // asked for in Python, and not shown
    line.append(why);
    const button = line.querySelector<HTMLButtonElement>(".cid-undo");
    again(button);
    button?.focus({ preventScroll: true });
  }

  #go(entry: number): void {
    const line = this.#line(entry);
    line?.scrollIntoView({ block: "center" });
    line?.querySelector<HTMLButtonElement>("button")?.focus({ preventScroll: true });
  }
}

function title(kernel: Kernel<HistoryState>): HTMLElement {
  const el = h("h3", {});
  kernel.show(["project", "about", "name"], () => {
    const of = kernel.get("name") || kernel.get("about") || kernel.get("project");
    el.textContent = of ? `History of ${of}` : "History of my projects";
  });
  return el;
}

/** Draw a history in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<HistoryState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const line = said(kernel, () => "What you may take back has an Undo, for 30 days.");
  const days = new Days(kernel, new Thumbnails(kernel), (entry) => line.ask("take_back", { entry }));
  kernel.show(["refused"], () => line.calm());
  const refresh = h("button", { type: "button", on: { click: () => line.ask("refresh") } }, "Refresh");
  const view = root("history", h("div", { class: "cid-history-top" }, title(kernel), filters(kernel), refresh), line.el, days.el);
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
