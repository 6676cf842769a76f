/** Files out of what was dropped or picked, whole folders too, named as `catalog.upload` names them. */

const NOBODYS = new Set(["Thumbs.db", "desktop.ini"]); // what a system leaves in folders

export interface Gathered {
  files: Map<string, File>; // by path, which begins with the name of the folder that was dropped
  unreadable: string[];
  passed: number; // hidden files that stay where they are
}

type Tell = (files: number) => void;

export function nothing(): Gathered {
  return { files: new Map(), unreadable: [], passed: 0 };
}

export function add(to: Gathered, more: Gathered): void {
  for (const [path, file] of more.files) to.files.set(path, file);
  to.unreadable = [...new Set([...to.unreadable, ...more.unreadable])];
  to.passed += more.passed;
}

/** Is it what nobody means to upload? All that an OME-Zarr holds is meant. */
function hidden(path: string): boolean {
  const names = path.split("/");
  const zarr = names.findIndex((name) => name.endsWith(".zarr"));
  return names.some((name, at) => (zarr < 0 || at < zarr) && (name.startsWith(".") || NOBODYS.has(name)));
}

function take(into: Gathered, path: string, file: File): void {
  if (hidden(path)) into.passed += 1;
  else into.files.set(path, file);
}

/** What a picker gave. */
export function picked(list: FileList): Gathered {
  const found = nothing();
  for (const file of list) take(found, file.webkitRelativePath || file.name, file);
  return found;
}

/** Call it while the drop is handled: a moment later the browser tells nothing any more. */
export function dropped(data: DataTransfer, tell: Tell = () => {}): Promise<Gathered> {
  const items = [...data.items].filter(({ kind }) => kind === "file");
  const roots = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  return walk(roots, tell);
}

async function walk(roots: (FileSystemEntry | File | null)[], tell: Tell): Promise<Gathered> {
  const found = nothing();
  const folders: [FileSystemDirectoryEntry, string][] = [];
  const visit = async (entry: FileSystemEntry, path: string) => {
    if (entry.isDirectory) {
      if (hidden(path)) found.passed += 1;
      else folders.push([entry as FileSystemDirectoryEntry, path]);
      return;
    }
    try {
      take(found, path, await new Promise<File>((give, fail) => (entry as FileSystemFileEntry).file(give, fail)));
    } catch {
      found.unreadable.push(path);
    }
  };
  for (const root of roots) {
    if (root instanceof File) take(found, root.name, root);
    else if (root) await visit(root, root.name);
  }
  for (let next = folders.pop(); next; next = folders.pop()) {
    const [folder, path] = next;
    try {
      for (const entries of await children(folder)) {
        await Promise.all(entries.map((entry) => visit(entry, `${path}/${entry.name}`)));
      }
    } catch {
      found.unreadable.push(`${path}/`);
    }
    tell(found.files.size);
  }
  return found;
}

/** A browser gives a hundred at a time, and none at the end. */
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[][]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[][] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((give, fail) => reader.readEntries(give, fail));
    if (some.length === 0) return all;
    all.push(some);
  }
}
