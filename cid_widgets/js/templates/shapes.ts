/** What travels between the kernel and the templates. Python makes these in `cid_widgets/templates/shapes.py`. */

import type { ChangingState } from "../lib/shapes";

/** The newest version of a template. */
export interface Template {
  reference: string; // as a run names it
  title: string;
  summary: string;
  version: string;
  project: string; // whose own it is, or ""
  published_by: string;
  created_at: string;
}

export interface Version {
  version: string;
  changelog: string;
  published_by: string;
  created_at: string;
  withdrawn: { at: string; by: string; reason: string } | null;
}

/** A value of the manifest or of a parameter that is another. */
export interface Value {
  key: string;
  change: string;
  before: string;
  after: string;
}

/** A cell that is another; its lines begin with +, -, a blank or @@. */
export interface Cell {
  change: string;
  kind: string;
  before: number | null;
  after: number | null;
  lines: string[];
}

export interface Difference {
  version: string;
  to: string;
  values: Value[];
  cells: Cell[];
}

export interface TemplatesState extends ChangingState {
  templates: Template[];
  opened: string;
  versions: Version[];
  may_withdraw: string[];
  difference: Difference | null;
}
