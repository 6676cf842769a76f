/** Files on their way: how far all of them are, and those that are of interest one by one. */

import { h } from "../lib/dom";
import { bytes, duration, number } from "../lib/words";
import { Bar } from "./bar";
import type { Importing, Item, Sent } from "./shapes";

const SHOWN = 80;
const RANK: Record<string, number> = { failed: 0, sending: 1, working: 1, waiting: 2, unreadable: 3, done: 4, kept: 4, there: 4 };
const WORDS: Record<string, string> = {
  waiting: "waiting",
  failed: "not readable",
  done: "done",
  kept: "kept as a file",
  there: "there already",
  unreadable: "not readable, kept as a file",
};

interface Line {
  path: string;
  state: string;
  fraction: number;
  title?: string;
}

/** "3 of 12 files · 1.2 of 3.4 GB · 24.0 MB/s · about 2 min left" */
export function sentWords(far: Sent): string {
  const words = [`${number(far.done)} of ${number(far.files)} files`, `${bytes(far.sent)} of ${bytes(far.nbytes)}`];
  if (far.rate > 0) words.push(`${bytes(far.rate)}/s`);
  if (far.left !== null && far.left > 1) words.push(`about ${duration(far.left)} left`);
  return words.join(" · ");
}

export class Progress {
  readonly el: HTMLElement;
  #bar = new Bar("All files");
  #words = h("span", { class: "cid-up-words" });
  #list = h("ul", { class: "cid-up-files", "aria-label": "Files on their way", tabindex: "0" });
  #rows = new Map<string, Row>();

  constructor() {
    this.el = h("div", {}, this.#bar.el, this.#words, this.#list);
  }

  sending(far: Sent, items: Item[] = []): void {
    this.#bar.set(far.nbytes > 0 ? far.sent / far.nbytes : far.files > 0 ? far.done / far.files : 0);
    this.#words.textContent = sentWords(far);
    this.#show(
      items.map((item) => ({
        path: item.path,
        state: item.state,
        fraction: item.nbytes ? item.sent / item.nbytes : 0,
        title: item.state === "done" && item.sha256 ? `sha256 ${item.sha256}` : item.why,
      })),
    );
  }

  importing(far: Partial<Importing>): void {
    this.#bar.set(far.fraction ?? 0);
    this.#words.textContent = far.text || "waiting for a place";
    this.#show((far.files ?? []).map((one) => ({ ...one, fraction: one.fraction ?? 0 })));
  }

  #show(lines: Line[]): void {
    const first = lines
      .map((line, at) => ({ line, at }))
      .sort((a, b) => (RANK[a.line.state] ?? 2) - (RANK[b.line.state] ?? 2) || a.at - b.at)
      .slice(0, SHOWN)
      .map(({ line }) => line);
    const rows = new Map(first.map((line) => [line.path, this.#rows.get(line.path) ?? new Row(line.path)]));
    for (const line of first) rows.get(line.path)!.show(line);
    const order = [...rows.values()].map(({ el }) => el);
    if (order.length !== this.#list.children.length || order.some((el, at) => el !== this.#list.children[at])) {
      this.#list.replaceChildren(...order);
    }
    this.#rows = rows;
    this.#list.hidden = lines.length === 0;
  }
}

class Row {
  readonly el: HTMLElement;
  #bar: Bar;
  #state = h("span", { class: "cid-hint cid-up-state" });

  constructor(path: string) {
    this.#bar = new Bar(path);
    this.el = h("li", {}, h("span", { class: "cid-up-name", title: path }, path), this.#bar.el, this.#state);
  }

  show(line: Line): void {
    const going = line.state === "sending" || line.state === "working";
    this.el.dataset.state = line.state;
    this.el.title = line.title ?? "";
    this.#bar.set(RANK[line.state]! >= 3 ? 1 : line.fraction);
    this.#state.textContent = going ? `${Math.floor(100 * line.fraction)} %` : (WORDS[line.state] ?? line.state);
  }
}
