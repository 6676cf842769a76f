/** What a card is drawn from. The Python side makes these in `cid_widgets/tags/card.py`, `tagging.py`. */

import type { Named } from "../lib/shapes";

/** One value that some of the records have; `n` of them. */
export interface Held {
  text: string;
  n: number;
  source: string;
  link: string;
}

/** One term of the card; `fresh`: it is not in the vocabulary yet. */
export interface TagField {
  key: string;
  term: string;
  type: string;
  unit: string;
  help: string;
  kind: string;
  scheme: string;
  many: boolean;
  fresh: boolean;
  values: Held[];
  more: number;
}

export interface Apart {
  key: string;
  unit: string;
  values: Held[];
  more: number;
}

export interface Target {
  project: string;
  what: string;
  count: number;
  first: Named[];
  editable: boolean;
  manages: boolean;
  ask: string;
  why: string;
}

export type Given = string | number | { label: string; iri: string };

/** What shall be said, as an annotation takes it. */
export interface Changes {
  set?: Record<string, Given | Given[]>;
  add?: Record<string, Given[]>;
  remove?: Record<string, Given[] | null>;
}

/** What would come of one key; `taken`: as it is kept -> as it was given. */
export interface KeyPreview {
  changed: number;
  unchanged: number;
  taken: Record<string, string>;
  similar: Record<string, string[]>;
  error: string;
}

export interface Preview {
  turn: number;
  changed: number;
  records: number;
  good: boolean;
  keys: Record<string, KeyPreview>;
}

export interface TaggingState {
  tag_target: Target | null;
  tag_fields: TagField[];
  tag_apart: Apart[];
  tag_changes: Changes;
  tag_preview: Preview | null;
  tag_done: { text: string; undo: boolean } | null;
  tags_error: string;
}
