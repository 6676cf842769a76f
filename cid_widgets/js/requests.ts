/** The inbox of facility staff: requests for projects, opened one by one and answered. */

import { said } from "./lib/said";
import "./styles/requests.css";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { bytes, plural } from "./lib/words";
import { outcome, stateBadge, summary, termWords } from "./people/asked";
import { Deciding } from "./people/deciding";
import type { Asked, RequestsState } from "./people/shapes";

const STATES: [string, string][] = [
  ["asked", "Waiting"],
  ["approved", "Approved"],
  ["refused", "Refused"],
  ["withdrawn", "Withdrawn"],
  ["", "All"],
];

function filter(kernel: Kernel<RequestsState>): HTMLElement {
  const buttons = STATES.map(([state, label]) =>
    h("button", { type: "button", "data-state": state, on: { click: () => kernel.set({ state }) } }, label),
  );
  kernel.show(["state"], () => {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.state === kernel.get("state")));
    }
  });
  return h("span", { class: "cid-states", role: "group", "aria-label": "Which requests" }, ...buttons);
}

/** What an answered request says when it is opened. */
function past(request: Asked): HTMLElement {
  const members = request.members.map((one) => `${one.person} (${one.role})`).join(", ");
  return h(
    "div",
    { class: "cid-deciding" },
    request.purpose && h("p", { class: "cid-outcome" }, request.purpose),
    h("p", { class: "cid-note" }, `Asked for ${bytes(request.limit)}${members && `, with ${members}`}.`),
    request.terms.length > 0 && h("p", { class: "cid-note" }, `Terms: ${request.terms.map(termWords).join("; ")}`),
  );
}

const IDLE = "An approval makes the project with its team, room, vocabulary and members: all of it, or nothing.";

/** Draw the inbox in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<RequestsState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const line = said(kernel, () => IDLE);
  const list = h("ul", { class: "cid-requests", "aria-label": "Requests" });
  const empty = h("p", { class: "cid-empty" });
  const count = h("span", { class: "cid-hint", role: "status" });
  let deciding: Deciding | undefined;

  const card = (request: Asked): HTMLElement => {
    const opened = kernel.get("opened") === request.uid;
    const open = h(
      "button",
      { type: "button", class: "cid-link cid-open", "aria-expanded": String(opened) },
      request.title && request.title !== request.name ? `${request.name}: ${request.title}` : request.name,
    );
    open.addEventListener("click", () => kernel.set({ opened: opened ? "" : request.uid }));
    let body: HTMLElement | false = false;
    if (opened && request.state === "asked") {
      deciding = new Deciding(kernel, request, line);
      body = deciding.el;
    } else if (opened) body = past(request);
    return h(
      "li",
      { class: "cid-request", "data-uid": request.uid },
      h("div", { class: "cid-request-head" }, open, stateBadge(request.state)),
      h("span", { class: "cid-hint" }, summary(request, true)),
      outcome(request),
      body,
    );
  };
  const drawn = new Map<string, [string, HTMLElement]>();
  kernel.show(["requests", "opened"], () => {
    const requests = kernel.get("requests");
    const inside = list.contains(document.activeElement);
    const last = (document.activeElement?.closest("[data-uid]") as HTMLElement | null)?.dataset.uid;
    const cards = requests.map((request) => {
      // a card that is as it was stays, with what staff has typed into it
      const key = JSON.stringify([request, kernel.get("opened") === request.uid]);
      const before = drawn.get(request.uid);
      const made = before?.[0] === key ? before[1] : card(request);
      drawn.set(request.uid, [key, made]);
      return made;
    });
    list.replaceChildren(...cards);
    if (inside && !list.contains(document.activeElement)) {
      const back = cards.find((one) => one.dataset.uid === last) ?? cards[0];
      (back?.querySelector(".cid-open") as HTMLElement | null)?.focus();
    }
    const waiting = requests.filter(({ state }) => state === "asked").length;
    count.textContent = waiting ? `${plural(waiting, "request")} wait${waiting === 1 ? "s" : ""} for an answer` : "";
    empty.hidden = requests.length > 0;
    empty.textContent = kernel.get("state") === "asked" ? "Nobody waits for an answer." : "No such request.";
  });
  kernel.show(["teams", "taken", "rooms"], () => deciding?.look());
  const again = h("button", { type: "button", on: { click: () => line.ask("refresh") } }, "Refresh");
  const view = root(
    "people",
    h(
      "div",
      { class: "cid-people-top" },
      h("div", { class: "cid-people-head" }, h("h3", {}, "Requests for projects"), count),
      h("span", { class: "cid-request-head" }, filter(kernel), again),
    ),
    line.el,
    list,
    empty,
  );
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
