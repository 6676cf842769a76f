/** What travels between the kernel and the vocabulary. Python makes these in `cid_widgets/vocabulary/shapes.py`. */

import type { ChangingState } from "../lib/shapes";

/** A term as a line of the table; `project` is "" for the facility's. */
export interface Term {
  uid: string;
  key: string;
  type: string;
  unit: string;
  kind: string;
  scheme: string;
  pattern: string;
  link: string;
  help: string;
  project: string;
  many: boolean;
  retired: boolean;
  edit: boolean;
  edit_values: boolean;
  records: number | null; // null: not counted
  top: string[]; // its most frequent values
  count: number; // of values that are used
  alike: number; // pairs of values that may be the same
  span: string; // of numbers and dates
}

export interface Value {
  uid: string;
  text: string;
  link: string;
  n: number;
  declared: boolean;
}

/** The opened term; `pairs` are places of values that may be the same, the others are uids. */
export interface Shown {
  uid: string;
  q: string;
  values: Value[];
  more: boolean;
  pairs: [number, number][];
  alike: string[];
  into: string[];
}

export interface VocabularyState extends ChangingState {
  project: string;
  title: string;
  manages: boolean;
  why: string;
  terms: Term[];
  opened: string;
  shown: Shown | null;
  filter: string;
  with_retired: boolean;
  count_error: string;
}

/** A value as a combobox offers it. */
export type Offer = Pick<Value, "text" | "n">;

/** What a panel may ask. */
export type Ask = (question: string, rest: Record<string, unknown>) => void;
