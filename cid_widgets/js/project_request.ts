/** Ask for a project, and see what became of what was asked. */

import { said } from "./lib/said";
import { sureButton } from "./lib/sure";
import "./styles/project_request.css";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { outcome, stateBadge, summary } from "./people/asked";
import { Asking } from "./people/asking";
import { rolesExplained } from "./people/roles";
import type { Asked, ProjectRequestState } from "./people/shapes";

function item(request: Asked, withdraw: (uid: string) => void): HTMLElement {
  const waits = request.state === "asked";
  const button = sureButton("Withdraw", () => "Really withdraw?", () => withdraw(request.uid), {
    "aria-label": `Withdraw the request for ${request.name}`,
  });
  return h(
    "li",
    { class: "cid-request", "data-uid": request.uid },
    h("div", { class: "cid-request-head" }, h("strong", {}, request.name), stateBadge(request.state), waits && button),
    h("span", { class: "cid-hint" }, summary(request, false)),
    outcome(request),
  );
}

/** Draw the form in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<ProjectRequestState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const line = said(kernel);
  const list = h("ul", { class: "cid-requests", "aria-label": "My requests" });
  const empty = h("p", { class: "cid-note" }, "You have asked for nothing yet.");
  kernel.show(["requests"], () => {
    const requests = kernel.get("requests");
    list.replaceChildren(...requests.map((one) => item(one, (uid) => line.ask("withdraw", { uid }))));
    empty.hidden = requests.length > 0;
  });
  const again = h("button", { type: "button", on: { click: () => line.ask("refresh") } }, "Refresh");
  const view = root(
    "people",
    h("div", { class: "cid-people-head" }, h("h3", {}, "Ask for a project"), h("span", { class: "cid-hint" }, "Facility staff answers.")),
    new Asking(kernel, line).el,
    h("details", { class: "cid-roles-box" }, h("summary", {}, "What the roles may do"), rolesExplained()),
    h("div", { class: "cid-people-top cid-apart" }, h("h4", {}, "My requests"), again),
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
