/** What travels between the kernel and the list. Python makes these in `cid_widgets/subscriptions/shapes.py`. */

import type { ChangingState, Parameter } from "../lib/shapes";

/** One limit of a budget: how much of it is spent. `words` says both. */
export interface Limit {
  what: string;
  spent: number;
  most: number;
  words: string;
}

/** A template that runs by itself on what a saved search newly finds. */
export interface Subscription {
  uid: string;
  template: string;
  version: string;
  newer: string;
  search: string;
  query: string;
  person: string;
  state: "active" | "paused" | "ended";
  reason: string;
  parameters: [string, string][];
  budget: Limit[];
  there: number; // matched before it began
  waiting: number;
  running: number;
  done: number;
  failed: number;
  left: number;
  mine: boolean; // I may change it
}

/** What can be changed of one, as it is now; limits are text, "" is none. */
export interface Fields {
  uid: string;
  budget: { runs: string; runs_a_day: string; nbytes: string };
  takes: Record<string, Parameter>; // the default is the value that it has
}

export interface SubscriptionsState extends ChangingState {
  project: string;
  title: string;
  subscriptions: Subscription[];
  opened: string; // the one whose fields are shown, or ""
  fields: Fields | null;
  watching: boolean;
}
