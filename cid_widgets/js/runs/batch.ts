/** A batch above its runs: how many are where, when it ends, why some failed, and ways to steer it. */

import { h } from "../lib/dom";
import type { Batch } from "../lib/shapes";
import { sureButton } from "../lib/sure";
import { duration, number, plural, stateWord } from "../lib/words";

const ORDER = ["done", "running", "committing", "starting", "queued", "failed", "cancelled"];

export interface Steering {
  steer(batch: string, how: string): void;
  only(batch: string, state: string): void;
}

/** Seconds as nobody waits for them: "40 s", "12 min", "3 h 5 min". */
const roughly = (seconds: number) => (seconds < 120 || seconds >= 7200 ? duration(seconds) : `${Math.round(seconds / 60)} min`);

/** "about 12 min left (8 to 20)"; without history "at most 2 h left". */
export function left(batch: Batch, now = Date.now()): string {
  const eta = batch.eta;
  if (!eta) return "";
  const seconds = (at: string) => Math.max(0, (Date.parse(at) - now) / 1000);
  if (!eta.likely) return `at most ${roughly(seconds(eta.high))} left`;
  const between = `${roughly(seconds(eta.low))} to ${roughly(seconds(eta.high))}`;
  return `about ${roughly(seconds(eta.likely))} left (${between})`;
}

function bar(batch: Batch): HTMLElement {
  const parts = ORDER.filter((state) => batch.counts[state]).map((state) => {
    const part = h("span", { "data-state": state });
    part.style.flexGrow = String(batch.counts[state]);
    return part;
  });
  return h(
    "span",
    {
      class: "cid-batch-bar",
      role: "progressbar",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      "aria-valuenow": Math.round(100 * batch.fraction),
      "aria-label": "Progress of the batch",
    },
    ...parts,
  );
}

function failures(batch: Batch): HTMLElement | false {
  if (!batch.failures.length) return false;
  const lines = batch.failures.map((one) => {
    const where = one.cell === null ? "" : ` in cell ${one.cell}`;
    return h("li", {}, h("b", {}, `${plural(one.count, "run")}: ${one.error}${where}`), ` ${one.message}`);
  });
  return h("ul", { class: "cid-batch-failures", "aria-label": "Why runs failed" }, ...lines);
}

/** The counts by state; each shows the runs of that state only, or all again. */
function counts(batch: Batch, steering: Steering): HTMLElement[] {
  return ORDER.filter((state) => batch.counts[state]).map((state) => {
    const on = batch.only === state;
    const button = h(
      "button",
      { type: "button", class: "cid-count", "data-state": state, "aria-pressed": String(on) },
      `${number(batch.counts[state]!)} ${stateWord(state)}`,
    );
    button.title = on ? "Show all runs" : "Show these only";
    button.addEventListener("click", () => steering.only(batch.uid, on ? "" : state));
    return button;
  });
}

function buttons(batch: Batch, steering: Steering): HTMLElement[] {
  const plain = (label: string, how: string) =>
    h("button", { type: "button", on: { click: () => steering.steer(batch.uid, how) } }, label);
  const made: HTMLElement[] = [];
  const queued = batch.counts.queued ?? 0;
  if (!batch.ended && queued > batch.paused) made.push(plain("Pause", "pause"));
  if (!batch.ended && batch.paused) made.push(plain("Resume", "resume"));
  if (batch.counts.failed) made.push(plain("Run the failed again", "retry"));
  if (!batch.ended) {
    const sure = () => `Really cancel ${plural(batch.runs, "run")}?`;
    made.push(sureButton("Cancel all", sure, () => steering.steer(batch.uid, "cancel"), { class: "cid-quiet" }));
  }
  return made;
}

export function batchHead(batch: Batch, steering: Steering): HTMLElement {
  const state = h("span", { class: "cid-state", "data-state": batch.state }, stateWord(batch.state));
  const about = [plural(batch.runs, "run"), batch.ended ? "" : left(batch), batch.ended ? "" : batch.waits];
  return h(
    "section",
    { class: "cid-batch", "data-uid": batch.uid, "aria-label": `Batch of ${plural(batch.runs, "run")}` },
    h(
      "div",
      { class: "cid-batch-top" },
      h("b", {}, batch.template),
      state,
      h("span", { class: "cid-hint" }, about.filter(Boolean).join(" · ")),
      h("span", { class: "cid-batch-ways" }, ...buttons(batch, steering)),
    ),
    bar(batch),
    h("div", { class: "cid-batch-counts" }, ...counts(batch, steering)),
    failures(batch),
  );
}
