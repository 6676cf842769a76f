/** "Upload…": the upload view for the project and dataset in view; what comes in is shown at once. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { BrowserState } from "../lib/shapes";
import type { Action } from "./actions";
import { mayChange } from "./live";

interface UploadingState extends BrowserState {
  uploader: string | null; // a reference to the widget
}

const ELSEWHERE = "This page shows no upload here. In a notebook: Upload(catalog, browser=browser).";

function place(kernel: Kernel<UploadingState>, close: () => void): HTMLElement {
  const waiting = h("p", { class: "cid-empty", role: "status" }, "One moment…");
  const inside = h("div", {}, waiting);
  const closing = h("button", { type: "button" }, "Close");
  closing.addEventListener("click", close);
  let shown = "";
  kernel.show(["uploader"], () => {
    const reference = kernel.get("uploader");
    if (!reference || reference === shown) return;
    shown = reference;
    kernel.view(reference).then(
      (view) => inside.replaceChildren(view),
      () => (waiting.textContent = ELSEWHERE),
    );
  });
  return h(
    "div",
    { class: "cid-uploading" },
    h("div", { class: "cid-uploading-head" }, h("h4", {}, "Upload files"), closing),
    inside,
  );
}

/** "Upload…" */
export function uploading(browser: Kernel<BrowserState>): Action {
  const kernel = browser as unknown as Kernel<UploadingState>;
  const into = () => kernel.get("project");
  return {
    name: "Upload…",
    about: "Upload files",
    always: true,
    hint: () => `Bring files of this computer into ${into() || "a project"}`,
    blocked: () => {
      const mine = kernel.get("tree").filter(({ name }) => mayChange(browser, name));
      if (!mine.length) return "You can upload into no project yet: ask for one, or ask a manager to make you a contributor";
      if (!into() || mine.some(({ name }) => name === into())) return "";
      return `You only look at ${into()}: ask its manager for the role contributor`;
    },
    panel: (close) => place(kernel, close),
    opened: () => kernel.ask("upload"),
  };
}
