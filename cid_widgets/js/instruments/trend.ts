/** A small picture of numbers over time, with the band that they may lie in. */

import type { Series } from "./shapes";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 200;
const HEIGHT = 44;
const EDGE = 5;
const TOLD = 6; // of the last numbers, in its title

function draw(tag: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

export function trend({ name, points, low, high }: Series): SVGElement {
  const ends = [low, high].filter((end) => end !== null);
  const values = [...points.map(([, value]) => value), ...ends];
  const margin = (Math.max(...values) - Math.min(...values)) * 0.1 || Math.abs(values[0]!) * 0.1 || 1;
  const [bottom, top] = [Math.min(...values) - margin, Math.max(...values) + margin];
  const moments = points.map(([at]) => Date.parse(at));
  const [first, span] = [moments[0]!, moments[moments.length - 1]! - moments[0]!];
  const x = (moment: number) => EDGE + (span ? (moment - first) / span : 0.5) * (WIDTH - 2 * EDGE);
  const y = (value: number) => EDGE + ((top - value) / (top - bottom)) * (HEIGHT - 2 * EDGE);

  const told = points.slice(-TOLD).map(([at, value]) => `${at.slice(0, 10)}: ${value}`);
  const svg = draw("svg", { class: "cid-trend", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img" });
  const title = draw("title", {});
  title.textContent = `${name}: ${told.join(", ")}`;
  svg.append(title);
  if (ends.length) {
    const upper = high === null ? 0 : y(high);
    svg.append(draw("rect", { class: "cid-trend-band", y: upper, width: WIDTH, height: (low === null ? HEIGHT : y(low)) - upper }));
  }
  svg.append(draw("polyline", { points: points.map(([, value], n) => `${x(moments[n]!)},${y(value)}`).join(" ") }));
  points.forEach(([, value, fine], n) => {
    const last = n === points.length - 1;
    svg.append(draw("circle", { cx: x(moments[n]!), cy: y(value), r: last ? 3.5 : 2, "data-fine": String(fine) }));
  });
  return svg;
}
