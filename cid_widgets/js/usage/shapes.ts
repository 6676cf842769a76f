/** What travels between the kernel and a usage view. Python makes it in `cid_widgets/usage/shapes.py`. */

/** Bytes by where they lie; `used` is online and trashed, and counts against the limit. */
export interface Held {
  used: number;
  online: number;
  trashed: number;
  archived: number;
}

export interface Room extends Held {
  limit: number;
  linked: number;
  reserved: number;
  free: number;
  state: "ok" | "warning" | "full";
  growth: number | null;
  days_to_full: number | null;
  disk_drift: number | null;
}

/** What `nbytes` cost less in the archive, without VAT. */
export interface Saves {
  nbytes: number;
  month: string;
  year: string;
  currency: string;
}

export interface Team extends Room {
  name: string;
  title: string;
  count: number;
}

export interface Project extends Room {
  name: string;
  title: string;
  team: string;
  soft: number | null;
  drift: number;
  saves: Saves | null;
}

export interface Dataset extends Held {
  uid: string;
  path: string;
  saves: Saves | null;
}

export interface Person extends Held {
  person: string;
}

export interface Day {
  day: string;
  storage: number;
  archive: number;
  gpu: number;
  cpu: number;
}

export interface OfAll {
  level: "all";
  teams: Team[];
  projects: Project[];
  storage: { at: string; records: number; drift: number; strangers: number } | null;
}

export interface OfTeam extends Team {
  level: "team";
  projects: Project[];
}

export interface OfProject extends Project {
  level: "project" | "dataset";
  warning: string;
  leads: boolean;
  dataset: Dataset | null;
  datasets: Dataset[];
  people: Person[];
  series: Day[];
}

export interface Position {
  project: string;
  title: string;
  kind: string;
  tariff: string;
  version: number;
  price: string;
  vat: string;
  quantity: string;
  cost: string;
  parts: { what: string; name: string; cost: string }[];
}

export interface Invoice {
  number: string;
  team: string;
  period: string;
  provisional: boolean;
  currency: string;
  net: string;
  vat: string;
  total: string;
  positions: Position[];
  taxes: { rate: string; net: string; vat: string }[];
}

export interface UsageState {
  team: string;
  project: string;
  dataset: string;
  period: string;
  shown: OfAll | OfTeam | OfProject | null;
  invoice: Invoice | null;
  looked: number; // counts answers
  charged: number; // counts invoices
  error: string;
  invoice_error: string;
}
