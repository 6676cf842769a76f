/** When a role ends, in words and as a day to choose. A day means its end, where the reader is. */

const DAY_MS = 86_400_000;

function day(time: Date): string {
  const two = (count: number) => String(count).padStart(2, "0");
  return `${String(time.getFullYear()).padStart(4, "0")}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** Today as a date field has it. */
export function today(): string {
  return day(new Date());
}

/** "2027-06-30", or "" for no end. */
export function asDay(iso: string): string {
  const time = new Date(iso);
  return iso && !Number.isNaN(time.getTime()) ? day(time) : "";
}

/** The last second of that day, as ISO; "" for no end. */
export function endOf(chosen: string): string {
  return chosen ? new Date(`${chosen}T23:59:59`).toISOString() : "";
}

export function onDay(iso: string): string {
  const time = new Date(iso);
  if (!iso || Number.isNaN(time.getTime())) return "";
  return time.toLocaleDateString(undefined, { dateStyle: "medium" });
}

/** "no end", "ends today", "ends in 12 days", "ended 3 Nov 2026". */
export function ending(iso: string): string {
  if (!iso) return "no end";
  const left = Date.parse(iso) - Date.now();
  if (left <= 0) return `ended ${onDay(iso)}`;
  const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(Date.parse(iso)) - midnight(Date.now())) / DAY_MS);
  if (days === 0) return "ends today";
  return days === 1 ? "ends tomorrow" : `ends in ${days} days`;
}

export function ended(iso: string): boolean {
  return iso !== "" && Date.parse(iso) <= Date.now();
}
