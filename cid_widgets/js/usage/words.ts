/** Bytes, money and days as a person reads them. */

import { bytes } from "../lib/words";
import type { Room, Saves } from "./shapes";

/** "+1.2 TB", "-80 GB", "0 B". */
export function signed(count: number): string {
  return count === 0 ? bytes(0) : `${count > 0 ? "+" : "−"}${bytes(Math.abs(count))}`;
}

/** "1 284.00 EUR": the digits as they came, in groups of three. */
export function money(amount: string, currency: string): string {
  const [whole = "", cents] = amount.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return `${grouped}${cents === undefined ? "" : `.${cents}`} ${currency}`.trim();
}

/** When the room ends, and why it is not told. */
export function end({ days_to_full, growth, state, free }: Room): { text: string; why: string } {
  if (state === "full") {
    return { text: "0 days", why: free > 0 ? "A project of this team is full." : "Nothing more is taken." };
  }
  if (days_to_full !== null) {
    const text = days_to_full > 3650 ? "> 10 years" : days_to_full === 1 ? "1 day" : `${days_to_full} days`;
    return { text, why: "What is free, divided by the growth of the last month." };
  }
  if (growth === null) return { text: "–", why: "Known after a week." };
  return { text: "never", why: "It does not grow." };
}

export function growth(of: Room): string {
  return of.growth === null ? "–" : signed(of.growth);
}

export function monthly(saves: Saves | null): string {
  return saves ? money(saves.month, saves.currency) : "–";
}

/** "12 Oct 2026" of "2026-10-12". */
export function date(day: string, year = true): string {
  const how: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", timeZone: "UTC" };
  if (year) how.year = "numeric";
  return new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", how);
}

export function hours(seconds: number): string {
  return seconds ? (seconds / 3600).toFixed(1) : "";
}
