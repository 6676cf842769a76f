/** What travels between the kernel and a view. The Python side makes these in `cid_widgets/shapes.py`. */

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
  unit: string;
  kind: string;
  source: string;
}

export interface StoredFile extends Named {
  nbytes: number | null;
  sha256: string;
}

/** One image as the details panel shows it. */
export interface Detail extends Row {
  dtype: string;
  scale: Record<string, number>;
  units: Record<string, string>;
  channels: { name: string; color: string }[];
  nbytes: number | null;
  tags: Tag[];
  created_by: string;
  created_at: string;
  original: StoredFile | null;
  sources: Named[];
  results: (Named & { kind: string })[];
  run: string | null;
}

export interface Project {
  name: string;
  title: string;
  role: string;
  allocation: { limit: number; used: number; reserved: number } | null;
  datasets: { uid: string; path: string }[];
}

/** One typed parameter of a template, as its manifest declares it. */
export interface Parameter {
  type: "number" | "integer" | "boolean" | "choice" | "text";
  default?: unknown;
  minimum?: number;
  maximum?: number;
  step?: number;
  unit?: string;
  choices?: (string | number)[];
  title?: string;
  help?: string;
}

export interface Template {
  name: string;
  version: string;
  title: string;
  summary: string;
  parameters: Record<string, Parameter>;
}

/** One run as the monitor shows it. */
export interface Run {
  uid: string;
  template: string;
  state: string;
  input: Named | null;
  inputs: number;
  cell: number;
  cells: number;
  fraction: number | null;
  text: string;
  created_at: string;
  started_at: string;
  ended_at: string;
  metrics: [string, string][];
  error: { message: string; cell: number | null } | null;
  output: (Named & { kind: string }) | null;
  dataset: string;
  notebook: StoredFile | null;
  ended: boolean;
  cancelling: boolean;
}

export interface MonitorState {
  runs: Run[];
  runs_error: string;
  watching: boolean;
}

export interface FormState extends MonitorState {
  template: Template | null;
  templates: Template[];
  inputs: Named[];
}

export interface BrowserState extends FormState {
  query: string;
  project: string;
  dataset: string;
  kind: string;
  selected: string[];
  focused: string;
  tree: Project[];
  rows: Row[];
  more: boolean;
  found: number;
  status: string;
  detail: Detail | null;
  error: string;
}
