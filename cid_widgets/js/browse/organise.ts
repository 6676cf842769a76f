/** "Move…": the selected images go into a dataset, or into the trash; what was done has an Undo. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { BrowserState } from "../lib/shapes";
import { plural } from "../lib/words";
import type { Action } from "./actions";
import { selectedCount } from "./found";
import { mayChange } from "./live";

interface OrganisedState extends BrowserState {
  organised: { text: string; undo: boolean } | null;
}

function form(kernel: Kernel<OrganisedState>, close: () => void): HTMLElement {
  const project = h("select", { name: "project" });
  const known = h("datalist", { id: `cid-paths-${Math.random().toString(36).slice(2)}` });
  const path = h("input", { name: "path", maxlength: "1000", placeholder: "screen/plate 2", spellcheck: "false", list: known.id });
  const move = h("button", { type: "submit", class: "cid-primary" }, "Move");
  const trash = h("button", { type: "button", class: "cid-to-trash" }, "Move to trash");
  const closing = h("button", { type: "button" }, "Close");
  const words = h("span", { class: "cid-said", role: "status" });
  const undo = h("button", { type: "button" }, "Undo");
  const say = (text: string, mood: string) => {
    words.textContent = text;
    words.dataset.mood = mood;
  };
  const ask = (question: string, rest: Record<string, unknown> = {}) => {
    say("One moment…", "");
    undo.hidden = true;
    kernel.ask(question, rest);
  };
  closing.addEventListener("click", close);
  trash.addEventListener("click", () => ask("throw_away"));
  undo.addEventListener("click", () => ask("put_back"));
  const el = h(
    "form",
    { class: "cid-form", novalidate: true },
    h(
      "div",
      { class: "cid-form-head" },
      h("h4", {}, "Move images"),
      h("p", {}, "They keep their tags, notes and links. What goes to the trash comes back as it was, for 30 days."),
    ),
    h(
      "div",
      { class: "cid-fields" },
      h("label", { class: "cid-field" }, h("b", {}, "Project"), project),
      h("label", { class: "cid-field" }, h("b", {}, "Dataset"), path, h("span", { class: "cid-hint" }, "made if it is not there; empty is the project itself")),
      known,
    ),
    h("div", { class: "cid-actions" }, move, trash, closing, words, undo),
  );
  el.addEventListener("submit", (event) => {
    event.preventDefault();
    ask("move", { project: project.value, path: path.value.trim() });
  });
  path.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation());
  const offer = () => {
    const folders = kernel.get("tree").find(({ name }) => name === project.value)?.datasets ?? [];
    const paths = folders.filter((one) => one.path && one.query === null).map((one) => h("option", { value: one.path }));
    known.replaceChildren(...paths);
  };
  project.addEventListener("change", offer);
  kernel.show(["tree", "project"], () => {
    const chosen = project.value || kernel.get("project");
    const mine = kernel.get("tree").filter(({ name }) => mayChange(kernel, name));
    project.replaceChildren(...mine.map(({ name, title }) => h("option", { value: name }, title || name)));
    if (mine.some(({ name }) => name === chosen)) project.value = chosen;
    offer();
  });
  kernel.show(["selected", "found_all", "total"], () => {
    const count = selectedCount(kernel);
    move.textContent = count ? `Move ${plural(count, "image")}` : "Move";
    trash.disabled = move.disabled = count === 0;
  });
  kernel.show(["organised"], () => {
    const done = kernel.get("organised");
    say(done?.text ?? "", "good");
    const held = el.contains(document.activeElement) || document.activeElement === document.body;
    undo.hidden = !done?.undo;
    if (done?.undo && held && el.isConnected) undo.focus({ preventScroll: true });
  });
  kernel.told("unorganised", ({ message }) => {
    say(message, "bad");
    undo.hidden = !kernel.get("organised")?.undo;
  });
  return el;
}

/** "Move…" */
export function moving(kernel: Kernel<BrowserState>): Action {
  return {
    name: "Move…",
    about: "Move images, or throw them away",
    hint: (count) => `Put ${plural(count, "image")} into a dataset, or into the trash`,
    panel: (close) => form(kernel as unknown as Kernel<OrganisedState>, close),
  };
}
