/** The runs of a batch, as they go. The kernel watches; this shows what it wrote. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { MonitorState, Run } from "../lib/shapes";
import type { Thumbnails } from "../lib/thumbnails";
import { number, plural, stateWord } from "../lib/words";
import { batchHead } from "./batch";
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
  const heads = h("div", { class: "cid-batches" });
  const more = h("div", { class: "cid-more" });
  const steering = {
    steer: (batch: string, how: string) => kernel.ask("steer", { batch, how }),
    only: (batch: string, state: string) => kernel.ask("more_runs", { batch, state }),
  };
  const actions: Actions = {
    cancel: (uid) => kernel.ask("cancel", { run: uid }),
    steer: (uid, how) => kernel.ask("steer", { run: uid, how }),
    fetch: (uid) => {
      wanted.add(uid);
      kernel.ask("file", { uid });
    },
  };
  kernel.told("file", ({ uid, url, name }) => {
    if (wanted.delete(uid)) download(url, name);
  });
  /** A run alone says all of it itself. */
  const several = () => (kernel.get("batches") ?? []).filter((one) => one.runs > 1);
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
    head.textContent = several().length ? "" : summary(runs) || empty;
    head.hidden = !head.textContent;
    const shown = new Set(runs.map(({ uid }) => uid));
    for (const uid of rows.keys()) if (!shown.has(uid)) rows.delete(uid);
  });
  kernel.show(["batches"], () => {
    const batches = several();
    const held = heads.contains(document.activeElement) ? (document.activeElement as HTMLElement).textContent : null;
    heads.replaceChildren(...batches.map((one) => batchHead(one, steering)));
    if (held !== null) {
      const again = [...heads.querySelectorAll("button")].find((button) => button.textContent === held);
      again?.focus({ preventScroll: true });
    }
    const partly = batches.filter((one) => one.shown < (one.only ? (one.counts[one.only] ?? 0) : one.runs));
    more.replaceChildren(
      ...partly.map((one) => {
        const label = `Show more of ${number(one.only ? (one.counts[one.only] ?? 0) : one.runs)} (${number(one.shown)} are shown)`;
        return h("button", { type: "button", on: { click: () => kernel.ask("more_runs", { batch: one.uid }) } }, label);
      }),
    );
  });
  kernel.show(["runs_error"], () => {
    trouble.textContent = kernel.get("runs_error");
    trouble.hidden = !trouble.textContent;
    if (trouble.textContent) rows.forEach((row) => row.again());
  });
  const clock = setInterval(() => rows.forEach((row) => row.tick()), 1000);
  kernel.finally(() => clearInterval(clock));
  return h("div", { class: "cid-monitor" }, head, trouble, heads, list, more);
}
