/** One subscription: what runs on what, how it stands, what it spent, and what one may do. */

import { h } from "../lib/dom";
import { once } from "../lib/once";
import { sureButton } from "../lib/sure";
import { number, plural } from "../lib/words";
import type { Limit, Subscription } from "./shapes";

type Ask = (question: string, rest: Record<string, unknown>) => void;

const STATES = { active: "on", paused: "paused", ended: "ended" };

/** Images by what became of them; what there are none of is not said, but for done. */
function counts(of: Subscription): HTMLElement {
  const parts: [string, number, string][] = [
    ["done", of.done, "done"],
    ["running", of.running, "submitted or running"],
    ["waiting", of.waiting, "waiting"],
    ["failed", of.failed, "failed"],
    ["left", of.left, "left out"],
    ["there", of.there, "there before, not run"],
  ];
  const shown = parts.filter(([part, count]) => count > 0 || part === "done");
  const items = shown.map(([part, count, words]) => h("li", { "data-part": part }, h("b", {}, number(count)), ` ${words}`));
  return h("ul", { class: "cid-sub-counts", "aria-label": "Images" }, ...items);
}

function limit(of: Limit): HTMLElement {
  const part = Math.min(1, of.spent / of.most);
  const fill = h("span");
  fill.style.width = `${100 * part}%`;
  const label = `${of.what}: ${of.words}`;
  return h(
    "div",
    { class: "cid-sub-limit", "data-full": String(part >= 1) },
    h("span", { class: "cid-hint" }, h("span", {}, of.what), h("span", {}, of.words)),
    h("span", { class: "cid-sub-bar", role: "img", "aria-label": label }, fill),
  );
}

function ways(of: Subscription, ask: Ask, open: (uid: string) => void): HTMLElement {
  const about = `${of.template} on ${of.search}`;
  const go = of.state === "paused" ? "Resume" : "Pause";
  const turn = h("button", { type: "button", "aria-label": `${go} ${about}` }, go);
  once(turn, () => ask(go.toLowerCase(), { uid: of.uid }));
  const change = h("button", { type: "button", "aria-label": `Change ${about}`, "data-way": "change", on: { click: () => open(of.uid) } }, "Change…");
  const there = sureButton(
    `Run on the ${number(of.there)} there…`,
    () => `Really run ${plural(of.there, "image")}?`,
    () => ask("existing", { uid: of.uid }),
    { class: "cid-quiet", title: "What matched before it began, but for what was run already with these values" },
  );
  const end = h("button", { type: "button", class: "cid-quiet cid-remove", "aria-label": `End ${about}` }, "End");
  once(end, () => ask("end", { uid: of.uid }));
  return h("div", { class: "cid-sub-ways" }, turn, change, of.there > 0 && there, end);
}

/** `open` shows what can be changed of it. */
export function subscriptionLine(of: Subscription, ask: Ask, open: (uid: string) => void): HTMLElement {
  const values = of.parameters.map(([name, value]) => `${name} ${value}`).join(", ");
  return h(
    "li",
    { class: "cid-sub", "data-uid": of.uid, "data-state": of.state },
    h(
      "div",
      { class: "cid-sub-words" },
      h(
        "p",
        { class: "cid-sub-head" },
        h("b", {}, of.template),
        h("span", { class: "cid-hint" }, of.version),
        h("span", { class: "cid-sub-state", "data-state": of.state }, STATES[of.state]),
      ),
      h("p", {}, "on each new match of ", h("b", {}, of.search), " ", h("code", { class: "cid-hint" }, of.query)),
      h("p", { class: "cid-hint" }, [`runs of ${of.person}`, values].filter(Boolean).join(" · ")),
      of.newer !== "" && h("p", { class: "cid-hint" }, `Version ${of.newer} is there: end this and subscribe again to move on.`),
    ),
    counts(of),
    h("div", { class: "cid-sub-budget" }, ...of.budget.map(limit)),
    of.mine && of.state !== "ended" && ways(of, ask, open),
    of.reason !== "" && h("p", { class: "cid-sub-reason" }, of.reason),
  );
}
