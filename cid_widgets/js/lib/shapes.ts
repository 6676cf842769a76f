/** What travels between the kernel and a view. Python makes these in `shapes.py` of `cid_widgets/browse/` and `runs/`. */

/** One image as the grid shows it. */
export interface Row {
  uid: string;
  name: string;
  kind: string;
  axes: string;
  shape: number[];
  project: string;
  dataset: string;
  thumbnail: string;
}

export interface Named {
  uid: string;
  name: string;
}

export interface Tag {
  key: string;
  value: string;
  number: number | null;
  unit: string;
  kind: string;
  source: string;
  link: string; // where the world knows it, or ""
}

export interface StoredFile extends Named {
  nbytes: number | null;
  sha256: string;
  in_place?: { where: string; state: string; reason: string } | null; // bytes that stay where they were
}

/** What the catalog says of one measure of a channel, in its words. */
export interface Measure {
  key: string;
  title: string;
  text: string;
  level: string; // good, fair, bad or unknown
  part: number; // of its bar, 0 to 1
}

export interface Quality {
  channels: { name: string; told: Measure[] }[];
  planes: string; // which are empty or there twice, or ""
}

/** One image as the details panel shows it. */
export interface Detail extends Row {
  dtype: string;
  scale: Record<string, number>;
  units: Record<string, string>;
  channels: { name: string; color: string }[];
  nbytes: number | null;
  quality: Quality | null;
  tags: Tag[];
  completeness: number | null; // 0 to 1; null where nothing is asked of it
  unknown: Record<string, string>; // what is asked and missing -> why
  created_by: string;
  created_at: string;
  original: StoredFile | null;
  sources: Named[];
  results: (Named & { kind: string })[];
  run: string | null;
  made_by: Step[];
  used_by: Step[];
}

/** A run in an image's history; `name` is its template with the version. */
export interface Step extends Named {
  state: string;
  person: string;
}

export interface Project {
  name: string;
  title: string;
  role: string;
  allocation: { limit: number; used: number; reserved: number } | null;
  datasets: { uid: string; path: string; query: string | null }[]; // with a query it is live
}

/** One typed parameter of a template, as its manifest declares it. */
export interface Parameter {
  type: "number" | "integer" | "boolean" | "choice" | "text" | "channel";
  default?: unknown;
  minimum?: number;
  maximum?: number;
  step?: number;
  unit?: string;
  choices?: (string | number)[];
  title?: string;
  help?: string;
}

/** A further input of all runs. */
export interface Also {
  role: string;
  help: string;
  many: boolean;
  optional: boolean;
}

export interface Template {
  name: string;
  version: string;
  title: string;
  summary: string;
  parameters: Record<string, Parameter>;
  also?: Also[];
}

/** One run as the monitor shows it. */
export interface Run {
  uid: string;
  batch: string;
  template: string;
  state: string;
  input: Named | null;
  inputs: number;
  cell: number;
  cells: number;
  tile: number;
  tiles: number;
  fraction: number | null;
  text: string;
  paused: boolean;
  waits: string;
  created_at: string;
  started_at: string;
  ended_at: string;
  metrics: [string, string][];
  error: { message: string; cell: number | null } | null;
  output: (Named & { kind: string }) | null;
  dataset: string;
  notebook: (StoredFile & { page: string }) | null; // page: where one reads it, or ""
  then: string[]; // templates that follow
  refused: string; // why the first of them could not begin
  ended: boolean;
  cancelling: boolean;
}

/** A batch as its runs make it; `only` is the state of those that are shown, or "". */
export interface Batch {
  uid: string;
  template: string;
  state: string;
  ended: boolean;
  runs: number;
  counts: Record<string, number>;
  paused: number;
  fraction: number;
  eta: { low: string; likely: string; high: string } | null;
  waits: string;
  failures: { error: string; cell: number | null; count: number; run: string; message: string }[];
  only: string;
  shown: number;
}

export interface MonitorState {
  runs: Run[];
  batches: Batch[];
  runs_error: string;
  watching: boolean;
}

export type Light = "red" | "amber" | "green";

/** One thing to know before runs start; `fix` says what to do. */
export interface Note {
  light: Light;
  about: string;
  message: string;
  fix: string;
}

/** What would become of the runs; `images` are those that something is to say of, worst first. */
export interface Preflight {
  counts: Record<Light, number>;
  notes: Note[];
  images: { uid: string; name: string; light: Light; notes: Note[] }[];
  more: number; // images beside those that are listed
  nbytes: number;
  channels: string[]; // names that all images have
  estimate?: { says: string }; // "about 12 min (8 to 20), 1.2 GB, 3.40 EUR"
  error: string;
}

export interface FormState extends MonitorState {
  preflight: Preflight | null;
  template: Template | null;
  templates: Template[];
  inputs: Named[];
  more_inputs: number; // beside those that are named
}

/** One condition of the query. */
export interface Chip {
  text: string;
  label: string;
  out: boolean;
}

/** The numbers of a key: `bins` counts them from lowest to highest; dates are seconds since 1970. */
export interface Spread {
  unit: string;
  type: string;
  count: number;
  lowest: number;
  highest: number;
  bins: number[];
}

/** What a key has among what was found; `low` and `high` as the query says them, "" is open. */
export interface Facet {
  key: string;
  title: string;
  values: { value: string; count: number; on: boolean }[];
  numbers: Spread | null;
  low: string;
  high: string;
  asked: boolean;
}

/** What a query may go on with: `text` takes the place of what was typed from `start` on. */
export interface Offer {
  text: string;
  label: string;
  start: number;
  count: number | null;
}

export interface BrowserState extends FormState {
  query: string;
  project: string;
  dataset: string;
  kind: string;
  sort: string;
  selected: string[];
  found_all: boolean;
  focused: string;
  tree: Project[];
  rows: Row[];
  more: boolean;
  found: number;
  status: string;
  detail: Detail | null;
  error: string;
  query_error: string;
  history: string[];
  total: number | null;
  chips: Chip[];
  facets: Facet[];
  facets_error: string;
  counting: boolean;
}

/** What every view has that changes something. */
export interface ChangingState {
  done: { text: string; undo: boolean } | null;
  error: string;
}
