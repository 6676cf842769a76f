/** What I am told: new ones first in sight, marked as read, by mail or not. */

import "./styles/notices.css";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { said } from "./lib/said";
import { plural } from "./lib/words";
import { noticeLine } from "./notices/line";
import { mailForm } from "./notices/mail";
import type { NoticesState } from "./notices/shapes";

const EMPTY = "Nothing yet. When runs of yours have ended, or a project fills up, it is told here.";

/** Draw notices in `el`; the returned function takes them away. */
function render({ model, el }: { model: Model<NoticesState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const line = said(kernel);
  const count = h("span", { class: "cid-notice-count", role: "status" });
  const all = h("button", { type: "button" }, "Mark all as read");
  all.addEventListener("click", () => line.ask("read"));
  const list = h("ul", { class: "cid-notices", "aria-label": "Notices", tabindex: "-1" });
  const empty = h("p", { class: "cid-empty" }, EMPTY);
  const mail = h("div", {});
  kernel.show(["notices", "unread"], () => {
    const notices = kernel.get("notices");
    const unread = kernel.get("unread");
    const held = list.contains(document.activeElement);
    list.replaceChildren(...notices.map((one) => noticeLine(one, (uid) => line.ask("read", { uids: [uid] }))));
    if (held) (list.querySelector("button") ?? list).focus({ preventScroll: true });
    count.textContent = unread ? `${plural(unread, "new notice")}` : "nothing new";
    count.dataset.new = String(unread > 0);
    all.hidden = unread === 0;
    empty.hidden = notices.length > 0;
    list.hidden = notices.length === 0;
    line.calm();
  });
  kernel.show(["mail"], () => {
    mail.replaceChildren(mailForm(kernel.get("mail"), (way, address) => line.ask("wish", { mail: way, address })));
  });
  const top = h("div", { class: "cid-notice-top" }, h("h3", {}, "Notices"), count, all);
  const view = root("notices", top, line.el, list, empty, mail);
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
