/** What runs by itself in a project: templates, what they are run on, how far, and what they spent. */

import { said } from "./lib/said";
import "./styles/subscriptions.css";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { plural } from "./lib/words";
import { changeForm, type Changed } from "./subscriptions/change";
import { subscriptionLine } from "./subscriptions/line";
import type { Subscription, SubscriptionsState } from "./subscriptions/shapes";

const EMPTY =
  "Nothing runs by itself here. Subscribe a template to a saved search, and each image that newly matches is run once.";

function summary(all: Subscription[]): string {
  if (!all.length) return "";
  const waiting = all.reduce((sum, one) => sum + one.waiting, 0);
  const paused = all.filter(({ state }) => state === "paused").length;
  const parts = [`${plural(all.length, "template")} on new matches`];
  if (paused) parts.push(`${paused} paused`);
  if (waiting) parts.push(`${plural(waiting, "image")} waiting`);
  return parts.join(", ");
}

/** Let a list have these children; what stays is not moved, and keeps the focus and what is typed. */
function arrange(list: HTMLElement, wanted: HTMLElement[]): void {
  for (const old of [...list.children]) if (!wanted.includes(old as HTMLElement)) old.remove();
  wanted.forEach((one, n) => {
    if (list.children[n] !== one) list.insertBefore(one, list.children[n] ?? null);
  });
}

/** Draw the list in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<SubscriptionsState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const line = said(kernel, () => summary(kernel.get("subscriptions")));
  const title = h("h3", {});
  const list = h("ul", { class: "cid-subs-list", "aria-label": "What runs by itself", tabindex: "-1" });
  const empty = h("p", { class: "cid-empty" });
  const drawn = new Map<string, [string, HTMLElement]>();
  const open = (opened: string) => kernel.set({ opened });
  let form: HTMLElement | null = null;
  const draw = (anew = false) => {
    const all = kernel.get("subscriptions");
    title.textContent = `Runs by itself in ${kernel.get("title") || kernel.get("project")}`;
    const focused = document.activeElement as HTMLElement | null;
    const last = focused?.closest<HTMLElement>("[data-uid]")?.dataset.uid;
    const inside = list.contains(focused);
    if (anew) drawn.clear();
    const lines = all.map((one) => {
      const key = JSON.stringify(one); // one that is as it was stays, with the focus in it
      const before = drawn.get(one.uid);
      const made = before?.[0] === key ? before[1] : subscriptionLine(one, line.ask, open);
      drawn.set(one.uid, [key, made]);
      return made;
    });
    const opened = lines.find((one) => one.dataset.uid === kernel.get("opened"));
    arrange(list, lines.flatMap((one) => (one === opened && form ? [one, form] : [one])));
    if (inside && !list.contains(document.activeElement)) {
      const back = lines.find((one) => one.dataset.uid === last);
      const way = focused?.dataset.way;
      const again = back?.querySelector<HTMLElement>(way ? `[data-way=${way}]` : "button");
      (again ?? list).focus({ preventScroll: true });
    }
    list.hidden = all.length === 0;
    empty.hidden = all.length > 0;
    empty.textContent = kernel.get("error") ? "" : EMPTY;
    if (!kernel.get("done") && !kernel.get("error")) line.calm();
  };
  kernel.show(["subscriptions", "title", "project"], () => draw());
  kernel.show(["fields"], () => {
    const fields = kernel.get("fields");
    const left = form?.contains(document.activeElement) ? form.previousElementSibling : null;
    form = null;
    if (fields) {
      const save = (changed: Changed) => line.ask("change", { uid: fields.uid, ...changed });
      form = h("li", {}, changeForm(fields, save, () => open("")));
    }
    draw();
    if (fields) form?.querySelector("input")?.focus();
    else left?.querySelector<HTMLElement>("[data-way=change]")?.focus();
  });
  kernel.show(["error"], () => draw(!!kernel.get("error")));
  const again = h("button", { type: "button", on: { click: () => line.ask("refresh") } }, "Refresh");
  const view = root("subs", h("div", { class: "cid-subs-top" }, title, again), line.el, list, empty);
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
