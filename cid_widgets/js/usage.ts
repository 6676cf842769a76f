/** What takes the room: from all teams down to a person, and what a team is charged. */

import "./styles/usage.css";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { bill } from "./usage/bill";
import { type Page, type Ways, dataset, orders, overview, project, team } from "./usage/levels";
import type { UsageState } from "./usage/shapes";

const PATIENCE_MS = 2500;
const QUICK_MS = 200;

type Place = Pick<UsageState, "team" | "project" | "dataset">;

interface Step {
  name: string;
  place: Place;
  open: boolean; // whether one may go there
}

/** The way from the facility to what is shown. */
function steps(kernel: Kernel<UsageState>): Step[] {
  const shown = kernel.get("shown");
  const [ofTeam, ofProject] = [kernel.get("team"), kernel.get("project")];
  const found: Step[] = [{ name: "All", place: { team: "", project: "", dataset: "" }, open: true }];
  if (ofTeam) {
    const place = { team: ofTeam, project: "", dataset: "" };
    const title = shown?.level === "team" ? shown.title : ofTeam;
    found.push({ name: title, place, open: shown !== null && "leads" in shown ? shown.leads : true });
  }
  if (ofProject) {
    const title = shown && "series" in shown ? shown.title : ofProject;
    found.push({ name: title, place: { team: ofTeam, project: ofProject, dataset: "" }, open: true });
  }
  if (kernel.get("dataset")) {
    const name = shown?.level === "dataset" && shown.dataset ? shown.dataset.path || "(the project itself)" : "dataset";
    found.push({ name, place: { team: ofTeam, project: ofProject, dataset: kernel.get("dataset") }, open: false });
  }
  return found;
}

/** Draw the usage in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<UsageState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const kept = orders();
  const status = h("span", { class: "cid-status", role: "status" });
  const trail = h("nav", { class: "cid-trail", "aria-label": "Where this is" });
  const again = h("button", { type: "button", title: "Ask again" }, "Refresh");
  const trouble = h("p", { class: "cid-error", role: "alert" });
  const body = h("div", { class: "cid-usage-body" });
  const money = bill(kernel);
  const view = root("usage", h("div", { class: "cid-top" }, trail, status, again), trouble, body, money);

  let timers: ReturnType<typeof setTimeout>[] = [];
  const rested = () => {
    timers.splice(0).forEach(clearTimeout);
    status.textContent = "";
    body.removeAttribute("aria-busy");
  };
  const waiting = () => {
    rested();
    body.setAttribute("aria-busy", "true");
    timers = [
      setTimeout(() => (status.textContent = "Reading…"), QUICK_MS),
      setTimeout(() => (status.textContent = "Waiting for the kernel (is a cell running?)"), PATIENCE_MS),
    ];
  };
  kernel.finally(rested);

  let moved = false; // by the reader, who then goes on from the new page's name
  const go = (place: Place) => {
    moved = true;
    waiting();
    kernel.set(place);
  };
  const ways: Ways = {
    team: (name) => go({ team: name, project: "", dataset: "" }),
    project: (name) => go({ team: kernel.get("team"), project: name, dataset: "" }),
    dataset: (uid) => go({ team: kernel.get("team"), project: kernel.get("project"), dataset: uid }),
  };
  again.addEventListener("click", () => {
    waiting();
    kernel.ask("refresh");
  });

  const way = () => {
    const found = steps(kernel);
    const items = found.map(({ name, place, open }, index) => {
      if (index === found.length - 1) return h("strong", { tabindex: "-1", "aria-current": "page" }, name);
      if (!open) return h("span", {}, name);
      const button = h("button", { type: "button", class: "cid-link" }, name);
      button.addEventListener("click", () => go(place));
      return button;
    });
    trail.replaceChildren(h("ol", {}, ...items.map((item) => h("li", {}, item))));
  };

  const page = (): Page => {
    const shown = kernel.get("shown");
    if (shown === null) return { parts: [] };
    if (shown.level === "all") return overview(shown, ways, kept);
    if (shown.level === "team") return team(shown, ways, kept);
    if (shown.level === "dataset") return dataset(shown, kept);
    return project(shown, ways, kept);
  };

  let open: Page = { parts: [] };
  kernel.finally(() => open.close?.());
  kernel.show(["looked"], () => {
    rested();
    trouble.textContent = kernel.get("error");
    trouble.hidden = !trouble.textContent;
    open.close?.();
    open = page();
    way();
    body.replaceChildren(...open.parts);
    money.hidden = kernel.get("shown")?.level !== "team";
    if (moved) trail.querySelector<HTMLElement>("[aria-current]")?.focus();
    moved = false;
  });
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
