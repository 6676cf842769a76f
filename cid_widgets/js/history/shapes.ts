/** What travels between the kernel and the history. Python makes these in `cid_widgets/history/shapes.py`. */

import type { Named } from "../lib/shapes";
import type { ChangingState } from "../lib/shapes";

export type Picture = Named & { thumbnail: string };

/** One change. `words` is a sentence in parts: those at odd places are names and values. */
export interface Step {
  entry: number;
  at: string;
  person: string;
  project: string;
  words: string[];
  kind: string;
  images: Picture[];
  more: number; // images beside these
  undoable: boolean;
  undone: { person: string; at: string } | null;
}

/** Why a change was not taken back. */
export interface Refused {
  entry: number;
  message: string;
  changed: { person: string; action: string; at: string; entry: number | null }[];
}

export interface HistoryState extends ChangingState {
  project: string;
  about: string;
  name: string;
  person: string;
  kind: string;
  entries: Step[];
  people: string[];
  more: boolean;
  found: number;
  refused: Refused | null;
}
