/** Whether notices come by mail: not, each, or those of a day in one. */

import { h } from "../lib/dom";
import type { Mail } from "./shapes";

const WAYS: [string, string][] = [
  ["none", "not by mail"],
  ["each", "each by mail"],
  ["daily", "once a day by mail"],
];
let made = 0;

export function mailForm(mail: Mail, wish: (mail: string, address: string) => void): HTMLElement {
  const id = `cid-mail-${(made += 1)}`;
  const way = h("select", { id }, ...WAYS.map(([value, label]) => h("option", { value, selected: value === mail.mail }, label)));
  const address = h("input", { type: "email", "aria-label": "Address", placeholder: mail.domains?.length ? `…@${mail.domains[0]}` : "address", value: mail.address ?? "" });
  const keep = h("button", { type: "submit" }, "Keep");
  const fit = () => {
    address.hidden = way.value === "none";
    address.required = way.value !== "none";
  };
  way.addEventListener("change", fit);
  fit();
  const form = h(
    "form",
    { class: "cid-notice-mail", novalidate: true },
    h("label", { for: id }, "Notices come"),
    way,
    address,
    keep,
    !mail.sent && h("span", { class: "cid-hint" }, "This facility sends no mail yet."),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.checkValidity()) wish(way.value, way.value === "none" ? "" : address.value.trim());
    else form.reportValidity();
  });
  return form;
}
