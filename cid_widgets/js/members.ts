/** The members of one project: who, in which role, until when. */

import { said } from "./lib/said";
import "./styles/members.css";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { plural } from "./lib/words";
import { adding } from "./people/adding";
import { MemberRow } from "./people/member_row";
import { ROLES, rolesExplained } from "./people/roles";
import type { Member, MembersState } from "./people/shapes";
import { ended } from "./people/until";

const CHANGE = "A change works within 10 seconds, everywhere.";
const READ = "Managers of the project change this list.";

/** Those with most to say first; whose time is up, last. */
function order(members: Member[]): Member[] {
  const rank = (of: Member) => (ended(of.ends_at) ? -1 : ROLES.findIndex(([role]) => role === of.role));
  return [...members].sort((a, b) => rank(b) - rank(a) || a.person.localeCompare(b.person));
}

function head(kernel: Kernel<MembersState>): HTMLElement {
  const el = h("div", { class: "cid-people-head" });
  kernel.show(["project", "title", "members", "role"], () => {
    const { length } = kernel.get("members").filter((one) => !ended(one.ends_at));
    const role = kernel.get("role");
    el.replaceChildren(
      h("h3", {}, `Members of ${kernel.get("title") || kernel.get("project")}`),
      h("span", { class: "cid-hint" }, [kernel.get("project"), plural(length, "member"), role && `you are ${role}`].filter(Boolean).join(" · ")),
    );
  });
  return el;
}

/** Leaders manage without being members: whoever reads this list must know. */
function leaders(kernel: Kernel<MembersState>): HTMLElement {
  const el = h("p", { class: "cid-note" });
  kernel.show(["team", "leaders"], () => {
    const who = kernel.get("leaders").join(", ");
    const team = kernel.get("team");
    el.textContent = team && `Who leads team ${team}${who && ` (${who})`} manages this project too, and so may facility staff.`;
  });
  return el;
}

/** Draw the members in `el`; the returned function takes them away. */
function render({ model, el }: { model: Model<MembersState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const line = said(kernel, () => (kernel.get("role") === "manager" ? CHANGE : READ));
  const put = (person: string, role: string, ends_at: string) => line.ask("put", { person, role, ends_at });
  const remove = (person: string) => line.ask("remove", { person });
  const body = h("tbody");
  const empty = h("p", { class: "cid-empty" });
  const table = h(
    "table",
    { class: "cid-members" },
    h("thead", {}, h("tr", {}, ...["Who", "Role", "Until", ""].map((word) => h("th", { scope: "col" }, word)))),
    body,
  );
  const add = adding(put);
  let rows = new Map<string, MemberRow>();
  let drawnFor = "";
  kernel.show(["members", "role", "me"], () => {
    const manages = kernel.get("role") === "manager";
    const me = kernel.get("me");
    if (drawnFor !== `${manages} ${me}`) rows = new Map();
    drawnFor = `${manages} ${me}`;
    const members = order(kernel.get("members"));
    for (const member of members) {
      const row = rows.get(member.person);
      if (row) row.show(member);
      else rows.set(member.person, new MemberRow(member, member.person === me, manages, { put, remove }));
    }
    const wanted = members.map(({ person }) => rows.get(person)!.el);
    if (wanted.length !== body.children.length || wanted.some((one, index) => body.children[index] !== one)) {
      const focused = document.activeElement as HTMLElement | null;
      const index = [...body.children].findIndex((one) => one.contains(focused));
      body.replaceChildren(...wanted);
      if (index >= 0 && body.contains(focused)) focused!.focus();
      else if (index >= 0) wanted[Math.min(index, wanted.length - 1)]?.querySelector("button")?.focus();
    }
    table.hidden = members.length === 0;
    empty.hidden = members.length > 0;
    empty.textContent = kernel.get("error") ? "" : "Nobody is a member yet.";
    add.hidden = !manages;
  });
  kernel.show(["error"], () => kernel.get("error") && rows.forEach((row) => row.again()));
  const again = h("button", { type: "button", on: { click: () => line.ask("refresh") } }, "Refresh");
  const view = root(
    "people",
    h("div", { class: "cid-people-top" }, head(kernel), again),
    line.el,
    table,
    empty,
    add,
    h("div", { class: "cid-people-foot" }, leaders(kernel), rolesExplained()),
  );
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
