/** How much of what is asked of an image is there, and why the rest is not. */

import { h } from "../lib/dom";
import type { Detail } from "../lib/shapes";

/** The bar, and each thing that is missing with its reason; false where nothing is asked. */
export function completeness(image: Detail): HTMLElement | false {
  if (image.completeness === null) return false;
  const percent = Math.floor(image.completeness * 100);
  const missing = Object.entries(image.unknown);
  const words = missing.length ? `${missing.length} unknown` : "all that is asked is there";
  const bar = h("span", {
    class: "cid-bar",
    role: "meter",
    "aria-label": "Completeness",
    "aria-valuemin": "0",
    "aria-valuemax": "100",
    "aria-valuenow": `${percent}`,
    "aria-valuetext": `${percent} %, ${words}`,
    title: missing.map(([key]) => key).join(", "),
  });
  bar.style.setProperty("--part", `${percent}%`);
  const list = h("dl", { class: "cid-facts cid-unknown" });
  for (const [key, why] of missing) list.append(h("dt", {}, key), h("dd", {}, why));
  return h(
    "section",
    { class: "cid-complete" },
    h("h4", {}, "Completeness"),
    h("div", {}, bar, h("span", {}, `${percent} %`), h("span", { class: "cid-soft" }, words)),
    missing.length > 0 && list,
  );
}
