/** How good an image is: bars for each channel, in the words and with the verdicts of the catalog. */

import { h } from "../lib/dom";
import { dot } from "../lib/dot";
import type { Detail, Measure, Quality } from "../lib/shapes";

const MARKS: Record<string, string> = { good: "✓", fair: "!", bad: "✗" };

export function qualityCard(quality: Quality, channels: Detail["channels"]): HTMLElement[] {
  const cards = quality.channels.map(({ name, told }, index) => {
    const title = name || channels[index]?.name || `channel ${index + 1}`;
    const head = h("div", { class: "cid-quality-channel" }, dot(channels[index]?.color ?? ""), title);
    const list = h("dl", { class: "cid-quality", "aria-label": `Quality of ${title}` });
    list.append(...told.flatMap(line));
    return h("div", {}, head, list);
  });
  if (quality.planes) cards.push(h("p", { class: "cid-quality-planes cid-warn" }, quality.planes));
  return cards;
}

function line({ title, text, level, part }: Measure): HTMLElement[] {
  const mark = MARKS[level];
  const filled = h("span", { class: mark ? `cid-quality-${level}` : "" });
  filled.style.width = `${Math.round(100 * Math.min(1, Math.max(0, part)))}%`;
  const bar = h("span", { class: "cid-quality-bar", "aria-hidden": "true" }, mark && filled);
  const verdict = mark
    ? h("span", { class: `cid-quality-mark cid-quality-${level}`, role: "img", "aria-label": level, title: level }, mark)
    : h("span", {});
  const words = h("span", { class: mark ? "" : "cid-quality-unknown" }, text);
  return [h("dt", {}, title), h("dd", {}, bar, verdict, words)];
}
