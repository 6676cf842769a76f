/** What is read of files before they are sent: the sha256 of small ones, so that the service knows its own. */

import { can, CHEAP, hex, sha256 } from "./digest";
import type { Item } from "./shapes";

const AT_ONCE = 3;

export function items(files: Map<string, File>): Item[] {
  return [...files].map(([path, file]) => ({
    path,
    file,
    nbytes: file.size,
    modified: file.lastModified,
    sha256: "",
    state: "waiting",
    sent: 0,
    upload: "",
    why: "",
  }));
}

/** Give each item its sha256 where that is cheap; return the paths that cannot be read. */
export async function read(all: Item[], tell: (done: number) => void, stopped: () => boolean): Promise<string[]> {
  if (!can()) return [];
  const unreadable: string[] = [];
  const left = all.filter(({ nbytes, sha256 }) => nbytes <= CHEAP && !sha256);
  let next = 0;
  const work = async () => {
    while (next < left.length && !stopped()) {
      const item = left[next++]!;
      try {
        item.sha256 = hex(await sha256(item.file));
      } catch {
        unreadable.push(item.path);
      }
      tell(next);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return unreadable;
}
