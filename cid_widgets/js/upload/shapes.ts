/** What travels between the kernel and the upload view. Python makes these in `cid_widgets/upload/shapes.py`. */

import type { Named, Project } from "../lib/shapes";

/** The deposit that is under way; `sender` is the view that has its files. */
export interface Going {
  uid: string;
  project: string;
  dataset: string;
  kind: string;
  files: number;
  nbytes: number;
  warning: string;
  sender: string;
  check: boolean; // it is only looked at
}

/** A deposit that nobody sends now. */
export interface Unfinished {
  uid: string;
  project: string;
  dataset: string;
  at: number; // seconds since 1970
  files: number;
  nbytes: number;
  done: number;
  first: string;
}

/** How far the bytes are, as the sending view says it. */
export interface Sent {
  sent: number;
  nbytes: number;
  done: number;
  files: number;
  rate: number; // bytes a second
  left: number | null; // seconds
}

/** How far the import is. */
export interface Importing {
  fraction: number;
  text: string;
  files: { path: string; state: string; fraction: number }[];
  counts: Record<string, number>;
}

export interface Outcome {
  message?: string; // it failed
  project: string;
  dataset: string;
  kind: string;
  warning: string;
  images: Named[];
  images_in_all: number;
  kept: number;
  there: { path: string; name: string; project: string; dataset: string }[];
  there_in_all: number;
  problems: { path: string; message: string }[];
  problems_in_all: number;
}

export interface CheckedImage {
  name: string;
  axes: string;
  shape: number[];
  dtype: string;
  scale: Record<string, number>;
  units: Record<string, string>;
  completeness: number | null;
  missing: Record<string, string>; // and why
}

/** What one file, or files that belong together, would become. */
export interface Checked {
  path: string;
  verdict: string; // unreadable, look, good, file or there
  nbytes: number;
  findings: string[];
  images: CheckedImage[];
  images_in_all: number;
}

export interface Wrong {
  field: string;
  message: string;
  file: string;
}

/** What a deposit would become. `masks` asked for more than was said: `wrong`. */
export interface Report {
  files: Checked[];
  files_in_all: number;
  counts: Record<string, number>;
  nbytes: number;
  masks: string[];
  wrong: Wrong[];
  asking: string[]; // the files that it is asked of; none: all
}

/** What is said of all images: a key has one value, or several where its mask takes several. */
export type Tags = Record<string, string | string[]>;

/** What uploads from one microscope must say. */
export interface Mask {
  name: string;
  instrument: string;
  help: string;
  fields: { key: string; unit: string; help: string; required: boolean; many: boolean; choices: string[]; default: string; minimum: string; maximum: string }[];
}

export interface UploadState {
  project: string;
  dataset: string;
  mask: string;
  tags: Tags;
  kind: string;
  again: boolean;
  projects: Project[];
  masks: Mask[];
  wrong: Wrong[];
  report: Report | null;
  state: "ready" | "sending" | "importing" | "checked" | "done" | "failed";
  deposit: Going | null;
  progress: Partial<Sent & Importing>;
  outcome: Outcome | null;
  unfinished: Unfinished[];
  page: string;
  shows: boolean;
  error: string;
}

/** One file on its way. */
export interface Item {
  path: string;
  file: File;
  nbytes: number;
  modified: number;
  sha256: string; // hexadecimal, once it is known
  state: "waiting" | "sending" | "done" | "failed";
  sent: number;
  upload: string; // what the service calls it, once it was begun
  why: string; // it failed
}
