/** What travels between the kernel and the notices. Python makes these in `cid_widgets/notices/notices.py`. */

import type { ChangingState } from "../lib/shapes";

export interface Notice {
  uid: string;
  kind: string;
  about: string; // as "batch:<uid>"
  text: string;
  created_at: string;
  read: boolean;
}

/** How many are not read, and the newest of them. */
export interface NewsState {
  news: { unread: number; notices: Notice[] };
  news_error: string;
}

export interface Mail {
  mail: string;
  address: string;
  sent: boolean;
  domains: string[];
}

export interface NoticesState extends ChangingState {
  notices: Notice[];
  unread: number;
  mail: Mail;
}
