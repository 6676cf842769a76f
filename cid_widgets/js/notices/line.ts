/** One notice as one line: what happened, when, and how to look at it. */

import { copyButton, h } from "../lib/dom";
import { when } from "../lib/words";
import type { Notice } from "./shapes";

/** How to see what it is about: a line of Python that one can copy. */
export function way(notice: Notice): string {
  const [kind, ...rest] = notice.about.split(":");
  const name = rest.join(":");
  if (kind === "batch") return `RunMonitor("${name}", catalog=catalog)`;
  if (kind === "subscription") return `Subscriptions(catalog)`;
  if (kind === "project" && notice.kind === "member") return `Browser(catalog, project="${name}")`;
  if (kind === "project") return `Usage(catalog, project="${name}")`;
  return "";
}

export function noticeLine(notice: Notice, read: (uid: string) => void): HTMLElement {
  const code = way(notice);
  const seen = h("button", { type: "button", class: "cid-quiet", "aria-label": `Mark as read: ${notice.text}` }, "Mark as read");
  seen.addEventListener("click", () => read(notice.uid));
  return h(
    "li",
    { class: "cid-notice", "data-uid": notice.uid, "data-kind": notice.kind, "data-read": String(notice.read) },
    h("span", { class: "cid-notice-dot", title: notice.read ? "read" : "new" }),
    h(
      "div",
      { class: "cid-notice-words" },
      h("span", { class: "cid-notice-text" }, notice.text),
      h("span", { class: "cid-hint" }, when(notice.created_at), code && h("span", { class: "cid-notice-way" }, h("code", {}, code), copyButton(code, "the line that shows it"))),
    ),
    !notice.read && seen,
  );
}
