/** A request in words: what was asked, and what came of it. */

import { h } from "../lib/dom";
import { bytes, when } from "../lib/words";
import type { Asked, Term } from "./shapes";

const WORDS: Record<string, string> = {
  asked: "waits for staff",
  approved: "approved",
  refused: "refused",
  withdrawn: "withdrawn",
};

export function stateBadge(state: string): HTMLElement {
  return h("span", { class: "cid-state", "data-state": state }, WORDS[state] ?? state);
}

/** "number in mg", "choice: wild type, knock-out" */
export function termWords(term: Term): string {
  if (term.choices.length) return `${term.key} (${term.choices.join(", ")})`;
  const unit = term.unit ? ` in ${term.unit}` : "";
  return term.type === "text" && !unit ? term.key : `${term.key} (${term.type}${unit})`;
}

/** Title, team and room; who asked and when. */
export function summary(request: Asked, who: boolean): string {
  const asked = who ? `by ${request.person}, ${when(request.created_at)}` : when(request.created_at);
  return [request.team, bytes(request.limit), asked].join(" · ");
}

/** The project with a way to its page, the reason, or nothing yet. */
export function outcome(request: Asked): HTMLElement | false {
  if (request.state === "refused") {
    return h("p", { class: "cid-outcome" }, `${request.decided_by || "Staff"}: ${request.reason}`);
  }
  if (request.state !== "approved" || !request.project) return false;
  const name = request.page.startsWith("/")
    ? h("a", { href: request.page, target: "_blank", rel: "noopener" }, request.project)
    : h("strong", {}, request.project);
  return h("p", { class: "cid-outcome" }, "The project is ", name, `. Approved by ${request.decided_by}.`);
}
