/** The images as tiles: read page by page, chosen by mouse or keyboard. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { BrowserState, Row } from "../lib/shapes";
import type { Thumbnails } from "../lib/thumbnails";
import { dims } from "../lib/words";
import { type Piece, Window } from "./window";

interface Tile {
  row: Row;
  el: HTMLElement | undefined; // once it has been near
}

type Made = Tile & Piece;

/** Does this tile still show this image, picture and all? */
function keeps(tile: Tile, row: Row): boolean {
  return tile.row.name === row.name && !!tile.el?.querySelector('[data-state="shown"]');
}

export class Grid {
  readonly el: HTMLElement;
  #tiles: Tile[] = [];
  #byUid = new Map<string, Tile>();
  #list = h("div", {
    class: "cid-grid",
    role: "listbox",
    "aria-label": "Images",
    "aria-multiselectable": "true",
    tabindex: "-1",
  });
  readonly #window: Window<Made>;
  readonly #sight: IntersectionObserver;
  #end = h("div", { class: "cid-end" });
  #empty = h("p", { class: "cid-empty" });
  #anchor = 0;
  #selected = new Set<string>();
  #found = -1;
  #asked = -1;

  constructor(
    private readonly kernel: Kernel<BrowserState>,
    private readonly thumbnails: Thumbnails,
    private readonly open: () => void,
    private readonly rename: () => void,
    above: HTMLElement,
  ) {
    this.el = h("div", { class: "cid-middle" }, above, this.#list, this.#empty, this.#end);
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    const ending = (then: () => void) => kernel.finally(then);
    this.#window = new Window(this.el, this.#list, () => this.#tiles.length, (at) => this.#made(at), ending);
    this.#sight = new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && this.#more(), {
      root: this.el,
      rootMargin: "600px",
    });
    kernel.finally(() => this.#sight.disconnect());
    kernel.show(["found", "rows"], () => this.#show());
    kernel.show(["selected", "focused", "found_all"], () => this.#mark());
    kernel.told("renamed", ({ uid, name }) => this.#named(uid, name));
    kernel.told("rows", (answer) => {
      if (answer.found === this.#found && answer.start === this.#tiles.length) {
        this.#append(answer.rows, answer.more);
      }
    });
  }

  /** A new search: tiles of images that are still there are kept, so nothing flickers. */
  #show(): void {
    if (this.kernel.get("found") === this.#found) return;
    this.#found = this.kernel.get("found");
    this.#asked = -1;
    this.#anchor = 0;
    this.#tiles = [];
    const before = this.#byUid;
    this.#byUid = new Map();
    const held = this.#list.contains(document.activeElement);
    this.el.scrollTop = 0;
    this.#append(this.kernel.get("rows"), this.kernel.get("more"), before);
    if (held) (this.#stop()?.el ?? this.#list).focus({ preventScroll: true });
    this.#empty.textContent = this.#tiles.length ? "" : this.#whyEmpty();
  }

  #append(rows: Row[], more: boolean, before = new Map<string, Tile>()): void {
    for (const row of rows) {
      if (this.#byUid.has(row.uid)) continue;
      const old = before.get(row.uid);
      const tile = { row, el: old && keeps(old, row) ? old.el : undefined };
      this.#tiles.push(tile);
      this.#byUid.set(row.uid, tile);
    }
    this.#end.textContent = more ? "Loading more…" : "";
    this.#end.hidden = !more;
    this.#window.draw(true);
    this.#mark();
    this.#watchEnd();
  }

  /** Tells of an end that is in sight, also where it has been in sight all the time. */
  #watchEnd(): void {
    this.#sight.unobserve(this.#end);
    this.#sight.observe(this.#end);
  }

  /** The tile at this place, made now if it was never near. */
  #made(at: number): Made {
    const tile = this.#tiles[at]!;
    tile.el ??= this.#draw(tile.row);
    this.#dress(tile);
    return tile as Made;
  }

  #draw(row: Row): HTMLElement {
    const el = h(
      "div",
      {
        class: "cid-tile",
        role: "option",
        tabindex: "-1",
        title: row.dataset ? `${row.name}\n${row.project} / ${row.dataset}` : row.name,
        "data-uid": row.uid,
      },
      this.thumbnails.frame(row, row.thumbnail),
      row.kind === "labels" && h("span", { class: "cid-badge" }, "labels"),
      h("span", { class: "cid-check", "aria-hidden": "true" }, "✓"),
      h("span", { class: "cid-name" }, row.name),
      h("span", { class: "cid-dims" }, dims(row.axes, row.shape)),
    );
    el.addEventListener("click", (event) => this.#click(event, row.uid));
    el.addEventListener("dblclick", () => this.open());
    return el;
  }

  #more(): void {
    const start = this.#tiles.length;
    if (this.#end.hidden || this.#asked === start) return;
    this.#asked = start;
    this.kernel.ask("more", { start, found: this.#found });
  }

  #whyEmpty(): string {
    const { kernel } = this;
    if (kernel.get("error") || kernel.get("query_error")) return "";
    if (kernel.get("query") || kernel.get("kind")) {
      return "Nothing matches. Try fewer words, or look in all projects.";
    }
    if (!kernel.get("tree").length) {
      return "You have no project yet. Ask your team leader or the facility's staff to add you to one.";
    }
    return "No images here yet. Bring some in with Upload…";
  }

  #mark(): void {
    this.#selected = new Set(this.kernel.get("selected"));
    for (const tile of this.#tiles) this.#dress(tile);
  }

  /** Show whether a tile is selected, and whether the Tab key reaches it. */
  #dress(tile: Tile): void {
    if (!tile.el) return;
    const chosen = String(this.kernel.get("found_all") || this.#selected.has(tile.row.uid));
    if (tile.el.ariaSelected !== chosen) tile.el.ariaSelected = chosen;
    const index = tile === this.#stop() ? 0 : -1;
    if (tile.el.tabIndex !== index) tile.el.tabIndex = index;
    const size = String(this.kernel.get("total") ?? -1);
    if (tile.el.ariaSetSize !== size) tile.el.ariaSetSize = size;
  }

  #named(uid: string, name: string): void {
    const tile = this.#byUid.get(uid);
    if (!tile) return;
    tile.row = { ...tile.row, name };
    if (!tile.el) return;
    tile.el.querySelector(".cid-name")!.textContent = name;
    tile.el.querySelector(".cid-thumb-name")!.textContent = name;
  }

  /** The tile that the Tab key reaches. */
  #stop(): Tile | undefined {
    return this.#byUid.get(this.kernel.get("focused")) ?? this.#tiles[0];
  }

  /** Is the first line in sight, so that new images on top disturb nobody? */
  get atTop(): boolean {
    return this.el.scrollTop < 40;
  }

  #index(uid: string): number {
    return this.#tiles.findIndex((tile) => tile.row.uid === uid);
  }

  #range(to: number): string[] {
    const [first, last] = [Math.min(this.#anchor, to), Math.max(this.#anchor, to)];
    return this.#tiles.slice(first, last + 1).map((tile) => tile.row.uid);
  }

  #toggled(uid: string): string[] {
    const all = this.kernel.get("found_all");
    const selected = all ? this.#tiles.map((tile) => tile.row.uid) : this.kernel.get("selected");
    return selected.includes(uid) ? selected.filter((other) => other !== uid) : [...selected, uid];
  }

  #click(event: MouseEvent, uid: string): void {
    const at = this.#index(uid);
    if (event.shiftKey) this.#choose(at, this.#range(at));
    else {
      this.#anchor = at;
      this.#choose(at, event.ctrlKey || event.metaKey ? this.#toggled(uid) : [uid]);
    }
    event.preventDefault();
  }

  #choose(at: number, selected: string[]): void {
    const tile = this.#tiles[at];
    if (!tile) return;
    this.kernel.set({ selected, focused: tile.row.uid, found_all: false });
    this.#mark();
    this.#window.reveal(at);
    tile.el?.focus({ preventScroll: true });
  }

  /** All that is shown; once more: all that was found. */
  #chooseAll(at: number): void {
    const { kernel } = this;
    const shown = this.#tiles.map((tile) => tile.row.uid);
    const again = kernel.get("selected").length === shown.length && (kernel.get("total") ?? 0) > shown.length;
    if (again) kernel.set({ found_all: true });
    else this.#choose(at, shown);
  }

  #key(event: KeyboardEvent): void {
    const focused = document.activeElement as HTMLElement;
    const at = this.#index(focused.dataset.uid ?? this.kernel.get("focused"));
    if (at < 0) return;
    const last = this.#tiles.length - 1;
    const uid = this.#tiles[at]!.row.uid;
    const key = event.key;
    const column = key === "ArrowUp" || key === "ArrowDown" ? this.#window.columns : 0;
    const targets: Record<string, number> = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      ArrowDown: at + column,
      ArrowUp: at - column,
      Home: 0,
      End: last,
    };
    const to = targets[key];
    if (to !== undefined) {
      if (to >= 0 && to <= last) {
        if (!event.shiftKey) this.#anchor = to;
        this.#choose(to, event.shiftKey ? this.#range(to) : [this.#tiles[to]!.row.uid]);
      }
    } else if (key === "Enter") this.open();
    else if (key === "F2") this.rename();
    else if (key === " ") this.#choose(at, this.#toggled(uid));
    else if (key === "Escape") this.#choose(at, []);
    else if (key === "a" && (event.ctrlKey || event.metaKey)) {
      this.#chooseAll(at);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
