/** How full something is: a bar of what lies in it, a mark at the soft limit, and its legend. */

import { h } from "../lib/dom";
import { bytes } from "../lib/words";
import type { Room } from "./shapes";
import { end, growth } from "./words";

type Filled = Room & { soft?: number | null };

const PARTS: [keyof Room & ("online" | "trashed" | "reserved"), string][] = [
  ["online", "online"],
  ["trashed", "in the trash"],
  ["reserved", "reserved by imports and runs"],
];

/** The bar alone; what it shows is its name for a reader. */
export function bar(of: Filled): HTMLElement {
  const whole = Math.max(of.limit, of.used + of.reserved, 1);
  const percent = (part: number) => `${(100 * part) / whole}%`;
  const pieces = PARTS.map(([part]) => {
    const piece = h("span", { "data-part": part });
    piece.style.width = percent(of[part]);
    return piece;
  });
  const soft = of.soft == null || of.soft >= of.limit ? null : h("i", { class: "cid-soft" });
  if (soft) soft.style.left = percent(of.soft!);
  const full = of.state === "full" && of.free === 0; // one project of a team may be full alone
  const told = PARTS.filter(([part]) => of[part]).map(([part, name]) => `${bytes(of[part])} ${name}`);
  const label = `${told.join(", ") || "nothing"}, of ${bytes(of.limit)}${full ? ": full" : ""}`;
  const attributes = { class: "cid-fill", role: "img", "data-full": String(full), "aria-label": label };
  return h("span", { ...attributes, title: label }, h("span", {}, ...pieces), soft);
}

function key(part: string, name: string, count: number): HTMLElement {
  return h("li", { "data-part": part }, h("i", {}), `${bytes(count)} ${name}`);
}

/** The bar with all that belongs to it, for the head of a page. */
export function room(of: Filled): HTMLElement {
  const { text, why } = end(of);
  const words = `${bytes(of.used)} of ${bytes(of.limit)} used`;
  const soft = of.soft == null ? null : key("soft", "is the soft limit", of.soft);
  return h(
    "section",
    { class: "cid-room", "aria-label": "Room" },
    h(
      "p",
      { class: "cid-held" },
      h("strong", {}, words),
      h("span", { class: "cid-state", "data-state": of.state }, state(of)),
    ),
    bar(of),
    h(
      "ul",
      { class: "cid-legend" },
      ...PARTS.map(([part, name]) => (part === "online" || of[part] ? key(part, name, of[part]) : null)),
      key("free", "free", of.free),
      soft,
    ),
    h(
      "dl",
      { class: "cid-facts" },
      fact("Full in", text, why),
      fact("Growth in 30 days", growth(of), "From the days of the last month; known after a week."),
      fact("In the archive", bytes(of.archived), "Not counted against the limit; the archive has its own price."),
      fact("Linked from elsewhere", bytes(of.linked), "Records of others that are shown here. They are charged there."),
    ),
  );
}

function state(of: Filled): string {
  if (of.state === "ok") return "";
  if (of.state === "full") return of.free > 0 ? "a project is full" : "full";
  return "soft" in of ? "past the soft limit" : "a project is past its soft limit";
}

/** A number with its name; `why` explains it. */
export function fact(name: string, value: string, why: string): HTMLElement {
  return h("div", { title: why }, h("dt", {}, name), h("dd", {}, value));
}
