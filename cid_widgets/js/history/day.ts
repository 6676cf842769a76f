/** Days as people say them. */

const DAY_MS = 86_400_000;

/** "Today", "Yesterday", or "Friday, 20 November 2026" in the reader's language. */
export function day(iso: string, now = new Date()): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return "Some day";
  const midnight = (of: Date) => new Date(of.getFullYear(), of.getMonth(), of.getDate()).getTime();
  const ago = Math.round((midnight(now) - midnight(time)) / DAY_MS);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  return time.toLocaleDateString(undefined, { dateStyle: "full" });
}
