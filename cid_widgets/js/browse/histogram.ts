/** Numbers or dates of a key: how they spread, and a range one can drag or type. */

import { debounce, h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { BrowserState, Facet, Spread } from "../lib/shapes";
import { number } from "../lib/words";

const STEPS = 100;
const DRAG_MS = 250;
const DAY = 86_400;

/** How values of this type are written, read and rounded. */
interface Scale {
  input: string;
  write(value: number): string;
  read(text: string): number;
  down(value: number): number;
  up(value: number): number;
}

const DATES: Scale = {
  input: "date",
  write: (value) => new Date(value * 1000).toISOString().slice(0, 10),
  read: (text) => Date.parse(text.slice(0, 10)) / 1000,
  down: (value) => Math.floor(value / DAY) * DAY,
  up: (value) => Math.ceil(value / DAY) * DAY,
};

/** Numbers with as many digits as a hundredth of the span needs. */
function numbers({ lowest, highest }: Spread): Scale {
  const step = 10 ** Math.floor(Math.log10((highest - lowest) / STEPS || 1));
  const clean = (value: number) => Number((value * step).toPrecision(12));
  return {
    input: "number",
    write: (value) => String(value),
    read: (text) => (text.trim() ? Number(text) : NaN),
    down: (value) => clean(Math.floor(value / step + 1e-9)),
    up: (value) => clean(Math.ceil(value / step - 1e-9)),
  };
}

/** Draw the spread of a facet's numbers. */
export function histogram(kernel: Kernel<BrowserState>, facet: Facet, spread: Spread): HTMLElement {
  const scale = spread.type === "date" ? DATES : numbers(spread);
  const { lowest, highest } = spread;
  const place = (value: number) => Math.round((STEPS * (value - lowest)) / (highest - lowest || 1));
  const ends = [facet.low, facet.high].map((text) => text.replace(spread.unit, "").trim());
  const ask = (low: string, high: string) => kernel.ask("between", { key: facet.key, low, high });

  const tallest = Math.max(...spread.bins, 1);
  const bars = spread.bins.map((count) => {
    const bar = h("span", { class: "cid-bin" });
    bar.style.height = count ? `${Math.max(6, (100 * count) / tallest)}%` : "0";
    return bar;
  });
  const typed = ["from", "to"].map((word, side) => {
    const input = h("input", {
      type: scale.input,
      step: scale.input === "number" ? "any" : undefined,
      value: ends[side],
      placeholder: scale.write(side ? scale.up(highest) : scale.down(lowest)),
      "aria-label": `${facet.title} ${word}`,
      "data-facet": `${facet.key}\n${word}`,
    });
    input.addEventListener("change", () => ask(typed[0]!.value, typed[1]!.value));
    input.addEventListener("keydown", (event) => event.stopPropagation());
    return input;
  });
  const sliders = ["lowest", "highest"].map((word, side) => {
    const value = scale.read(ends[side]!);
    const slider = h("input", {
      type: "range",
      min: "0",
      max: STEPS,
      "aria-label": `${facet.title} ${word}`,
      "data-facet": `${facet.key}\n${word}`,
    });
    slider.value = String(Number.isNaN(value) ? side * STEPS : place(value));
    return slider;
  });

  const at = () => sliders.map((slider) => Number(slider.value)) as [number, number];
  const paint = () => {
    const [low, high] = at();
    bars.forEach((bar, index) => {
      const middle = (STEPS * (index + 0.5)) / bars.length;
      bar.toggleAttribute("data-in", middle >= low && middle <= high);
    });
    sliders.forEach((slider, side) => slider.setAttribute("aria-valuetext", typed[side]!.value || typed[side]!.placeholder));
  };
  const settle = debounce(DRAG_MS, () => ask(typed[0]!.value, typed[1]!.value));
  sliders.forEach((slider, side) => {
    slider.addEventListener("input", () => {
      const [low, high] = at();
      if (low > high) slider.value = String(side ? low : high);
      const step = Number(slider.value);
      const value = lowest + ((highest - lowest) * step) / STEPS;
      const open = step === side * STEPS;
      typed[side]!.value = open ? "" : scale.write(side ? scale.up(value) : scale.down(value));
      paint();
      settle();
    });
    slider.addEventListener("keydown", (event) => event.stopPropagation());
  });
  paint();
  return h(
    "div",
    { class: "cid-spread", role: "group", "aria-label": `${facet.title}, ${number(spread.count)} images` },
    h("div", { class: "cid-bins", "aria-hidden": "true" }, ...bars),
    h("div", { class: "cid-sliders" }, ...sliders),
    h("div", { class: "cid-ends" }, typed[0]!, "–", typed[1]!, spread.unit && h("span", { class: "cid-note" }, spread.unit)),
  );
}
