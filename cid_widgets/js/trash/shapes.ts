/** What travels between the kernel and the trash. Python makes these in `cid_widgets/trash/shapes.py`. */

import type { Picture } from "../history/shapes";
import type { ChangingState } from "../lib/shapes";

/** What one step threw away. */
export interface Thrown {
  uid: string;
  what: string;
  person: string;
  nbytes: number;
  records: number;
  created_at: string;
  purge_at: string;
  images: Picture[];
  datasets: string[];
}

export interface TrashState extends ChangingState {
  project: string;
  title: string;
  role: string; // "" where one looks as staff
  allocation: { limit: number; used: number; reserved: number } | null;
  thrown: Thrown[];
}
