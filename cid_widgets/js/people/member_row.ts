/** One member as one row: role, end, and the way out. What changed is told by the kernel. */

import { h } from "../lib/dom";
import { sureButton } from "../lib/sure";
import { ROLES, roleSelect } from "./roles";
import type { Member } from "./shapes";
import { asDay, ended, ending, endOf, onDay, today } from "./until";

const TYPING_MS = 700;

export interface Actions {
  put(person: string, role: string, endsAt: string): void;
  remove(person: string): void;
}

function given(member: Member): string {
  return member.by ? `given by ${member.by}, ${onDay(member.at)}` : "";
}

export class MemberRow {
  readonly el = h("tr");
  #who = h("th", { scope: "row" });
  #role = h("td");
  #until = h("td");
  #way = h("td", { class: "cid-way" });
  #member: Member;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    member: Member,
    private readonly mine: boolean,
    private readonly manages: boolean,
    private readonly actions: Actions,
  ) {
    this.#member = member;
    this.el.append(this.#who, this.#role, this.#until, this.#way);
    if (manages) this.#makeControls();
    this.show(member);
  }

  #select!: HTMLSelectElement;
  #day!: HTMLInputElement;
  #words = h("span", { class: "cid-hint" });
  #keep = h("span", { class: "cid-sure" });

  #makeControls(): void {
    const { person } = this.#member;
    this.#select = roleSelect(this.#member.role, `Role of ${person}`);
    this.#select.addEventListener("change", () => this.#choose());
    this.#day = h("input", { type: "date", min: today(), "aria-label": `Role of ${person} ends on` });
    this.#day.addEventListener("input", () => this.#typed());
    this.#day.addEventListener("change", () => this.#typed());
    const remove = () => this.actions.remove(person);
    const way = this.mine
      ? sureButton("Leave", () => "Really leave?", remove)
      : h("button", { type: "button", on: { click: remove } }, "Remove");
    way.setAttribute("aria-label", this.mine ? "Leave this project" : `Remove ${person}`);
    this.#role.append(this.#select, this.#keep);
    this.#until.append(this.#day, this.#words);
    this.#way.append(way);
  }

  show(member: Member): void {
    this.#member = member;
    clearTimeout(this.#timer);
    this.el.classList.toggle("cid-over", ended(member.ends_at));
    this.#who.replaceChildren(
      h("span", { class: "cid-who" }, member.person, this.mine && h("span", { class: "cid-you" }, "you")),
      h("span", { class: "cid-hint" }, given(member)),
    );
    const words = ending(member.ends_at);
    if (!this.manages) {
      this.#role.replaceChildren(h("span", { title: ROLES.find(([name]) => name === member.role)?.[1] }, member.role));
      this.#until.replaceChildren(h("span", { title: onDay(member.ends_at) }, words));
      return;
    }
    this.#keep.replaceChildren();
    this.#select.value = member.role;
    this.#day.value = asDay(member.ends_at);
    this.#say(words, "");
  }

  /** Something was refused: show what is. */
  again(): void {
    this.show(this.#member);
  }

  #say(words: string, mood: string): void {
    this.#words.textContent = words;
    this.#words.dataset.mood = mood;
    this.#day.setAttribute("aria-invalid", String(mood === "bad"));
  }

  /** Giving up one's own right to manage is asked once more: one cannot take it back oneself. */
  #choose(): void {
    const role = this.#select.value;
    const { person, ends_at } = this.#member;
    const put = () => this.actions.put(person, role, ends_at);
    if (!this.mine || role === "manager") return put();
    const yes = h("button", { type: "button" }, `Be ${role}`);
    const no = h("button", { type: "button" }, "Stay manager");
    yes.addEventListener("click", put);
    no.addEventListener("click", () => {
      this.again();
      this.#select.focus();
    });
    this.#keep.replaceChildren("You will not manage this project any more.", yes, no);
    yes.focus();
  }

  /** Years are typed digit by digit, so a day is taken when typing has stopped. */
  #typed(): void {
    clearTimeout(this.#timer);
    const { value, validity } = this.#day;
    if (validity.badInput || value === asDay(this.#member.ends_at)) return;
    if (value && value < today()) return this.#say("Choose a day to come, or remove them now.", "bad");
    this.#say(value ? ending(endOf(value)) : "no end", "");
    const { person, role } = this.#member;
    this.#timer = setTimeout(() => this.actions.put(person, role, endOf(value)), TYPING_MS);
  }
}
