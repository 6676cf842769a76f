/** The runs of a batch, as they go. The kernel watches; this shows what it wrote. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { MonitorState, Run } from "../lib/shapes";
import type { Thumbnails } from "../lib/thumbnails";
import { plural, stateWord } from "../lib/words";
import { type Actions, RunRow } from "./row";

const ORDER = ["running", "committing", "starting", "queued", "failed", "cancelled", "done"];

/** "12 runs: 3 running, 9 done" */
function summary(runs: Run[]): string {
  const parts = ORDER.map((state): [string, number] => [
    state,
    runs.filter((run) => run.state === state).length,
  ]);
  const words = parts.filter(([, count]) => count).map(([state, count]) => `${count} ${stateWord(state)}`);
  return runs.length ? `${plural(runs.length, "run")}: ${words.join(", ")}` : "";
}

/** Follow a link that the kernel gave, as a download. */
function download(url: string, name: string): void {
  if (!/^(\/|https?:)/.test(url)) return;
  const link = h("a", { href: url, download: name, rel: "noopener" });
  document.body.append(link);
  link.click();
  link.remove();
}

/** The list of runs; `empty` is what it says when there are none. */
export function monitor(
  kernel: Kernel<MonitorState>,
  thumbnails: Thumbnails,
  empty: string,
): HTMLElement {
  const rows = new Map<string, RunRow>();
  const wanted = new Set<string>();
  const head = h("p", { class: "cid-summary", role: "status" });
  const trouble = h("p", { class: "cid-error", role: "alert" });
  const list = h("ul", { class: "cid-runs", "aria-label": "Runs" });
  const actions: Actions = {
    cancel: (uid) => kernel.ask("cancel", { run: uid }),
    fetch: (uid) => {
      wanted.add(uid);
      kernel.ask("file", { uid });
    },
  };
  kernel.told("file", ({ uid, url, name }) => {
    if (wanted.delete(uid)) download(url, name);
  });
  kernel.show(["runs"], () => {
    const runs = kernel.get("runs");
    for (const run of runs) {
      const row = rows.get(run.uid);
      if (row) row.show(run);
      else rows.set(run.uid, new RunRow(run, thumbnails, actions));
    }
    const order = runs.map((run) => rows.get(run.uid)!.el);
    if (order.some((el, index) => list.children[index] !== el) || list.children.length !== order.length) {
      list.replaceChildren(...order);
    }
    head.textContent = summary(runs) || empty;
    head.hidden = !head.textContent;
  });
  kernel.show(["runs_error"], () => {
    trouble.textContent = kernel.get("runs_error");
    trouble.hidden = !trouble.textContent;
    if (trouble.textContent) rows.forEach((row) => row.again());
  });
  const clock = setInterval(() => rows.forEach((row) => row.tick()), 1000);
  kernel.finally(() => clearInterval(clock));
  return h("div", { class: "cid-monitor" }, head, trouble, list);
}
