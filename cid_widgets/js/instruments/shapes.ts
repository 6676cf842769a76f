/** What travels between the kernel and the view of microscopes; `cid_widgets/instruments/shapes.py` makes it. */

import type { ChangingState } from "../lib/shapes";

/** One microscope of the list; what is not known of how it stands is null or "". */
export interface Line {
  uid: string;
  name: string;
  serial: string;
  room: string;
  names: string[];
  retired: boolean;
  model: string;
  images: number | null;
  last_used: string;
  control: string; // within, out, overdue, never
  why: string;
}

export interface Version {
  uid: string;
  since: string;
  why: string;
  person: string;
  tier: number | null;
}

export interface Parts {
  title: string;
  columns: string[];
  rows: string[][];
}

export interface Tier {
  reached: number;
  missing: { tier: number; fields: string[] }[];
}

/** What it is made of by one version; `changes` since the version `against`. */
export interface Made {
  uid: string;
  against: string;
  microscope: string;
  parts: Parts[];
  changes: string[];
  tier: Tier | null;
}

/** A series of quality control; its points are moment, value, and whether it lay where it may. */
export interface Series {
  name: string;
  metric: string;
  place: string;
  unit: string;
  low: number | null;
  high: number | null;
  every: number | null; // days
  points: [string, number, boolean | null][];
  value: number;
  on: string;
  due: string;
  state: string; // within, out, overdue
  person: string;
  note: string;
}

/** What a file says; `target` is the microscope that it would be a version of, "" a new one. */
export interface Preview {
  file: string;
  name: string;
  target: string;
  microscope: string;
  parts: Parts[];
  changes: string[];
  first: boolean;
  tier: Tier | null;
}

export interface InstrumentsState extends ChangingState {
  staff: boolean;
  scopes: Line[];
  find: string;
  opened: string;
  versions: Version[];
  made: Made | null;
  series: Series[];
  masks: string[];
  query: string;
  preview: Preview | null;
  beside: string | null;
}

/** How quality control stands, in words. */
export const STATES: Record<string, string> = {
  within: "within limits",
  out: "out of limits",
  overdue: "overdue",
  never: "not measured",
  free: "no limits said",
};
