/** What travels between the kernel and the view of masks; `cid_widgets/masks/shapes.py` makes it. */

import type { ChangingState } from "../lib/shapes";

export interface Line {
  uid: string;
  name: string;
  instrument: string;
  retired: boolean;
  version: number;
}

export type Value = string | number;

/** A field of the document; what is not said is as it is anyway. */
export interface Field {
  key: string;
  type?: string;
  required?: boolean;
  many?: boolean;
  unit?: string;
  choices?: Value[];
  default?: Value;
  help?: string;
  from?: string;
  [other: string]: unknown;
}

export interface Document {
  mask?: string;
  instrument?: string;
  closed?: boolean;
  filename?: string;
  help?: string;
  fields?: Field[];
  [other: string]: unknown;
}

export interface Wrong {
  field: string;
  file: string;
  line: number | null;
  message: string;
}

export interface Tried {
  path: string;
  good: boolean;
  asks: string[];
  tags: { key: string; value: string; source: string }[];
}

export interface Version {
  number: number;
  note: string;
  person: string;
  at: string;
}

export interface MasksState extends ChangingState {
  staff: boolean;
  masks: Line[];
  instruments: string[];
  opened: string;
  text: string;
  saved: string;
  document: Document;
  wrong: Wrong[];
  names: string;
  tried: Tried[];
  versions: Version[];
  changes: Record<string, string[]>;
}
