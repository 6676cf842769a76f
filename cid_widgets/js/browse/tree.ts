/** Projects and their nested datasets, as a tree that the keyboard can walk. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { BrowserState, Project } from "../lib/shapes";
import { bytes } from "../lib/words";

interface Node {
  id: string;
  label: string;
  title: string;
  project: string;
  dataset: string;
  level: number;
  children: Node[];
  allocation?: Project["allocation"];
  live?: boolean; // shows what a saved search finds
}

const ALL: Node = {
  id: "",
  label: "All projects",
  title: "Every image you may see",
  project: "",
  dataset: "",
  level: 1,
  children: [],
};

/** Nest "screen/plate 1" below "screen"; a folder that is not listed itself is made. */
function nest(project: Project): Node {
  const name = project.title || project.name;
  const top: Node = {
    id: project.name,
    label: name,
    title: `${name} (you are ${project.role})`,
    project: project.name,
    dataset: "",
    level: 1,
    children: [],
    allocation: project.allocation,
  };
  const known = new Map<string, Node>([["", top]]);
  const place = (path: string): Node => {
    const found = known.get(path);
    if (found) return found;
    const cut = path.lastIndexOf("/");
    const parent = place(path.slice(0, Math.max(cut, 0)));
    const label = path.slice(cut + 1);
    const id = `${project.name}\n${path}`;
    const node = { ...ALL, id, label, title: path, project: project.name, dataset: path };
    const made: Node = { ...node, level: parent.level + 1, children: [] };
    parent.children.push(made);
    known.set(path, made);
    return made;
  };
  for (const { path, query } of project.datasets) {
    const node = place(path);
    if (query === null || query === undefined || !path) continue;
    node.live = true;
    node.title = `${path}: shows what ${query || "everything"} finds`;
  }
  for (const node of known.values()) {
    node.children.sort((a, b) => a.label.localeCompare(b.label, undefined, { numeric: true }));
  }
  return top;
}

/** "1.2 GB of 10 GB" and a bar; what running imports have reserved is paler. */
function allocationBar({ limit, used, reserved }: NonNullable<Project["allocation"]>): HTMLElement {
  const share = (part: number) => `${limit > 0 ? Math.min(100, (100 * part) / limit) : 100}%`;
  const taken = limit > 0 ? (used + reserved) / limit : 1;
  const level = taken >= 1 ? "full" : taken >= 0.9 ? "nearly" : "free";
  const usedPart = h("span", { class: "cid-used" });
  const reservedPart = h("span", { class: "cid-reserved" });
  usedPart.style.width = share(used);
  reservedPart.style.width = share(Math.min(reserved, Math.max(0, limit - used)));
  const words = `${bytes(used)} of ${bytes(limit)}${level === "full" ? ", full" : ""}`;
  const more = reserved > 0 ? `, and ${bytes(reserved)} reserved by imports and runs` : "";
  return h(
    "span",
    { class: "cid-allocation", "data-level": level, title: `${words} used${more}` },
    h("span", { class: "cid-bar" }, usedPart, reservedPart),
    h("span", { class: "cid-allocation-words" }, words),
  );
}

/** The item that holds this one. */
function above(item: HTMLElement): HTMLElement | null | undefined {
  return item.parentElement?.closest<HTMLElement>("[role=treeitem]");
}

export class Tree {
  readonly el = h("div", { class: "cid-tree", role: "tree", "aria-label": "Projects and datasets" });
  #top: Node[] = [];
  #open = new Set<string>();
  #current = "";

