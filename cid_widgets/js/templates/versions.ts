/** The versions of a template: what changed with each, two to compare, one to withdraw. */

import { h } from "../lib/dom";
import { sureButton } from "../lib/sure";
import { when } from "../lib/words";
import type { Version } from "./shapes";

type Ask = (question: string, rest: Record<string, unknown>) => void;

let made = 0;

/** A reason first, then asked once more: nothing takes it back. */
function withdrawing(of: Version, ask: Ask): HTMLElement[] {
  const reason = h("input", { type: "text", required: true, maxlength: 4000, placeholder: "why, for those who used it", "aria-label": `Why ${of.version} is withdrawn` });
  const question = () => (reason.value.trim() && reason.reportValidity() ? `Really withdraw ${of.version} for good?` : "");
  const sure = sureButton("Withdraw", question, () => ask("withdraw", { version: of.version, reason: reason.value.trim() }));
  sure.addEventListener("click", () => reason.value.trim() || reason.focus());
  const form = h("span", { class: "cid-withdraw", hidden: true }, reason, sure);
  const open = h("button", { type: "button", class: "cid-quiet", "aria-expanded": "false", "aria-label": `Withdraw ${of.version}…` }, "Withdraw…");
  open.addEventListener("click", () => {
    form.hidden = !form.hidden;
    open.setAttribute("aria-expanded", String(!form.hidden));
    if (!form.hidden) reason.focus();
  });
  return [open, form];
}

function line(of: Version, ask: Ask | null): HTMLElement {
  const ended = of.withdrawn;
  return h(
    "li",
    { class: "cid-version-line", "data-withdrawn": String(ended !== null) },
    h("b", {}, of.version),
    h("span", { class: "cid-hint" }, `${of.published_by}, ${when(of.created_at)}`),
    ended && h("span", { class: "cid-withdrawn" }, `withdrawn by ${ended.by}: ${ended.reason}`),
    h("span", { class: "cid-changelog" }, of.changelog || "the first version"),
    ...(ask ? withdrawing(of, ask) : []),
  );
}

function comparing(versions: Version[], shown: [string, string], ask: Ask): HTMLElement {
  const id = `cid-compare-${(made += 1)}`;
  const select = (name: "before" | "after", chosen: string, label: string) => {
    const options = versions.map(({ version }) => h("option", { value: version, selected: version === chosen }, version));
    const made = h("select", { id: `${id}-${name}`, "data-side": name }, ...options);
    return { made, all: [h("label", { for: `${id}-${name}` }, label), made] };
  };
  const [before, after] = [select("before", shown[0], "What changed from"), select("after", shown[1], "to")];
  const again = () => ask("compare", { before: before.made.value, after: after.made.value });
  for (const { made } of [before, after]) made.addEventListener("change", again);
  return h("div", { class: "cid-compare" }, ...before.all, ...after.all);
}

/** `may` are the versions that may be withdrawn. */
export function versionsView(versions: Version[], may: string[], ask: Ask): HTMLElement {
  const lines = versions.map((one) => line(one, may.includes(one.version) ? ask : null));
  const several = versions.length > 1;
  return h(
    "div",
    {},
    h("ul", { class: "cid-versions", "aria-label": "Versions" }, ...lines),
    several && comparing(versions, [versions[1]!.version, versions[0]!.version], ask),
  );
}
