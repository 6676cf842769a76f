/** The place to drop files and folders on, and the two pickers. */

import { h } from "../lib/dom";
import { number } from "../lib/words";
import { dropped, picked, type Gathered } from "./gather";

export interface DropPlace {
  el: HTMLElement;
  /** Say what is to be dropped. */
  say(words: string): void;
}

/** Files that are dropped on `over` are never shown by the browser instead of the page. */
export function keepPage(over: HTMLElement): void {
  for (const kind of ["dragover", "drop"] as const) {
    over.addEventListener(kind, (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
  }
}

/** `over` is what listens for drops; several places may be in it, and the one that is shown takes them. */
export function dropPlace(over: HTMLElement, words: string, then: (found: Gathered) => void, small = false): DropPlace {
  const title = h("strong", {}, words);
  const looking = h("span", { class: "cid-hint", role: "status" });
  const pick = (label: string, folder: boolean) => {
    const input = h("input", { type: "file", multiple: true, hidden: true, webkitdirectory: folder, "aria-label": label });
    input.addEventListener("change", () => {
      if (input.files?.length) then(picked(input.files));
      input.value = "";
    });
    const button = h("button", { type: "button" }, label);
    button.addEventListener("click", () => input.click());
    return [button, input];
  };
  const el = h(
    "div",
    { class: small ? "cid-drop cid-drop-small" : "cid-drop" },
    title,
    !small && h("span", { class: "cid-hint" }, "You look at everything, and choose where it goes, before anything is sent."),
    h("span", { class: "cid-drop-or" }, ...pick("Choose files…", false), ...pick("Choose a folder…", true)),
    looking,
  );
  let depth = 0;
  const shown = () => el.offsetParent !== null;
  const lit = (more: number) => {
    depth = Math.max(0, depth + more);
    el.classList.toggle("cid-over-it", depth > 0 && shown());
  };
  const files = ({ dataTransfer }: DragEvent) => shown() && !!dataTransfer && [...dataTransfer.types].includes("Files");
  over.addEventListener("dragenter", (event) => files(event) && lit(1));
  over.addEventListener("dragleave", (event) => files(event) && lit(-1));
  over.addEventListener("dragover", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    event.dataTransfer!.dropEffect = "copy";
  });
  over.addEventListener("drop", async (event) => {
    if (!files(event)) return;
    event.preventDefault();
    event.stopPropagation();
    depth = 0;
    lit(0);
    const found = await dropped(event.dataTransfer!, (count) => (looking.textContent = `${number(count)} files found…`));
    looking.textContent = "";
    then(found);
  });
  return { el, say: (words) => (title.textContent = words) };
}
