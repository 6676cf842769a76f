/** A form drawn from a template's parameters, that starts runs and then shows them. */

import { debounce, h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { FormState, Template } from "../lib/shapes";
import type { Thumbnails } from "../lib/thumbnails";
import { number, plural } from "../lib/words";
import { takes } from "./estimate";
import { extras, type Beside } from "./extras";
import { field, type Field } from "./field";
import { monitor } from "./monitor";
import { fitting, panel, stopped } from "./preflight";
import { table } from "./table";

const PATIENCE_MS = 3000;
const PAUSE_MS = 400; // in typing, before it is looked at
const NAMED = 3;
const NONE = "No template is published yet. Publish one with “cid template publish”, or ask the facility's staff.";
let forms = 0;

export type Values = Record<string, unknown>;

/** "cell, ihc, nuclei 1 and 9 more" */
function names(inputs: { name: string }[], count: number): string {
  const shown = inputs.slice(0, NAMED).map(({ name }) => name);
  const rest = count - shown.length;
  return shown.join(", ") + (rest > 0 ? ` and ${number(rest)} more` : "");
}

class Form {
  readonly el: HTMLElement;
  #fields: Field[] = [];
  #drawn = "";
  #head = h("div", { class: "cid-form-head" });
  #body = h("div", { class: "cid-fields" });
  #extras = extras(null);
  #beside = h("div", {});
  #on = h("p", { class: "cid-inputs" });
  #found = h("section", { class: "cid-preflight", "aria-label": "Before it starts", "aria-live": "polite" });
  #said = h("p", { class: "cid-said", role: "status" });
  #button = h("button", { type: "submit", class: "cid-primary" });
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting = false;
  #fitting = false; // only the images that fit would run

  constructor(
    private readonly kernel: Kernel<FormState>,
    close: (() => void) | undefined,
  ) {
    const closing = h("button", { type: "button" }, "Close");
    closing.addEventListener("click", () => close?.());
    this.el = h(
      "form",
      { class: "cid-form", novalidate: true },
      this.#head,
      this.#body,
      this.#beside,
      this.#on,
      this.#found,
      h("div", { class: "cid-actions" }, this.#button, close && closing, this.#said),
    );
    this.el.addEventListener("submit", (event) => this.#submit(event as SubmitEvent));
    kernel.show(["template", "templates"], () => this.#draw());
    const look = debounce(PAUSE_MS, () => this.#look());
    this.#body.addEventListener("input", look);
    this.#body.addEventListener("change", look);
    this.#beside.addEventListener("input", look);
    kernel.show(["template", "inputs", "more_inputs"], look);
    kernel.show(["inputs", "more_inputs"], () => this.#count());
    kernel.show(["preflight"], () => this.#found_out());
    kernel.told("no_templates", () => kernel.get("template") || this.#head.replaceChildren(h("p", { class: "cid-empty" }, NONE)));
    kernel.told("started", ({ count }) => this.#answered(`Started ${plural(count, "run")}.`, "good"));
    kernel.told("refused", ({ message }) => this.#answered(message, "bad"));
    kernel.finally(() => clearTimeout(this.#timer));
  }

  #draw(): void {
    const template = this.kernel.get("template");
    this.#drawHead(template);
    const key = template ? `${template.name} ${template.version}` : "";
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.#extras = extras(template);
    this.#beside.replaceChildren(...(template ? [this.#extras.el] : []));
    forms += 1;
    this.#fields = Object.entries(template?.parameters ?? {}).map(([name, parameter], index) =>
      field(name, parameter, `cid-field-${forms}-${index}`),
    );
    this.#body.replaceChildren(...this.#fields.map(({ el }) => el));
    this.#said.textContent = "";
    this.#count();
  }

  #drawHead(template: Template | null): void {
    const templates = this.kernel.get("templates");
    if (!template) {
      this.#head.replaceChildren(h("p", { class: "cid-empty" }, "Looking for templates…"));
      return;
    }
    const title = (of: Template) => of.title || of.name;
    const picker = h("select", { "aria-label": "Template" });
    for (const one of templates) {
      picker.append(h("option", { value: one.name, selected: one.name === template.name }, title(one)));
    }
    picker.addEventListener("change", () => {
      const chosen = templates.find(({ name }) => name === picker.value);
      if (chosen) this.kernel.set({ template: chosen });
    });
    this.#head.replaceChildren(
      templates.length > 1 ? picker : h("h4", {}, title(template)),
      h("span", { class: "cid-version" }, `${template.name} ${template.version}`),
      h("p", {}, template.summary),
    );
  }

  #count(): void {
    const inputs = this.kernel.get("inputs");
    const count = inputs.length + this.kernel.get("more_inputs");
    this.#on.textContent = count ? `On ${names(inputs, count)}` : "Select the images to run on.";
    const found = this.kernel.get("preflight");
    const known = found && !found.error ? found : null;
    const some = known !== null && known.counts.red > 0 && fitting(known) > 0;
    const what = some ? `Run on the ${number(fitting(known))} that fit` : `Run on ${plural(count, "image")}`;
    this.#button.textContent = this.#waiting ? "Starting…" : what;
    this.#fitting = some;
    const none = known !== null && (fitting(known) === 0 || stopped(known) !== null);
    this.#button.disabled = this.#waiting || inputs.length === 0 || !this.#drawn || none;
  }

  /** Ask what would become of it; what is known is old until the answer comes. */
  #look(): void {
    if (!this.el.isConnected || !this.#drawn || !this.kernel.get("inputs").length) return;
    if (!this.#fields.every((one) => one.ready())) return;
    this.#found.dataset.old = "";
    this.kernel.ask("preflight", { parameters: this.#values(), ...this.#extras.values() });
  }

  #found_out(): void {
    const found = this.kernel.get("preflight");
    delete this.#found.dataset.old;
    this.#found.replaceChildren(...panel(found), ...takes(found));
    for (const one of this.#fields) one.offer(found?.channels ?? []);
    this.#count();
  }

  #values(): Values {
    return Object.fromEntries(this.#fields.map((one) => [one.name, one.value()]));
  }

  /** What is filled in; null where a field is wrong, which is told and gets the focus. */
  values(): Values | null {
    const wrong = this.#fields.filter((one) => one.check());
    if (wrong.length) {
      this.#say(`Please correct ${plural(wrong.length, "field")}.`, "bad");
      wrong[0]!.focus();
      return null;
    }
    return this.#values();
  }

  /** Further images and the turn, as they are filled in. */
  beside(): Beside {
    return this.#extras.values();
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    const parameters = this.values();
    if (!parameters) return;
    if (this.#extras.check()) return this.#say("Please say which images play the roles above.", "bad");
    this.#waiting = true;
    this.#count();
    this.#say("", "");
    this.#timer = setTimeout(() => this.#say("Waiting for the kernel (is a cell running?)", ""), PATIENCE_MS);
    this.kernel.ask("start", { parameters, fitting: this.#fitting, ...this.#extras.values() });
  }

  #answered(message: string, mood: string): void {
    clearTimeout(this.#timer);
    this.#waiting = false;
    this.#count();
    this.#say(message, mood);
  }

  #say(message: string, mood: string): void {
    this.#said.textContent = message;
    this.#said.dataset.mood = mood;
  }
}

/** A form and, below it, the runs that it has started; `more` may use what is filled in. */
export function form(
  kernel: Kernel<any>,
  thumbnails: Thumbnails,
  close?: () => void,
  more?: (values: () => Values | null, beside: () => Beside) => HTMLElement,
): HTMLElement {
  const runs = monitor(kernel, thumbnails, "");
  // whoever starts runs wants to see them go
  kernel.told("started", () => runs.scrollIntoView({ block: "nearest", behavior: "smooth" }));
  const made = new Form(kernel, close);
  const filled = [() => made.values(), () => made.beside()] as const;
  return h("div", {}, made.el, table(kernel, ...filled), more?.(...filled), runs);
}
