/** The form that asks for a project. What it says is the widget's `draft`, both ways. */

import { debounce, h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { Said } from "../lib/said";
import { labelled, nextId } from "./labelled";
import { memberLines, termLines } from "./lines";
import { wrongName } from "./name";
import type { Draft, ProjectRequestState } from "./shapes";
import { SizeField } from "./size";

const TYPING_MS = 300;
const NEW = ""; // the choice of a team that is not there yet

export class Asking {
  readonly el: HTMLFormElement;
  #ids = { name: nextId(), title: nextId(), team: nextId(), other: nextId(), room: nextId(), purpose: nextId() };
  #name = h("input", { id: this.#ids.name, type: "text", autocomplete: "off", spellcheck: "false", maxlength: 64 });
  #title = h("input", { id: this.#ids.title, type: "text", maxlength: 200 });
  #team = h("select", { id: this.#ids.team });
  #other = h("input", { id: this.#ids.other, type: "text", placeholder: "name of the team", "aria-label": "Name of the new team", spellcheck: "false", maxlength: 64 });
  #purpose = h("textarea", { id: this.#ids.purpose, rows: 3, maxlength: 4000 });
  #room: SizeField;
  #members;
  #terms;
  #fields;
  #send = h("button", { type: "submit", class: "cid-primary" }, "Ask for this project");
  #shown = "";

  constructor(
    private readonly kernel: Kernel<ProjectRequestState>,
    line: Said,
  ) {
    const keep = debounce(TYPING_MS, () => this.#keep());
    const changed = () => {
      this.#check(false);
      keep();
    };
    this.#room = new SizeField(this.#ids.room, changed);
    this.#members = memberLines(changed);
    this.#terms = termLines(changed);
    const teams = h("span", { class: "cid-control" }, this.#team, this.#other);
    this.#fields = {
      name: labelled("Name", this.#ids.name, this.#name, "In addresses: it stays as it is."),
      title: labelled("Title", this.#ids.title, this.#title, "For people: one line."),
      team: labelled("Team", this.#ids.team, teams, "It is invoiced."),
      room: labelled("Room", this.#ids.room, this.#room.el, "For originals and images."),
      members: labelled("Members", nextId(), this.#members.el, "You will manage it. Who else, in which role?", true),
      terms: labelled("Terms", nextId(), this.#terms.el, "What you will tag with, beside the facility's own terms.", true),
      purpose: labelled("Purpose", this.#ids.purpose, this.#purpose, "What staff should know.", true),
    };
    for (const one of [this.#name, this.#title, this.#team, this.#other, this.#purpose]) {
      one.addEventListener("input", changed);
    }
    this.el = h(
      "form",
      { novalidate: true, "aria-label": "Ask for a project" },
      h("div", { class: "cid-fields" }, ...Object.values(this.#fields).map(({ el }) => el)),
      h("div", { class: "cid-actions" }, this.#send, line.el),
    );
    this.el.addEventListener("submit", (event) => {
      event.preventDefault();
      const wrong = this.#check(true);
      if (wrong) return wrong.focus();
      this.#keep();
      this.#send.disabled = true;
      line.ask("send");
    });
    for (const answer of ["sent", "refused"]) kernel.told(answer, () => (this.#send.disabled = false));
    kernel.show(["teams"], () => this.#offer());
    kernel.show(["draft"], () => this.#show());
  }

  #value(): Draft {
    return {
      name: this.#name.value.trim(),
      title: this.#title.value,
      team: this.#team.value === NEW ? this.#other.value.trim() : this.#team.value,
      limit: this.#room.text,
      members: this.#members.value,
      terms: this.#terms.value,
      purpose: this.#purpose.value,
    };
  }

  #keep(): void {
    const draft = this.#value();
    this.#shown = JSON.stringify(draft);
    this.kernel.set({ draft });
  }

  #offer(): void {
    const chosen = this.#value().team;
    const teams = this.kernel.get("teams").map(({ name, title }) =>
      h("option", { value: name }, title && title !== name ? `${name} (${title})` : name),
    );
    this.#team.replaceChildren(...teams, h("option", { value: NEW }, "another team…"));
    this.#choose(chosen);
  }

  #choose(team: string): void {
    const known = this.kernel.get("teams").some(({ name }) => name === team);
    this.#team.value = known ? team : NEW;
    if (!known) this.#other.value = team;
    this.#other.hidden = known;
  }

  /** Write what Python said; what this form said itself is there already. */
  #show(): void {
    const draft = this.kernel.get("draft");
    if (JSON.stringify(draft) === this.#shown) return;
    this.#shown = JSON.stringify(draft);
    this.#name.value = draft.name ?? "";
    this.#title.value = draft.title ?? "";
    this.#choose(draft.team ?? "");
    this.#room.text = draft.limit ?? "";
    this.#members.value = draft.members ?? [];
    this.#terms.value = draft.terms ?? [];
    this.#purpose.value = draft.purpose ?? "";
    for (const field of Object.values(this.#fields)) field.complain("");
  }

  /** Show what is wrong, and return the first of it; empty fields only when all is sent. */
  #check(sending: boolean): { focus(): void } | null {
    this.#other.hidden = this.#team.value !== NEW;
    const { name, team } = this.#value();
    const mine = this.kernel.get("projects").includes(name) ? "There is a project of this name." : "";
    const named = sending || name ? wrongName(name) || mine : "";
    const teamed = sending || (team && !this.#other.hidden) ? wrongName(team) : "";
    const room = sending ? this.#room.check() : "";
    this.#fields.name.complain(named);
    this.#fields.team.complain(teamed);
    this.#fields.room.complain(room);
    if (named) return this.#name;
    if (teamed) return this.#other;
    return room ? this.#room : null;
  }
}
