/** Uploads that were broken off: go on with one by dropping the same files again, or give it up. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import { sureButton } from "../lib/sure";
import { bytes, number, when } from "../lib/words";
import type { Unfinished, UploadState } from "./shapes";

function line(one: Unfinished, kernel: Kernel<UploadState>, goOn: (one: Unfinished) => void): HTMLElement {
  const place = [one.project, one.dataset].filter(Boolean).join(" / ");
  const whole = one.done === one.files;
  const first = one.files === 1 ? one.first : `${one.first} and ${number(one.files - 1)} more`;
  const button = h("button", { type: "button" }, "Import");
  button.addEventListener("click", () => goOn(one));
  return h(
    "li",
    { "data-uid": one.uid },
    h(
      "div",
      {},
      h("b", {}, first),
      h("span", { class: "cid-hint" }, ` to ${place} · ${bytes(one.nbytes)} · begun ${when(new Date(one.at * 1000).toISOString())}`),
      h("div", {}, whole ? "All its files are there." : `${number(one.done)} of ${number(one.files)} files are there. Drop the same files again to go on.`),
    ),
    whole && button,
    sureButton("Give up…", () => "Really give it up?", () => kernel.ask("discard", { uid: one.uid }), { class: "cid-quiet cid-remove" }),
  );
}

export function unfinishedList(kernel: Kernel<UploadState>, goOn: (one: Unfinished) => void): HTMLElement {
  const list = h("ul", { class: "cid-up-unfinished", "aria-label": "Broken off" });
  const el = h("section", {}, h("h4", {}, "Broken off"), list);
  kernel.show(["unfinished"], () => {
    const all = kernel.get("unfinished");
    list.replaceChildren(...all.map((one) => line(one, kernel, goOn)));
    el.hidden = all.length === 0;
  });
  return el;
}
