/** What shall be said, changed one key at a time. Every function gives new changes back. */

import type { Changes, Given, Held, TagField } from "./shapes";

/** One value of a key that takes several, as a chip: there, added, or taken off. */
export interface Chip {
  text: string;
  n: number;
  link: string;
  source: string;
  state: "held" | "added" | "off";
}

/** A value as people read it. */
export function text(given: Given): string {
  return typeof given === "object" ? given.label : String(given);
}

function list(given: Given | Given[] | undefined): Given[] {
  return given === undefined ? [] : Array.isArray(given) ? given : [given];
}

function has(values: Given[] | null | undefined, wanted: string): boolean {
  return !!values?.some((one) => text(one) === wanted);
}

/** Is anything of this key changed? */
export function touched(changes: Changes, key: string): boolean {
  return [changes.set, changes.add, changes.remove].some((way) => way !== undefined && key in way);
}

export function any(changes: Changes): boolean {
  return [changes.set, changes.add, changes.remove].some((way) => Object.keys(way ?? {}).length > 0);
}

/** Without this key: the records keep what they say of it. */
export function without(changes: Changes, key: string): Changes {
  const left: Changes = {};
  for (const way of ["set", "add", "remove"] as const) {
    const kept = Object.entries(changes[way] ?? {}).filter(([name]) => name !== key);
    if (kept.length) left[way] = Object.fromEntries(kept) as never;
  }
  return left;
}

/** All records say this one value of the key. */
export function setTo(changes: Changes, key: string, value: Given): Changes {
  const rest = without(changes, key);
  return { ...rest, set: { ...rest.set, [key]: value } };
}

/** No record says anything of the key. */
export function cleared(changes: Changes, key: string): Changes {
  const rest = without(changes, key);
  return { ...rest, remove: { ...rest.remove, [key]: null } };
}

export function isCleared(changes: Changes, key: string): boolean {
  return changes.remove !== undefined && changes.remove[key] === null;
}

/** The one value that is wanted of a key, or undefined. */
export function wanted(changes: Changes, key: string): Given | undefined {
  return list(changes.set?.[key])[0] ?? changes.add?.[key]?.[0];
}

/** The values of a key as chips: those that are there, then those that are added. */
export function chips(changes: Changes, field: TagField, count: number): Chip[] {
  const { key } = field;
  const replaced = changes.set?.[key] === undefined ? null : list(changes.set[key]);
  const removed = changes.remove?.[key];
  const asked = replaced ?? changes.add?.[key] ?? [];
  const held = field.values.map((one: Held): Chip => {
    const gone = removed === null || has(removed, one.text) || (replaced !== null && !has(replaced, one.text));
    const more = one.n < count && has(asked, one.text);
    return { ...one, state: more ? "added" : gone ? "off" : "held" };
  });
  const known = new Set(field.values.map((one) => one.text));
  const added = asked.filter((one) => !known.has(text(one)));
  return [...held, ...added.map((one): Chip => ({ text: text(one), n: 0, link: "", source: "", state: "added" }))];
}

/** The changes that make a key's chips what they are. */
function from(changes: Changes, key: string, shown: Chip[], given: Given[]): Changes {
  const add = shown.filter(({ state }) => state === "added").map((chip) => given.find((one) => text(one) === chip.text) ?? chip.text);
  const off = shown.filter(({ state }) => state === "off").map((chip) => chip.text);
  const rest = without(changes, key);
  if (add.length) rest.add = { ...rest.add, [key]: add };
  if (off.length) rest.remove = { ...rest.remove, [key]: off };
  return rest;
}

/** With one chip in another state; a value that is not there yet is added. */
export function chipped(changes: Changes, field: TagField, count: number, value: Given, state: Chip["state"]): Changes {
  const { key } = field;
  const shown = chips(changes, field, count);
  const given = [...list(changes.set?.[key]), ...(changes.add?.[key] ?? []), value];
  const known = shown.find((chip) => chip.text === text(value));
  if (known) known.state = known.n === 0 && state !== "added" ? "off" : state;
  else if (state === "added") shown.push({ text: text(value), n: 0, link: "", source: "", state });
  const kept = shown.filter((chip) => chip.n > 0 || chip.state !== "off");
  for (const chip of kept) if (chip.state === "added" && chip.n >= count) chip.state = "held";
  return from(changes, key, kept, given);
}

/** One value takes the place of another that was asked for. */
export function instead(changes: Changes, field: TagField, count: number, old: string, value: string): Changes {
  if (!field.many) return setTo(changes, field.key, value);
  return chipped(chipped(changes, field, count, old, "held"), field, count, value, "added");
}
