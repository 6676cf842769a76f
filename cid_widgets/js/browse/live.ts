/** Live datasets: a search is saved under a name, shows what it finds now, and may be changed. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { BrowserState } from "../lib/shapes";
import type { Action } from "./actions";

const MAY = ["contributor", "manager"]; // the roles that the catalog lets make datasets

/** The projects in which the visitor may make something, as the catalog told his role. */
export function mayChange(kernel: Kernel<BrowserState>, project: string): boolean {
  return kernel.get("tree").some(({ name, role }) => name === project && MAY.includes(role));
}

function field(label: string, control: HTMLElement, hint = ""): HTMLElement {
  return h("label", { class: "cid-field" }, h("b", {}, label), control, hint && h("span", { class: "cid-hint" }, hint));
}

function form(kernel: Kernel<BrowserState>, close: () => void): HTMLElement {
  const project = h("select", { name: "project" });
  const path = h("input", { name: "path", required: true, maxlength: "1000", placeholder: "bright cells", spellcheck: "false" });
  const query = h("input", { name: "query", maxlength: "2000", placeholder: "everything in the project", spellcheck: "false" });
  const said = h("p", { class: "cid-said", role: "status" });
  const say = (message: string, mood: string) => {
    said.textContent = message;
    said.dataset.mood = mood;
  };
  const button = h("button", { type: "submit", class: "cid-primary" }, "Save search");
  const closing = h("button", { type: "button" }, "Close");
  closing.addEventListener("click", close);
  const el = h(
    "form",
    { class: "cid-form", novalidate: true },
    h(
      "div",
      { class: "cid-form-head" },
      h("h4", {}, "Save this search"),
      h("p", {}, "It becomes a dataset that always shows what the search finds. It holds no images of its own."),
    ),
    h(
      "div",
      { class: "cid-fields cid-save" },
      field("Project", project),
      field("Name", path, "with / below another dataset"),
      field("Finds", query, "in this project"),
    ),
    h("div", { class: "cid-actions" }, button, closing, said),
  );
  kernel.show(["tree", "project"], () => {
    const names = kernel.get("tree").filter(({ name }) => mayChange(kernel, name));
    project.replaceChildren(
      ...names.map(({ name, title }) => h("option", { value: name, selected: name === kernel.get("project") }, title || name)),
    );
    button.disabled = !names.length;
    if (!names.length) say("You contribute to no project: ask its manager for the role contributor.", "");
  });
  kernel.told("saving", (answer) => {
    query.value = answer.query;
    if (!said.dataset.mood) path.focus();
  });
  kernel.told("saved", (answer) => {
    say(`Saved as ${answer.project} / ${answer.path}.`, "good");
    path.value = "";
  });
  kernel.told("unkept", ({ act, message }) => act === "save" && say(message, "bad"));
  el.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!path.value.trim()) {
      say("Give it a name.", "bad");
      return path.focus();
    }
    say("Saving…", "");
    kernel.ask("save", { project: project.value, path: path.value.trim(), query: query.value.trim() });
  });
  for (const control of [path, query]) {
    control.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation());
  }
  return el;
}

/** "Save search…" */
export function saving(kernel: Kernel<BrowserState>): Action {
  return {
    name: "Save search…",
    about: "Save this search",
    always: true,
    hint: () => "Make a dataset that always shows what this search finds",
    panel: (close) => form(kernel, close),
    opened: () => kernel.ask("saving"),
  };
}

/** What the live dataset that is shown looks for; who may, changes it here. */
export function liveLine(kernel: Kernel<BrowserState>): HTMLElement {
  const el = h("div", { class: "cid-live", role: "group", "aria-label": "Live dataset" });
  const said = h("span", { class: "cid-said", "aria-live": "polite" });
  const here = () => {
    const project = kernel.get("tree").find(({ name }) => name === kernel.get("project"));
    return project?.datasets.find(({ path }) => path === kernel.get("dataset"));
  };
  const show = () => {
    const query = here()?.query ?? null;
    el.hidden = query === null;
    if (query === null) return;
    const change = h("button", { type: "button", class: "cid-quiet" }, "Change…");
    change.addEventListener("click", () => edit(query));
    said.textContent = "";
    el.replaceChildren(
      h("span", {}, "Live: what ", query ? h("code", {}, query) : "everything", " finds now "),
      mayChange(kernel, kernel.get("project")) ? change : "",
    );
  };
  const edit = (query: string) => {
    const box = h("input", { value: query, "aria-label": "What this dataset looks for", maxlength: "2000", spellcheck: "false" });
    const save = h("button", { type: "submit", class: "cid-primary" }, "Save");
    const cancel = h("button", { type: "button" }, "Cancel");
    cancel.addEventListener("click", show);
    const line = h("form", { class: "cid-relive" }, box, save, cancel, said);
    line.addEventListener("submit", (event) => {
      event.preventDefault();
      kernel.ask("requery", { project: kernel.get("project"), path: kernel.get("dataset"), query: box.value.trim() });
    });
    box.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") show();
    });
    el.replaceChildren(line);
    box.focus();
  };
  let shown = "";
  kernel.show(["tree", "project", "dataset"], () => {
    const now = JSON.stringify([kernel.get("project"), here()]);
    if (now === shown) return;
    shown = now;
    show();
  });
  kernel.told("requeried", show);
  kernel.told("unkept", ({ act, message }) => {
    if (act !== "requery") return;
    said.textContent = message;
    said.dataset.mood = "bad";
  });
  return el;
}
