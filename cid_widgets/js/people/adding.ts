/** The line below the members where a manager adds somebody. */

import { h } from "../lib/dom";
import { roleSelect } from "./roles";
import { endOf, today } from "./until";

let forms = 0;

export function adding(put: (person: string, role: string, endsAt: string) => void): HTMLFormElement {
  forms += 1;
  const id = `cid-adding-${forms}`;
  const name = h("input", { type: "text", id, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-wrong` });
  const role = roleSelect("viewer", "Role of the new member");
  const until = h("input", { type: "date", min: today(), "aria-label": "Role ends on" });
  const wrong = h("span", { class: "cid-field-error", id: `${id}-wrong`, role: "alert" });
  const form = h(
    "form",
    { class: "cid-adding", novalidate: true },
    h("label", { for: id }, "Add", h("span", { class: "cid-hint" }, "name as the login page shows it")),
    name,
    role,
    h("span", { class: "cid-hint" }, "until"),
    until,
    h("button", { type: "submit", class: "cid-primary" }, "Add"),
    wrong,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const past = until.value !== "" && until.value < today();
    wrong.textContent = !name.value.trim() ? "Say who." : past ? "Choose a day to come." : "";
    if (wrong.textContent) return (past ? until : name).focus();
    put(name.value.trim(), role.value, endOf(until.value));
    name.value = until.value = "";
    name.focus();
  });
  return form;
}
