/** One run as one line: where it is, what came out, what went wrong. */

import { copyButton, h } from "../lib/dom";
import { once } from "../lib/once";
import type { Run } from "../lib/shapes";
import type { Thumbnails } from "../lib/thumbnails";
import { duration, stateWord } from "../lib/words";

const SURE_MS = 4000;
const OURS = /^\/(?!\/)/; // a path of this host

export interface Actions {
  cancel(uid: string): void;
  steer(uid: string, how: string): void;
  fetch(uid: string): void;
}

/** Seconds since the run started; for one that has ended, how long it took. */
function elapsed(run: Run): string {
  const start = Date.parse(run.started_at);
  if (Number.isNaN(start)) return "";
  const end = run.ended ? Date.parse(run.ended_at) : Date.now();
  return Number.isNaN(end) ? "" : duration((end - start) / 1000);
}

function progress(run: Run): HTMLElement {
  const done = run.state === "done" ? 1 : (run.fraction ?? 0);
  const fill = h("span");
  fill.style.width = `${Math.round(100 * Math.min(1, Math.max(0, done)))}%`;
  return h(
    "span",
    {
      class: "cid-progress",
      role: "progressbar",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      "aria-valuenow": Math.round(100 * done),
      "aria-label": `Progress of ${run.input?.name ?? run.template}`,
    },
    fill,
  );
}

function doing(run: Run): string {
  if (run.paused && run.state === "queued") return "paused: it waits until somebody resumes it";
  if (run.state === "queued") return run.waits || "waiting for a place";
  if (run.state === "starting") return "starting a cluster";
  if (run.output) return `results in ${run.dataset || "the project"}`;
  if (run.ended) return "";
  const cell = run.cells > 0 ? `cell ${run.cell} of ${run.cells}` : "";
  const tile = run.tiles > 0 ? `tile ${run.tile} of ${run.tiles}` : "";
  return [cell, tile, run.text].filter(Boolean).join(" · ");
}

function failure(run: Run): HTMLElement | false {
  if (!run.error && !run.refused) return false;
  const where = run.error?.cell == null ? "" : `Cell ${run.error.cell}: `;
  const line = run.error ? where + run.error.message : `${run.then[0]} could not begin: ${run.refused}`;
  return h("p", { class: "cid-run-error", title: line }, line);
}

function results(run: Run, thumbnails: Thumbnails, actions: Actions): HTMLElement {
  const metrics = run.metrics.map(([key, value]) =>
    h("span", { class: "cid-metric" }, key, " ", h("strong", {}, value)),
  );
  const box = h("div", { class: "cid-results" });
  if (run.output) box.append(thumbnails.frame(run.output));
  const words = h("div", { class: "cid-results-words" }, ...metrics);
  const record = run.notebook;
  if (record) {
    const of = run.input?.name ?? run.template;
    const read = { href: record.page, target: "_blank", rel: "noopener noreferrer", class: "cid-link" };
    const link = OURS.test(record.page) && h("a", { ...read, title: "Read the executed notebook, in a new tab", "aria-label": `notebook of the run on ${of} (new tab)` }, "notebook");
    const save = h("button", { type: "button", class: "cid-link", "aria-label": `Download the executed notebook of the run on ${of}` }, "download");
    save.title = `Download ${record.name}, the record of this run`;
    save.addEventListener("click", () => actions.fetch(record.uid));
    const digest = h("code", { title: `sha256 ${record.sha256}` }, record.sha256.slice(0, 8));
    words.append(h("span", { class: "cid-record" }, link, save, digest, copyButton(record.sha256, "its sha256")));
  }
  box.append(words);
  return box;
}

/** A button that asks once more before it ends a run. */
function cancelButton(run: Run, cancel: () => void): HTMLElement {
  const button = h("button", { type: "button", class: "cid-cancel" }, "Cancel");
  if (run.cancelling) {
    button.disabled = true;
    button.textContent = "Cancelling…";
  }
  let sure = false;
  button.addEventListener("click", () => {
    if (sure) {
      button.disabled = true;
      button.textContent = "Cancelling…";
      cancel();
      return;
    }
    sure = true;
    button.textContent = "Really cancel?";
    setTimeout(() => {
      if (button.disabled) return;
      sure = false;
      button.textContent = "Cancel";
    }, SURE_MS);
  });
  button.setAttribute("aria-label", `Cancel the run on ${run.input?.name ?? run.template}`);
  return button;
}

/** What else one may do with it now. */
function steeringButtons(run: Run, actions: Actions): HTMLElement[] {
  const how = run.state === "failed" || run.refused ? "retry" : run.state === "queued" ? (run.paused ? "resume" : "pause") : "";
  if (!how) return [];
  const label = { retry: "Run again", resume: "Resume", pause: "Pause" }[how]!;
  const button = h("button", { type: "button", class: "cid-quiet" }, label);
  button.setAttribute("aria-label", `${label}: ${run.input?.name ?? run.template}`);
  once(button, () => actions.steer(run.uid, how));
  return [button];
}

/** The line of one run. Parts that did not change stay, so that buttons and images are not lost. */
export class RunRow {
  readonly el = h("li", { class: "cid-run" });
  #said = h("div", { class: "cid-run-words" });
  #time = h("span", { class: "cid-time" });
  #state = h("span", { class: "cid-state" });
  #tail = h("div", { class: "cid-run-tail" });
  #tailOf = "";
  #run: Run;

  constructor(
    run: Run,
    private readonly thumbnails: Thumbnails,
    private readonly actions: Actions,
  ) {
    this.#run = run;
    this.el.dataset.uid = run.uid;
    const picture = run.input ? thumbnails.frame(run.input) : h("span", { class: "cid-thumb" });
    const where = h("div", { class: "cid-run-where" }, this.#state, this.#time);
    this.el.append(picture, this.#said, where, this.#tail);
    this.show(run);
  }

  show(run: Run): void {
    this.#run = run;
    const others = run.inputs > 1 ? ` and ${run.inputs - 1} more` : "";
    this.#state.dataset.state = run.state;
    this.#state.textContent = stateWord(run.state);
    this.#said.replaceChildren(
      h("span", { class: "cid-name", title: run.input?.name }, (run.input?.name ?? "(no image)") + others),
      h("span", { class: "cid-template" }, [run.template, ...run.then].join(" → ")),
      ...(run.ended ? [] : [progress(run)]),
      h("span", { class: "cid-doing" }, doing(run)),
      failure(run) || "",
    );
    const tailOf = JSON.stringify([run.state, run.paused, run.cancelling, run.output, run.notebook, run.metrics, run.refused]);
    if (tailOf !== this.#tailOf) {
      this.#tailOf = tailOf;
      const cancel = () => this.actions.cancel(run.uid);
      this.#tail.replaceChildren(
        results(run, this.thumbnails, this.actions),
        ...steeringButtons(run, this.actions),
        ...(run.ended ? [] : [cancelButton(run, cancel)]),
      );
    }
    this.tick();
  }

  /** Something was refused: offer the buttons again. */
  again(): void {
    this.#tailOf = "";
    this.show(this.#run);
  }

  tick(): void {
    this.#time.textContent = elapsed(this.#run);
  }
}
