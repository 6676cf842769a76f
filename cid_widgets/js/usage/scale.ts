/** The numbers of a plot: round steps for bytes, dates that fit below it, what is near a point. */

import type { Day } from "./shapes";

export const DAY_MS = 86_400_000;

/** Days since 1970 of "2026-10-12". */
export function dayNumber(day: string): number {
  return Math.round(Date.parse(`${day}T00:00:00Z`) / DAY_MS);
}

/** Round steps from 0 to at least `most` (and one byte), about `count`: 1, 2 or 5 times a power of ten. */
export function steps(most: number, count = 4): number[] {
  const top = Math.max(most, 1);
  const rough = top / count;
  const power = Math.max(10 ** Math.floor(Math.log10(rough)), 1);
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough)!;
  const found = [0];
  while (found[found.length - 1]! < top) found.push(found.length * step);
  return found;
}

/** Days for the axis: at most `count`, the first and the last among them, evenly apart. */
export function ticks(days: Day[], count: number): Day[] {
  const wanted = Math.min(days.length, Math.max(count, 2));
  if (wanted < 2) return days.slice(0, 1);
  const at = Array.from({ length: wanted }, (_, i) => Math.round((i * (days.length - 1)) / (wanted - 1)));
  return [...new Set(at)].map((index) => days[index]!);
}

/** The index of the day that is nearest to a number of days since 1970. */
export function nearest(days: Day[], at: number): number {
  let best = 0;
  for (const [index, { day }] of days.entries()) {
    if (Math.abs(dayNumber(day) - at) < Math.abs(dayNumber(days[best]!.day) - at)) best = index;
  }
  return best;
}
