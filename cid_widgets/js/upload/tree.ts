/** What would be sent, as a tree of folders, before anything is sent. */

import { h } from "../lib/dom";
import { bytes, number, plural } from "../lib/words";
import { families } from "./companions";

const MOST = 200; // lines of one folder

interface Folder {
  path: string;
  folders: Map<string, Folder>;
  files: Map<string, File>;
  count: number;
  nbytes: number;
}

const empty = (path: string): Folder => ({ path, folders: new Map(), files: new Map(), count: 0, nbytes: 0 });

function build(files: Map<string, File>): Folder {
  const top = empty("");
  for (const [path, file] of files) {
    const names = path.split("/");
    const name = names.pop()!;
    let here = top;
    for (const part of ["", ...names]) {
      if (part) {
        const path = here.path ? `${here.path}/${part}` : part;
        if (!here.folders.has(part)) here.folders.set(part, empty(path));
        here = here.folders.get(part)!;
      }
      here.count += 1;
      here.nbytes += file.size;
    }
    here.files.set(name, file);
  }
  return top;
}

const order = new Intl.Collator(undefined, { numeric: true });

export class LookTree {
  readonly el = h("ul", { class: "cid-up-tree", "aria-label": "Files to upload" });
  #open = new Set<string>();

  constructor(private readonly leaveOut: (path: string) => void) {}

  show(files: Map<string, File>): void {
    const top = build(files);
    if (this.#open.size === 0 && top.folders.size === 1) this.#open.add([...top.folders.keys()][0]!);
    this.el.replaceChildren(...this.#lines(top));
  }

  #lines(folder: Folder): HTMLElement[] {
    const names = [...folder.files.keys()].sort(order.compare);
    const inside = [...folder.folders.keys()].sort(order.compare);
    const found = families(names, inside);
    const taken = new Set([...found.values()].flatMap(({ files, folders }) => [...files, ...folders]));
    const lines = [
      ...inside.filter((name) => !taken.has(name)).map((name) => () => this.#folder(name, folder.folders.get(name)!)),
      ...names.filter((name) => !taken.has(name)).map((name) => () => this.#file(folder, name, found.get(name))),
    ];
    const shown = lines.slice(0, MOST).map((line) => line());
    const more = lines.length - shown.length;
    if (more > 0) shown.push(h("li", { class: "cid-hint" }, `and ${number(more)} more`));
    return shown;
  }

  #folder(name: string, folder: Folder): HTMLElement {
    const list = h("ul");
    const draw = () => list.replaceChildren(...this.#lines(folder));
    const zarr = name.endsWith(".zarr");
    const about = `${plural(folder.count, "file")} · ${bytes(folder.nbytes)}${zarr ? " · one OME-Zarr" : ""}`;
    const box = h(
      "details",
      { open: this.#open.has(folder.path) },
      h("summary", {}, h("span", { class: "cid-up-name" }, `${name}/`), h("span", { class: "cid-hint" }, about)),
      list,
    );
    if (box.open) draw();
    box.addEventListener("toggle", () => {
      if (box.open) this.#open.add(folder.path);
      else this.#open.delete(folder.path);
      if (box.open && !list.hasChildNodes()) draw();
    });
    return h("li", { class: "cid-up-folder" }, box, this.#out(folder.path, name));
  }

  #file(folder: Folder, name: string, family?: { files: string[]; folders: string[] }): HTMLElement {
    const file = folder.files.get(name)!;
    const words = [bytes(file.size)];
    if (family) {
      const held = family.folders.map((one) => folder.folders.get(one)!);
      const count = family.files.length + held.reduce((sum, one) => sum + one.count, 0);
      const nbytes = family.files.reduce((sum, one) => sum + folder.files.get(one)!.size, 0) + held.reduce((sum, one) => sum + one.nbytes, 0);
      words.push(`with ${plural(count, "companion file")}, ${bytes(nbytes)}`);
    }
    const path = folder.path ? `${folder.path}/${name}` : name;
    return h(
      "li",
      { class: "cid-up-file" },
      h("span", { class: "cid-up-name" }, name),
      h("span", { class: "cid-hint" }, words.join(" · ")),
      file.size === 0 && h("span", { class: "cid-warn" }, "empty"),
      this.#out(path, name),
    );
  }

  #out(path: string, name: string): HTMLElement {
    const button = h("button", { type: "button", class: "cid-quiet cid-up-out", "aria-label": `Leave out ${name}`, title: "Leave it out" }, "×");
    button.addEventListener("click", () => this.leaveOut(path));
    return button;
  }
}
