/** What travels between the kernel and the views about people. Python makes these in `cid_widgets/people/shapes.py`. */

import type { ChangingState } from "../lib/shapes";

/** A person's role, who gave it and when; dates are ISO or "". */
export interface Member {
  person: string;
  role: string;
  ends_at: string;
  by: string;
  at: string;
}

export interface MembersState extends ChangingState {
  project: string;
  title: string;
  team: string;
  role: string;
  me: string;
  members: Member[];
  leaders: string[];
}

export interface Team {
  name: string;
  title: string;
  leaders: string[];
  projects: string[];
}

export interface Wanted {
  person: string;
  role: string;
}

export interface Term {
  key: string;
  type: string;
  unit: string;
  choices: string[];
}

export interface Asked {
  uid: string;
  person: string;
  state: string;
  name: string;
  team: string;
  title: string;
  limit: number;
  members: Wanted[];
  terms: Term[];
  purpose: string;
  reason: string;
  decided_by: string;
  decided_at: string;
  project: string;
  created_at: string;
  page: string;
}

/** What the form says; `limit` is text such as "2 TB". */
export interface Draft {
  name: string;
  team: string;
  title: string;
  limit: string;
  members: Wanted[];
  terms: Term[];
  purpose: string;
}

export interface ProjectRequestState extends ChangingState {
  draft: Draft;
  teams: Team[];
  projects: string[];
  requests: Asked[];
}

export interface Room {
  limit: number;
  used: number;
  reserved: number;
  count: number;
}

export interface RequestsState extends ChangingState {
  state: string;
  opened: string;
  requests: Asked[];
  teams: Team[];
  taken: string[];
  rooms: Record<string, Room>;
}

export interface Place {
  name: string;
  role: string;
  ends_at: string;
}

export interface Listed {
  total: number;
  newest: { uid: string; project: string; text: string }[];
}

export interface Belongings {
  person: string;
  projects: Place[];
  teams: Place[];
  only_reader: string[];
  only_manager: string[];
  only_leader: string[];
  live_datasets: Listed;
  notes: Listed;
  deposits: Listed;
  runs: Listed;
  subscriptions: Listed;
  records: number;
  nbytes: number;
}

export interface LeavingState extends ChangingState {
  person: string;
  found: Belongings | null;
}
