/** The facility's microscopes: a list that says how each stands, and one of them whole. */

import "./styles/instruments.css";
import { AboutForm } from "./instruments/about";
import { Bringing, chooser } from "./instruments/bring";
import { fits, item } from "./instruments/list";
import { Opened, anew } from "./instruments/opened";
import { STATES, type InstrumentsState, type Line } from "./instruments/shapes";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { said } from "./lib/said";
import { plural } from "./lib/words";

function summary(all: Line[]): string {
  const used = all.filter(({ retired }) => !retired);
  const parts = [plural(used.length, "microscope")];
  for (const control of ["out", "overdue"]) {
    const count = used.filter((one) => one.control === control).length;
    if (count) parts.push(`${count} ${STATES[control]}`);
  }
  return used.length ? `${parts.join(", ")}.` : "";
}

/** Its images or its mask, in their own view below. */
function beside(kernel: Kernel<InstrumentsState>, close: () => void): HTMLElement {
  const inside = h("div", {});
  const closing = h("button", { type: "button", on: { click: close } }, "Close");
  const el = h("section", { class: "cid-scope-beside", "aria-label": "Its images or its mask" }, h("div", { class: "cid-scope-ways" }, closing), inside);
  kernel.show(["beside"], () => {
    const reference = kernel.get("beside");
    el.hidden = !reference;
    inside.replaceChildren();
    if (!reference) return;
    const now = () => kernel.get("beside") === reference;
    kernel.view(reference).then(
      (shown) => now() && (inside.replaceChildren(shown), el.scrollIntoView({ block: "nearest" })),
      () => now() && inside.replaceChildren("This page shows no other view here: search for it there."),
    );
  });
  return el;
}

/** Draw the microscopes in `el`; the returned function takes them away. */
function render({ model, el }: { model: Model<InstrumentsState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const told = said(kernel, () => summary(kernel.get("scopes")) + (kernel.get("staff") ? "" : " Facility staff keeps this register."));
  const refused = h("p", { class: "cid-bad", role: "alert" });
  let done: (() => void) | undefined;
  const ask = (question: string, rest: Record<string, unknown> = {}, then?: () => void) => {
    done = then;
    refused.textContent = "";
    told.ask(question, rest);
  };
  kernel.told("answered", () => {
    if (!kernel.get("error")) done?.();
    done = undefined;
  });

  const filter = h("input", { type: "search", placeholder: "Filter", "aria-label": "Filter the microscopes" });
  const list = h("ul", { class: "cid-scope-list", "aria-label": "Microscopes" });
  const none = h("p", { class: "cid-empty" });
  const add = h("button", { type: "button", on: { click: () => registering.begin() } }, "Register…");
  const closed = () => {
    registering.el.hidden = true;
    add.focus({ preventScroll: true });
  };
  const registering = new AboutForm("A new microscope", "Register", (about) => ask("register", about, closed), closed);
  const view = root("scopes");
  const ways = {
    read: (file: string, text: string) => ask("read", { file, text }),
    aim: (uid: string) => ask("aim", { uid }),
    confirm: (how: Record<string, unknown>) => ask("confirm", how),
    drop: () => ask("drop"),
    refuse: (why: string) => (refused.textContent = why),
  };
  const bringing = new Bringing(ways);
  const staff = h("div", { class: "cid-scope-staff" }, chooser(view, ways, () => kernel.get("staff")), add);
  const opened = new Opened(kernel, ask);
  const side = h("div", { class: "cid-scope-side" }, filter, list, staff);
  const main = h("div", { class: "cid-scope-main" }, told.el, refused, registering.el, bringing.el, none, opened.el);
  view.append(h("div", { class: "cid-scope-body" }, side, main), beside(kernel, () => ask("put_away")));

  filter.addEventListener("input", () => kernel.set({ find: filter.value }));
  kernel.show(["scopes", "opened", "find", "staff", "error"], () => {
    const [scopes, uid, words] = [kernel.get("scopes"), kernel.get("opened"), kernel.get("find").trim()];
    if (filter.value.trim() !== words) filter.value = words;
    const fitting = scopes.filter((scope) => !words || fits(scope, words));
    const shown = [...fitting].sort((a, b) => Number(a.retired) - Number(b.retired));
    anew(list, shown.map((scope) => item(scope, scope.uid === uid, () => ask("choose", { uid: scope.uid }))));
    if (!kernel.get("done") && !kernel.get("error")) told.calm();
    filter.hidden = scopes.length < 2;
    staff.hidden = !kernel.get("staff");
    opened.el.hidden = !scopes.some((scope) => scope.uid === uid);
    none.hidden = !opened.el.hidden;
    if (!scopes.length) none.textContent = kernel.get("error") ? "" : `No microscope is registered yet.${kernel.get("staff") ? " Read its Microscope.JSON, or register it by name." : ""}`;
    else none.textContent = shown.length ? "Choose a microscope." : "No microscope has these words.";
  });
  let last = kernel.get("opened");
  kernel.show(["opened"], () => {
    if (last !== kernel.get("opened")) opened.closeForms();
    last = kernel.get("opened");
  });
  kernel.show(["preview", "scopes"], () => bringing.show(kernel.get("preview"), kernel.get("scopes")));
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
