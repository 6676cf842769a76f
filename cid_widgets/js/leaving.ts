/** Somebody leaves: what they have, what only they reach, and who takes over. */

import { said, type Said } from "./lib/said";
import "./styles/leaving.css";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { belongings } from "./people/belongings";
import { labelled, nextId } from "./people/labelled";
import type { LeavingState } from "./people/shapes";
import { ended } from "./people/until";

const IDLE = "Data stays with its project and keeps who made it. What is handed over is the way to it.";

function whoLeaves(kernel: Kernel<LeavingState>): HTMLElement {
  const id = nextId();
  const name = h("input", { id, type: "text", autocomplete: "off", spellcheck: "false" });
  const form = h("form", { class: "cid-adding" }, h("label", { for: id }, "Who leaves?"), name, h("button", { type: "submit" }, "Show what they have"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const person = name.value.trim();
    if (person && person === kernel.get("person")) kernel.ask("refresh");
    else if (person) kernel.set({ person });
  });
  kernel.show(["person"], () => (name.value = kernel.get("person")));
  return form;
}

function takingOver(kernel: Kernel<LeavingState>, line: Said): HTMLElement {
  const ids = [nextId(), nextId()] as const;
  const to = h("input", { id: ids[0], type: "text", autocomplete: "off", spellcheck: "false" });
  const end = h("input", { id: ids[1], type: "checkbox", checked: true });
  const field = labelled("Who takes over?", ids[0], to, "They get what only the leaver reads, manages or leads, and what runs by itself.");
  const words = h("label", { for: ids[1] });
  const form = h(
    "form",
    { class: "cid-taking", novalidate: true },
    field.el,
    h("span", { class: "cid-tick" }, end, words),
    h("div", { class: "cid-actions" }, h("button", { type: "submit", class: "cid-primary" }, "Hand over"), h("span", { class: "cid-hint" }, "One step, which can be undone.")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = to.value.trim();
    const same = name === kernel.get("person");
    field.complain(!name ? "Say who." : same ? "Another person than the one who leaves." : "");
    if (!name || same) return to.focus();
    line.ask("hand_over", { to: name, end: end.checked });
  });
  kernel.show(["found"], () => {
    const found = kernel.get("found");
    form.hidden = found === null;
    const places = found ? [...found.projects, ...found.teams] : [];
    const count = places.filter(({ ends_at }) => !ended(ends_at)).length;
    words.textContent = `End all memberships of ${found?.person ?? ""} (${count})`;
  });
  return form;
}

/** Draw it in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<LeavingState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const line = said(kernel, () => IDLE);
  const title = h("h3");
  const shown = h("div");
  kernel.show(["person"], () => {
    title.textContent = kernel.get("person") ? `${kernel.get("person")} leaves` : "Somebody leaves";
  });
  kernel.show(["found", "error"], () => {
    const found = kernel.get("found");
    const waiting = kernel.get("person") && !kernel.get("error") ? "Looking…" : "";
    shown.replaceChildren(found ? belongings(found) : h("p", { class: "cid-note" }, waiting));
  });
  const again = h("button", { type: "button", on: { click: () => line.ask("refresh") } }, "Refresh");
  const view = root(
    "people",
    h("div", { class: "cid-people-top" }, h("div", { class: "cid-people-head" }, title), again),
    whoLeaves(kernel),
    line.el,
    shown,
    takingOver(kernel, line),
  );
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
