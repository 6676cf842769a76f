/** What the runs will take, in a sentence: "about 12 min (8 to 20), 1.2 GB, 3.40 EUR". */

import { h } from "../lib/dom";
import type { Preflight } from "../lib/shapes";

/** The line; nothing where nothing would run. */
export function takes(found: Preflight | null): HTMLElement[] {
  const says = found && !found.error ? found.estimate?.says : "";
  if (!says || !found || found.counts.green + found.counts.amber === 0) return [];
  return [h("p", { class: "cid-note cid-estimate" }, `${says.charAt(0).toUpperCase()}${says.slice(1)}.`)];
}
