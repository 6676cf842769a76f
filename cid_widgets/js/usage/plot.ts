/** Bytes by day as a picture that is read with the pointer or the arrow keys, and as a table. */

import { h } from "../lib/dom";
import { bytes } from "../lib/words";
import { dayNumber, nearest, steps, ticks } from "./scale";
import type { Day } from "./shapes";
import { date, hours } from "./words";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 210;
const EDGE = { left: 62, right: 14, top: 10, bottom: 24 };
const RANGES: [number, string][] = [
  [30, "30 days"],
  [90, "90 days"],
  [366, "1 year"],
];
const PAGE = 30; // days of PageUp and PageDown

type Attributes = Record<string, string | number>;

function draw(tag: string, attributes: Attributes, text = ""): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  if (text) made.textContent = text;
  return made;
}

/** What one day says, in words. */
function reading(day: Day): string {
  const archive = day.archive ? `, ${bytes(day.archive)} in the archive` : "";
  return `${date(day.day)}: ${bytes(day.storage)} held${archive}`;
}

interface Limits {
  limit: number;
  soft: number | null;
}

/** Draws itself again when its width changes; `close` ends that. */
export class Plot {
  readonly el: HTMLElement;
  #days: Day[];
  #range = 366;
  #at: number;
  #width = 0;
  #x: (day: string) => number = () => 0;
  #y: (count: number) => number = () => 0;
  #said = h("p", { class: "cid-reading", "aria-hidden": "true" });
  #picture = h("div", {
    class: "cid-plot",
    role: "slider",
    tabindex: "0",
    "aria-label": "Bytes held at the end of each day",
    "aria-valuemin": "0",
  });
  #watch: ResizeObserver;

  constructor(
    private readonly all: Day[],
    private readonly limits: Limits,
  ) {
    this.#days = all;
    this.#at = all.length - 1;
    this.#picture.addEventListener("pointermove", (event) => this.#point(event));
    this.#picture.addEventListener("pointerleave", () => this.#read(this.#days.length - 1));
    this.#picture.addEventListener("keydown", (event) => this.#key(event));
    this.el = h("section", { class: "cid-series", "aria-label": "Over time" }, this.#head(), this.#picture, this.#table());
    this.#watch = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry!.contentRect.width);
      if (width && width !== this.#width) this.#draw(width);
    });
    this.#watch.observe(this.#picture);
  }

  close(): void {
    this.#watch.disconnect();
  }

  #head(): HTMLElement {
    const buttons = RANGES.map(([days, name]) => {
      const button = h("button", { type: "button", "aria-pressed": String(days === this.#range) }, name);
      button.addEventListener("click", () => {
        this.#range = days;
        for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
        const last = dayNumber(this.all[this.all.length - 1]!.day);
        this.#days = this.all.filter(({ day }) => last - dayNumber(day) < days);
        this.#at = this.#days.length - 1;
        this.#draw(this.#width);
      });
      return button;
    });
    const kinds = h("span", { class: "cid-kinds", role: "group", "aria-label": "Days shown" }, ...buttons);
    return h("header", {}, h("h4", {}, "Held at the end of each day"), this.#said, kinds);
  }

  #draw(width: number): void {
    this.#width = width;
    const days = this.#days;
    const [first, last] = [dayNumber(days[0]!.day), dayNumber(days[days.length - 1]!.day)];
    const held = Math.max(...days.map((day) => Math.max(day.storage, day.archive)));
    // a limit far above what is held would press the line to the ground
    const near = [this.limits.limit, this.limits.soft ?? 0].filter((line) => line <= 2.5 * held);
    const marks = steps(Math.max(held, ...near));
    const most = marks[marks.length - 1]!;
    const [right, bottom] = [width - EDGE.right, HEIGHT - EDGE.bottom];
    const breadth = right - EDGE.left;
    this.#x = (day) => EDGE.left + (last === first ? breadth : (breadth * (dayNumber(day) - first)) / (last - first));
    this.#y = (count) => bottom - ((bottom - EDGE.top) * count) / most;

    const svg = draw("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, "aria-hidden": "true" });
    for (const mark of marks) {
      const y = this.#y(mark);
      svg.append(draw("line", { class: "cid-rule", x1: EDGE.left, x2: right, y1: y, y2: y }));
      svg.append(draw("text", { x: EDGE.left - 8, y: y + 4, "text-anchor": "end" }, bytes(mark)));
    }
    const shown = ticks(days, Math.floor(breadth / 130));
    for (const [index, { day }] of shown.entries()) {
      const anchor = index === 0 && shown.length > 1 ? "start" : index === shown.length - 1 ? "end" : "middle";
      svg.append(draw("text", { x: this.#x(day), y: HEIGHT - 6, "text-anchor": anchor }, date(day, last - first > 200)));
    }
    const line = (of: (day: Day) => number) =>
      days.map((day) => `${this.#x(day.day).toFixed(1)},${this.#y(of(day)).toFixed(1)}`).join(" L");
    const held_ = line((day) => day.storage);
    const ground = `L${this.#x(days[days.length - 1]!.day)},${bottom} L${this.#x(days[0]!.day)},${bottom} Z`;
    svg.append(draw("path", { class: "cid-area", d: `M${held_} ${ground}` }));
    svg.append(draw("path", { class: "cid-line-held", d: `M${held_}` }));
    if (days.some((day) => day.archive)) {
      svg.append(draw("path", { class: "cid-line-archive", d: `M${line((day) => day.archive)}` }));
    }
    for (const [name, count] of [["limit", this.limits.limit], ["soft limit", this.limits.soft]] as const) {
      if (count === null || count > most) continue;
      const y = this.#y(count);
      svg.append(draw("line", { class: "cid-limit", "data-line": name, x1: EDGE.left, x2: right, y1: y, y2: y }));
      svg.append(draw("text", { class: "cid-limit-name", x: EDGE.left + 4, y: y - 4 }, `${name} ${bytes(count)}`));
    }
    svg.append(draw("line", { class: "cid-cursor", y1: EDGE.top, y2: bottom }), draw("circle", { class: "cid-point", r: 4 }));
    this.#picture.replaceChildren(svg);
    this.#picture.setAttribute("aria-valuemax", String(days.length - 1));
    this.#read(this.#at);
  }

  /** Mark one day and say what it holds. */
  #read(index: number): void {
    this.#at = Math.max(0, Math.min(index, this.#days.length - 1));
    const day = this.#days[this.#at]!;
    const x = this.#x(day.day).toFixed(1);
    const cursor = this.#picture.querySelector(".cid-cursor")!;
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    const point = this.#picture.querySelector(".cid-point")!;
    point.setAttribute("cx", x);
    point.setAttribute("cy", this.#y(day.storage).toFixed(1));
    this.#said.textContent = reading(day);
    this.#picture.setAttribute("aria-valuenow", String(this.#at));
    this.#picture.setAttribute("aria-valuetext", reading(day));
  }

  #point(event: PointerEvent): void {
    const box = this.#picture.getBoundingClientRect();
    const [first, last] = [this.#days[0]!.day, this.#days[this.#days.length - 1]!.day];
    const share = (event.clientX - box.left - this.#x(first)) / (this.#x(last) - this.#x(first) || 1);
    this.#read(nearest(this.#days, dayNumber(first) + share * (dayNumber(last) - dayNumber(first))));
  }

  #key(event: KeyboardEvent): void {
    const to: Record<string, number> = {
      ArrowLeft: this.#at - 1,
      ArrowDown: this.#at - 1,
      ArrowRight: this.#at + 1,
      ArrowUp: this.#at + 1,
      PageDown: this.#at - PAGE,
      PageUp: this.#at + PAGE,
      Home: 0,
      End: this.#days.length - 1,
    };
    const index = to[event.key];
    if (index === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.#read(index);
  }

  /** The same numbers as text, filled when they are asked for. */
  #table(): HTMLElement {
    const place = h("div", { class: "cid-table" });
    const made = h("details", {}, h("summary", {}, "The days as a table"), place);
    made.addEventListener("toggle", () => {
      if (!made.open || place.firstChild) return;
      const heads = ["Day", "Held", "In the archive", "GPU hours", "CPU core hours"];
      const lines = [...this.all].reverse().map((day) => {
        const told = [bytes(day.storage), day.archive ? bytes(day.archive) : "", hours(day.gpu), hours(day.cpu)];
        const cells = told.map((text) => h("td", { "data-number": "true" }, text));
        return h("tr", {}, h("th", { scope: "row" }, date(day.day)), ...cells);
      });
      const top = heads.map((name, index) => h("th", { scope: "col", "data-number": String(index > 0) }, name));
      place.append(
        h("table", { "aria-label": "Bytes and hours by day" }, h("thead", {}, h("tr", {}, ...top)), h("tbody", {}, ...lines)),
      );
    });
    return made;
  }
}
