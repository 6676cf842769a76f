/** What came of it: pictures, what is kept as files, what was there already, what could not be read. */

import { h } from "../lib/dom";
import type { Thumbnails } from "../lib/thumbnails";
import { number, plural } from "../lib/words";
import type { Outcome } from "./shapes";

const PICTURES = 24;

function some(title: string, lines: HTMLElement[], all: number): HTMLElement | false {
  if (all === 0) return false;
  const more = all - lines.length;
  return h(
    "details",
    { class: "cid-up-some", open: all <= 5 },
    h("summary", {}, title),
    h("ul", {}, ...lines, more > 0 && h("li", { class: "cid-hint" }, `and ${number(more)} more`)),
  );
}

/** "3 images came in, 1 file is kept as it is, 2 files were there already." */
function summary(of: Outcome): string {
  const words = [];
  if (of.images_in_all || !(of.kept || of.there_in_all)) words.push(`${plural(of.images_in_all, "image")} came in`);
  if (of.kept) words.push(of.kept === 1 ? "1 file is kept as it came" : `${number(of.kept)} files are kept as they came`);
  if (of.there_in_all) words.push(of.there_in_all === 1 ? "1 was there already" : `${number(of.there_in_all)} were there already`);
  return `${words.join(", ")}.`;
}

export function outcome(of: Outcome, thumbnails: Thumbnails): HTMLElement {
  if (of.message !== undefined) {
    return h("div", { class: "cid-up-outcome" }, h("h4", {}, "The import failed"), h("p", { class: "cid-bad", role: "alert" }, of.message));
  }
  const place = [of.project, of.dataset].filter(Boolean).join(" / ");
  const pictures = of.images.slice(0, PICTURES).map((image) =>
    h("li", { title: image.name }, thumbnails.frame(image), h("span", { class: "cid-up-name" }, image.name)),
  );
  const more = of.images_in_all - pictures.length;
  return h(
    "div",
    { class: "cid-up-outcome" },
    h("h4", { role: "status" }, summary(of)),
    h("p", { class: "cid-hint" }, place),
    of.warning && h("p", { class: "cid-warn" }, of.warning),
    pictures.length > 0 && h("ul", { class: "cid-up-pictures", "aria-label": "New images" }, ...pictures),
    more > 0 && h("p", { class: "cid-hint" }, `and ${plural(more, "more image")}`.replace("more images", "more")),
    some(
      `${plural(of.problems_in_all, "file")} could not be read, and ${of.problems_in_all === 1 ? "is" : "are"} kept as ${of.problems_in_all === 1 ? "a file" : "files"}`,
      of.problems.map(({ path, message }) => h("li", {}, h("b", {}, path), ": ", message)),
      of.problems_in_all,
    ),
    some(
      of.there_in_all === 1 ? "1 file was there already" : `${number(of.there_in_all)} files were there already`,
      of.there.map(({ path, name, project, dataset }) =>
        h("li", {}, h("b", {}, path), ` is there as ${name} in ${[project, dataset].filter(Boolean).join(" / ")}`),
      ),
      of.there_in_all,
    ),
  );
}
