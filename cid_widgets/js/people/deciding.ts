/** One request opened before staff: what was asked, what is known, what may be changed, yes or no. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { Said } from "../lib/said";
import { sureButton } from "../lib/sure";
import { bytes, plural } from "../lib/words";
import { labelled, nextId } from "./labelled";
import { termLines } from "./lines";
import { wrongName } from "./name";
import type { Asked, RequestsState } from "./shapes";
import { asText, SizeField } from "./size";

/** "12.4 TB of 20.0 TB used in 3 projects; with this one 22.0 TB" */
function teamWords(kernel: Kernel<RequestsState>, team: string): string {
  const known = kernel.get("teams").find(({ name }) => name === team);
  if (!known) return `Team ${team} is new: it is made with the project.`;
  const led = known.leaders.length ? `led by ${known.leaders.join(", ")}` : "nobody leads it";
  const room = kernel.get("rooms")[team];
  if (!room) return `Team ${team}: ${led}; looking how full it is…`;
  return `Team ${team}: ${bytes(room.used)} of ${bytes(room.limit)} used in ${plural(room.count, "project")}, ${led}.`;
}

export class Deciding {
  readonly el: HTMLElement;
  #ids = { name: nextId(), team: nextId(), room: nextId(), leaders: nextId(), reason: nextId() };
  #name: HTMLInputElement;
  #team: HTMLInputElement;
  #leaders = h("input", { id: this.#ids.leaders, type: "text", placeholder: "more, with commas", spellcheck: "false" });
  #reason = h("textarea", { id: this.#ids.reason, rows: 2, maxlength: 4000 });
  #room: SizeField;
  #terms;
  #fields;
  #facts = h("ul", { class: "cid-facts", "aria-live": "polite" });
  #refusing = h("div", { class: "cid-refusing" });
  #asked: string;

  constructor(
    private readonly kernel: Kernel<RequestsState>,
    private readonly request: Asked,
    private readonly line: Said,
  ) {
    const changed = () => this.look();
    this.#name = h("input", { id: this.#ids.name, type: "text", value: request.name, spellcheck: "false", maxlength: 64 });
    this.#team = h("input", { id: this.#ids.team, type: "text", value: request.team, spellcheck: "false", maxlength: 64 });
    this.#room = new SizeField(this.#ids.room, changed);
    this.#room.text = this.#asked = asText(request.limit);
    this.#terms = termLines(changed);
    this.#terms.value = request.terms;
    this.#fields = {
      name: labelled("Name", this.#ids.name, this.#name),
      team: labelled("Team", this.#ids.team, this.#team),
      room: labelled("Room", this.#ids.room, this.#room.el),
      leaders: labelled("Leaders of the team", this.#ids.leaders, this.#leaders),
      terms: labelled("Terms", nextId(), this.#terms.el, "What the facility has already is not made again.", true),
    };
    for (const one of [this.#name, this.#team]) one.addEventListener("input", changed);
    this.#team.addEventListener("change", () => this.#askRoom());
    this.el = h(
      "div",
      { class: "cid-deciding" },
      request.purpose && h("p", { class: "cid-outcome" }, request.purpose),
      this.#people(),
      h("div", { class: "cid-fields" }, ...Object.values(this.#fields).map(({ el }) => el)),
      this.#facts,
      this.#buttons(),
      this.#refusing,
    );
    this.look();
  }

  /** Say again what is known of the name and the team. */
  look(): void {
    const name = this.#name.value.trim();
    const team = this.#team.value.trim();
    const taken = this.kernel.get("taken").includes(name);
    this.#fields.name.complain(wrongName(name) || (taken ? "This name is taken." : ""));
    this.#fields.team.complain(wrongName(team));
    const facts = [taken ? `A project is called ${name} already.` : `The name ${name} is free.`, teamWords(this.kernel, team)];
    const shown = [...this.#facts.children].map((one) => one.textContent);
    if (facts.join() !== shown.join()) this.#facts.replaceChildren(...facts.map((one) => h("li", {}, one)));
  }

  #askRoom(): void {
    const team = this.#team.value.trim();
    if (!(team in this.kernel.get("rooms"))) this.kernel.ask("room", { team });
  }

  #people(): HTMLElement {
    const { person, members } = this.request;
    const others = members.map((one) => `${one.person} (${one.role})`);
    return h("p", { class: "cid-note" }, `Members: ${[`${person} (manager)`, ...others].join(", ")}`);
  }

  #buttons(): HTMLElement {
    const question = () => {
      this.look();
      const wrong = [this.#name, this.#team].find((one) => one.getAttribute("aria-invalid") === "true");
      wrong?.focus();
      const room = this.#room.check();
      this.#fields.room.complain(room);
      return wrong || room ? "" : `Make ${this.#name.value.trim()} with ${this.#room.text}?`;
    };
    const approve = sureButton("Approve…", question, () => this.#approve(), { class: "cid-primary" });
    const refuse = h("button", { type: "button", "aria-expanded": "false" }, "Refuse…");
    refuse.addEventListener("click", () => {
      const open = this.#refusing.childElementCount === 0;
      refuse.setAttribute("aria-expanded", String(open));
      this.#refusing.replaceChildren(...(open ? this.#reasoning() : []));
      if (open) this.#reason.focus();
    });
    return h("div", { class: "cid-actions" }, approve, refuse);
  }

  #reasoning(): HTMLElement[] {
    const field = labelled("Reason", this.#ids.reason, this.#reason, `${this.request.person} will read it.`, true);
    const send = h("button", { type: "button" }, "Refuse with this reason");
    send.addEventListener("click", () => {
      const reason = this.#reason.value.trim();
      field.complain(reason ? "" : "Say why.");
      if (!reason) return this.#reason.focus();
      this.line.ask("refuse", { uid: this.request.uid, reason });
    });
    return [field.el, send];
  }

  /** Only what staff has changed is sent: the rest is as it was asked. */
  #approve(): void {
    const { uid, name, team, terms } = this.request;
    const differs = <T>(now: T, before: T) => (JSON.stringify(now) === JSON.stringify(before) ? null : now);
    this.line.ask("approve", {
      uid,
      name: differs(this.#name.value.trim(), name),
      team: differs(this.#team.value.trim(), team),
      limit: differs(this.#room.text, this.#asked),
      terms: differs(this.#terms.value, terms),
      leaders: this.#leaders.value.split(",").map((one) => one.trim()).filter(Boolean),
    });
  }
}
