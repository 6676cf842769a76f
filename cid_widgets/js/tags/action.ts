/** "Tag…" in the browser: the card of what is selected, which follows the selection. */

import type { Action } from "../browse/actions";
import { debounce, h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { Thumbnails } from "../lib/thumbnails";
import { plural } from "../lib/words";
import { card } from "./card";

const SETTLED_MS = 200;

export function tagging(kernel: Kernel<any>, thumbnails: Thumbnails): Action {
  const panel = h("div");
  const follow = debounce(SETTLED_MS, () => {
    if (panel.isConnected && panel.offsetParent !== null) kernel.ask("tags");
  });
  kernel.show(["selected", "found_all"], follow);
  return {
    name: "Tag…",
    about: "Tags",
    hint: (count) => `Tag ${plural(count, "image")}`,
    panel: (close) => {
      panel.append(card(kernel, thumbnails, close));
      return panel;
    },
    opened: () => kernel.ask("tags", { again: true }),
  };
}
