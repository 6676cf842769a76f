/** Numbers as a person reads them. */

const UNITS: Record<string, string> = {
  nanometer: "nm",
  micrometer: "µm",
  millimeter: "mm",
  millisecond: "ms",
  second: "s",
  minute: "min",
};

/** 1536 → "1.5 kB" (powers of 1000, as invoices count). */
export function bytes(count: number): string {
  const names = ["B", "kB", "MB", "GB", "TB", "PB"];
  const power = Math.min(names.length - 1, count < 1000 ? 0 : Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${names[power]}`;
}

/** "2048×2048 · 3c · 12z": the plane first, then the axes that have more than one element. */
export function dims(axes: string, shape: number[]): string {
  const length = (axis: string) => shape[axes.indexOf(axis)] ?? 1;
  const others = [...axes].filter((axis) => !"yx".includes(axis) && length(axis) > 1);
  const order = "czt";
  others.sort((a, b) => order.indexOf(a) - order.indexOf(b));
  return [`${length("x")}×${length("y")}`, ...others.map((axis) => `${length(axis)}${axis}`)].join(" · ");
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function size(axis: string, scale: Record<string, number>, units: Record<string, string>): string {
  const unit = units[axis] ?? "";
  return `${short(scale[axis]!)} ${UNITS[unit] ?? unit}`.trim();
}

/** "0.1 × 0.1 µm" (x × y), or "not calibrated". */
export function pixelSize(scale: Record<string, number>, units: Record<string, string>): string {
  if (scale.x === undefined || scale.y === undefined) return "not calibrated";
  if (units.x === units.y) return `${short(scale.x)} × ${size("y", scale, units)}`;
  return `${size("x", scale, units)} × ${size("y", scale, units)}`;
}

/** The step along z or t, or "not calibrated". */
export function step(
  axis: string,
  scale: Record<string, number>,
  units: Record<string, string>,
): string {
  return scale[axis] === undefined ? "not calibrated" : size(axis, scale, units);
}

/** 75 → "1 min 15 s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** An ISO time in the reader's zone, or "". */
export function when(iso: string): string {
  const time = new Date(iso);
  if (!iso || Number.isNaN(time.getTime())) return "";
  return time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** What may be an ISO time: then as a person reads it, else as it is. */
export function moment(value: string): string {
  return (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/.test(value) && when(value)) || value;
}

/** The word for a run's state; what the catalog calls committing is saving to a person. */
export function stateWord(state: string): string {
  return state === "committing" ? "saving results" : state;
}

/** 1234 → "1 234", with a narrow blank that does not break. */
export function number(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

export function plural(count: number, one: string): string {
  return `${number(count)} ${one}${count === 1 ? "" : "s"}`;
}
