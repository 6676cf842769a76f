/** The trash of a project: what lies in it, how long still, and the two ways out. */

import { said } from "./lib/said";
import "./styles/trash.css";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { Thumbnails } from "./lib/thumbnails";
import { bytes } from "./lib/words";
import type { TrashState } from "./trash/shapes";
import { thrownLine, type Ways } from "./trash/line";

const EMPTY = "The trash is empty. What is thrown away lies here for 30 days before it is removed.";

/** "3 GB lie here and count still: 212 of 500 GB" */
function counted(kernel: Kernel<TrashState>): string {
  const sum = kernel.get("thrown").reduce((all, { nbytes }) => all + nbytes, 0);
  const held = kernel.get("allocation");
  if (!sum) return "";
  const room = held ? ` (${bytes(held.used)} of ${bytes(held.limit)})` : "";
  return `${bytes(sum)} lie here, and count in the project's allocation${room} until they are removed.`;
}

/** What the catalog told the role allows: restoring needs a contributor, removing a manager; or staff. */
function waysOf(role: string, ask: (question: string, rest: Record<string, unknown>) => void): Ways {
  const ways: Ways = {};
  if (["contributor", "manager", ""].includes(role)) ways.restore = (uid) => ask("restore", { uid });
  if (["manager", ""].includes(role)) ways.purge = (uid) => ask("purge", { uid });
  return ways;
}

/** Draw a trash in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<TrashState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const thumbnails = new Thumbnails(kernel);
  const line = said(kernel, () => counted(kernel));
  const title = h("h3", {});
  const list = h("ul", { class: "cid-bin-list", "aria-label": "Thrown away", tabindex: "-1" });
  const empty = h("p", { class: "cid-empty" });
  let drawn = "";
  const draw = () => {
    const thrown = kernel.get("thrown");
    title.textContent = `Trash of ${kernel.get("title") || kernel.get("project")}`;
    const held = list.contains(document.activeElement);
    drawn = `${kernel.get("role")} ${thrown.map(({ uid }) => uid).join(" ")}`;
    const ways = waysOf(kernel.get("role"), line.ask);
    list.replaceChildren(...thrown.map((one) => thrownLine(one, thumbnails, ways)));
    if (held) (list.querySelector("button") ?? list).focus({ preventScroll: true });
    list.hidden = thrown.length === 0;
    empty.hidden = thrown.length > 0;
    empty.textContent = kernel.get("error") ? "" : EMPTY;
  };
  kernel.show(["thrown", "role", "title", "project"], () => {
    const now = `${kernel.get("role")} ${kernel.get("thrown").map(({ uid }) => uid).join(" ")}`;
    if (now !== drawn || !list.hasChildNodes()) draw();
    if (!kernel.get("done") && !kernel.get("error")) line.calm();
  });
  kernel.show(["error"], () => kernel.get("error") && draw());
  const again = h("button", { type: "button", on: { click: () => line.ask("refresh") } }, "Refresh");
  const view = root("bin", h("div", { class: "cid-history-top" }, title, again), line.el, list, empty);
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
