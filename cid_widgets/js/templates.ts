/** What can be run: templates, the versions of one, what changed between two, and withdrawing one. */

import "./styles/templates.css";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { said } from "./lib/said";
import { plural, when } from "./lib/words";
import { differenceView } from "./templates/difference";
import type { Template, TemplatesState } from "./templates/shapes";
import { versionsView } from "./templates/versions";

const EMPTY = "Nothing can be run yet. Staff publishes templates for all, contributors for their projects.";

/** Draw the list in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<TemplatesState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const line = said(kernel, () => plural(kernel.get("templates").length, "template"));
  const list = h("ul", { class: "cid-templates-list", "aria-label": "Templates" });
  const empty = h("p", { class: "cid-empty" }, EMPTY);
  const versions = h("div", {});
  const difference = h("div", { "aria-live": "polite" });
  const panel = h("div", { class: "cid-template-panel" }, versions, difference);

  const row = (of: Template): HTMLElement => {
    const on = of.reference === kernel.get("opened");
    const name = h("button", { type: "button", class: "cid-link cid-template-name", "aria-expanded": String(on), "data-at": of.reference }, of.title || of.reference);
    name.addEventListener("click", () => kernel.set({ opened: kernel.get("opened") === of.reference ? "" : of.reference }));
    return h(
      "li",
      { class: "cid-template-line" },
      h("div", { class: "cid-template-head" }, name, h("code", {}, `${of.reference}@${of.version}`), of.project !== "" && h("span", { class: "cid-hint" }, `of ${of.project}`)),
      h("p", {}, of.summary),
      h("p", { class: "cid-hint" }, `by ${of.published_by}, ${when(of.created_at)}`),
      on && panel,
    );
  };
  kernel.show(["templates", "opened"], () => {
    const at = list.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.at : undefined;
    const all = kernel.get("templates");
    list.replaceChildren(...all.map(row));
    if (at) [...list.querySelectorAll<HTMLElement>("[data-at]")].find((one) => one.dataset.at === at)?.focus({ preventScroll: true });
    list.hidden = all.length === 0;
    empty.hidden = all.length > 0;
    line.calm();
  });
  kernel.show(["versions", "may_withdraw"], () => {
    const held = versions.contains(document.activeElement);
    versions.replaceChildren(versionsView(kernel.get("versions"), kernel.get("may_withdraw"), line.ask));
    if (held) list.querySelector<HTMLElement>('[aria-expanded="true"]')?.focus({ preventScroll: true });
  });
  kernel.show(["difference"], () => {
    const found = kernel.get("difference");
    difference.replaceChildren(found ? differenceView(found) : "");
    const sides = { before: found?.version, after: found?.to };
    for (const side of versions.querySelectorAll<HTMLSelectElement>("[data-side]")) {
      side.value = sides[side.dataset.side as keyof typeof sides] ?? side.value;
    }
  });
  const again = h("button", { type: "button", on: { click: () => line.ask("refresh") } }, "Refresh");
  const view = root("templates", h("div", { class: "cid-templates-top" }, h("h3", {}, "Templates"), again), line.el, list, empty);
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
