/** "3 new notices": a line that is there only when there are some. Pressed, it shows them in place. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import { number, plural } from "../lib/words";
import { noticeLine } from "./line";
import type { NewsState } from "./shapes";

const EVERY_MS = 61_000; // the kernel asks the catalog once a minute at most

export function newsLine(of: Kernel<any>): HTMLElement {
  const kernel = of as Kernel<NewsState>;
  const read = (uids?: string[]) => kernel.ask("read_news", uids ? { uids } : {});
  const count = h("button", { type: "button", class: "cid-news-count", "aria-expanded": "false", title: "Show them here" });
  const all = h("button", { type: "button", class: "cid-quiet", on: { click: () => read() } }, "Mark all as read");
  const trouble = h("p", { class: "cid-error", role: "alert" });
  const list = h("ul", { class: "cid-notices", "aria-label": "New notices" });
  const more = h("p", { class: "cid-hint cid-news-more" });
  const shown = h("div", {}, list, more);
  const el = h("div", { class: "cid-news" }, h("div", { class: "cid-news-top" }, h("span", { role: "status" }, count), all), trouble, shown);
  const open = (on: boolean) => {
    count.setAttribute("aria-expanded", String(on));
    shown.hidden = all.hidden = !on;
  };
  count.addEventListener("click", () => open(shown.hidden));
  /** Without news it goes, but not from under somebody's hands. */
  const leave = () => (el.hidden = !kernel.get("news").unread && !el.contains(document.activeElement));
  el.addEventListener("focusout", () => setTimeout(leave));
  open(false);
  kernel.show(["news"], () => {
    const { unread, notices } = kernel.get("news");
    const held = el.contains(document.activeElement);
    list.replaceChildren(...notices.map((one) => noticeLine(one, (uid) => read([uid]))));
    count.textContent = unread ? plural(unread, "new notice") : "All notices are read";
    more.textContent = unread > notices.length ? `and ${number(unread - notices.length)} more: Notices(catalog)` : "";
    more.hidden = !more.textContent;
    if (!unread) open(false);
    if (held && !el.contains(document.activeElement)) (list.querySelector<HTMLElement>("button:not([title])") ?? count).focus({ preventScroll: true });
    leave();
  });
  kernel.show(["news_error"], () => {
    trouble.textContent = kernel.get("news_error");
    trouble.hidden = !trouble.textContent;
  });
  const ask = () => !document.hidden && kernel.ask("news");
  const clock = setInterval(ask, EVERY_MS);
  kernel.finally(() => clearInterval(clock));
  ask();
  return el;
}
