/** Things to do: each a button in the top bar and a panel below the panes; one panel is open. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { BrowserState } from "../lib/shapes";
import { follow } from "../lib/turn";
import { selectedCount } from "./found";

export interface Action {
  name: string; // on the button
  about: string; // the panel's name, for those who hear it
  primary?: boolean;
  always?: boolean; // also when nothing is selected
  hint: (selected: number) => string; // what the button would do
  blocked?: () => string; // why it cannot be done for what is in view, or ""
  panel: (close: () => void) => HTMLElement; // drawn when it is opened for the first time
  opened?: () => void; // each time
}

/** The buttons and panels of these actions. */
export function actions(kernel: Kernel<BrowserState>, list: Action[]): { buttons: HTMLElement[]; panels: HTMLElement } {
  const panels = h("div", { class: "cid-panels" });
  const all = list.map((action) => {
    const button = h("button", { type: "button", class: action.primary ? "cid-primary" : "", "aria-expanded": "false" }, action.name);
    const panel = h("section", { class: "cid-panel", "aria-label": action.about });
    panel.hidden = true;
    panels.append(panel);
    return { action, button, panel };
  });
  const show = (open: (typeof all)[number] | undefined) => {
    for (const one of all) {
      one.panel.hidden = one !== open;
      one.button.setAttribute("aria-expanded", String(one === open));
    }
  };
  for (const one of all) {
    const { action, button, panel } = one;
    const close = () => {
      show(undefined);
      button.focus({ preventScroll: true });
    };
    for (const part of [button, panel]) {
      part.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && !panel.hidden && !event.defaultPrevented) close();
      });
    }
    button.addEventListener("click", () => {
      if (!panel.hidden) return close();
      if (!panel.hasChildNodes()) panel.append(action.panel(close));
      show(one);
      action.opened?.();
      follow(panel);
    });
  }
  kernel.show(["selected", "found_all", "total", "tree", "project"], () => {
    const count = selectedCount(kernel);
    for (const { action, button } of all) {
      const blocked = action.blocked?.() || (!action.always && count === 0 ? "Select images first" : "");
      button.disabled = blocked !== "";
      button.title = blocked || action.hint(count);
    }
  });
  return { buttons: all.map(({ button }) => button), panels };
}
