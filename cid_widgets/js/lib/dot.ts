/** The colour of a channel. */

import { h } from "./dom";

/** "ff0000" or "#ff0000" → a dot of that colour; anything else is no colour. */
export function dot(color: string): HTMLElement {
  const made = h("span", { class: "cid-dot", "aria-hidden": "true" });
  const hex = /^#?([0-9a-f]{6})$/i.exec(color)?.[1];
  if (hex) made.style.background = `#${hex}`;
  return made;
}