  constructor(private readonly kernel: Kernel<BrowserState>) {
    this.el.addEventListener("keydown", (event) => this.#key(event));
    kernel.show(["tree", "project", "dataset"], () => this.#show());
  }

  #show(): void {
    this.#top = [ALL, ...this.kernel.get("tree").map(nest)];
    if (this.#top.length === 2) this.#open.add(this.#top[1]!.id);
    const project = this.kernel.get("project");
    const dataset = this.kernel.get("dataset");
    this.#current = dataset ? `${project}\n${dataset}` : project;
    if (project) this.#open.add(project);
    for (let cut = dataset.indexOf("/"); cut > 0; cut = dataset.indexOf("/", cut + 1)) {
      this.#open.add(`${project}\n${dataset.slice(0, cut)}`);
    }
    this.#draw();
  }

  #draw(focus?: string): void {
    const held = this.el.contains(document.activeElement);
    const at = focus ?? (held ? (document.activeElement as HTMLElement).dataset.id : undefined);
    this.el.replaceChildren(...this.#top.map((node) => this.#item(node)));
    const items = this.#items();
    const stop =
      items.find(({ dataset }) => dataset.id === (at ?? this.#current)) ?? items[0];
    if (stop) stop.tabIndex = 0;
    if (at !== undefined) stop?.focus();
  }

  #item(node: Node): HTMLElement {
    const folder = node.children.length > 0;
    const open = folder && this.#open.has(node.id);
    const arrow = h("span", { class: "cid-arrow", "aria-hidden": "true" }, folder && (open ? "▾" : "▸"));
    const line = h(
      "span",
      { class: "cid-line", title: node.title },
      arrow,
      h("span", { class: "cid-label" }, node.label),
      node.live && h("span", { class: "cid-live-mark" }, "live"),
    );
    line.style.paddingLeft = `${4 + 14 * (node.level - 1)}px`;
    arrow.addEventListener("click", (event) => {
      event.stopPropagation();
      if (folder) this.#toggle(node, !open);
    });
    const bar = node.allocation && allocationBar(node.allocation);
    for (const part of [line, bar]) part?.addEventListener("click", () => this.#choose(node));
    return h(
      "div",
      {
        role: "treeitem",
        tabindex: "-1",
        "data-id": node.id,
        "aria-level": node.level,
        "aria-label": node.live ? `${node.label}, live` : node.label,
        "aria-selected": String(node.id === this.#current),
        "aria-expanded": folder ? String(open) : undefined,
      },
      line,
      bar,
      open && h("div", { role: "group" }, ...node.children.map((child) => this.#item(child))),
    );
  }

  #items(): HTMLElement[] {
    return [...this.el.querySelectorAll<HTMLElement>("[role=treeitem]")];
  }

  #find(id: string, among = this.#top): Node | undefined {
    for (const node of among) {
      const found = node.id === id ? node : this.#find(id, node.children);
      if (found) return found;
    }
    return undefined;
  }

  #toggle(node: Node, open: boolean): void {
    if (open) this.#open.add(node.id);
    else this.#open.delete(node.id);
    this.#draw(node.id);
  }

  #choose(node: Node): void {
    this.#open.add(node.id);
    this.kernel.set({ project: node.project, dataset: node.dataset });
    this.#draw(node.id);
  }

  #key(event: KeyboardEvent): void {
    const items = this.#items();
    const at = items.indexOf(document.activeElement as HTMLElement);
    const node = at < 0 ? undefined : this.#find(items[at]!.dataset.id!);
    if (!node) return;
    const folder = node.children.length > 0;
    const open = folder && this.#open.has(node.id);
    const go = (index: number) => this.#focus(items, items[index]);
    if (event.key === "ArrowDown") go(at + 1);
    else if (event.key === "ArrowUp") go(at - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(items.length - 1);
    else if (event.key === "ArrowRight" && folder && !open) this.#toggle(node, true);
    else if (event.key === "ArrowRight" && open) go(at + 1);
    else if (event.key === "ArrowLeft" && open) this.#toggle(node, false);
    else if (event.key === "ArrowLeft") this.#focus(items, above(items[at]!));
    else if (event.key === "Enter" || event.key === " ") this.#choose(node);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #focus(items: HTMLElement[], to: HTMLElement | null | undefined): void {
    if (!to) return;
    for (const item of items) item.tabIndex = item === to ? 0 : -1;
    to.focus();
  }
}
