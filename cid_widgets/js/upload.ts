/**
 * Files into the catalog: drop them, look at what would be sent, start, and see what came of it.
 *
 * The page sends the bytes to the service by itself. The kernel opens the deposit and renews the
 * ticket; its token never comes here.
 */

import "./styles/upload.css";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { Thumbnails } from "./lib/thumbnails";
import { turnTo } from "./lib/turn";
import { number } from "./lib/words";
import { CheckedView } from "./upload/checked";
import { dropPlace, keepPage } from "./upload/drop";
import { add, nothing, type Gathered } from "./upload/gather";
import { Look } from "./upload/look";
import { outcome } from "./upload/outcome";
import { items, read } from "./upload/reading";
import { Sending } from "./upload/sending";
import type { Item, Unfinished, UploadState } from "./upload/shapes";
import { UnderWay } from "./upload/under_way";
import { unfinishedList } from "./upload/unfinished";
import { Where } from "./upload/where";

const NOWHERE = "You can upload into no project yet. Ask for one with ProjectRequest(catalog), or ask a manager to make you a contributor.";

const LISTED = 5000; // files in one message
const PATIENCE_MS = 4000;

const myself = () => `${Date.now()}-${Math.random()}`;

class View {
  readonly el: HTMLElement;
  #me = myself(); // which view of the widget has the files, and which try of it
  #gathered: Gathered | null = null;
  #items: Item[] = []; // what is about to be sent
  #sending: Sending | null = null;
  #reading = false; // or asked for room: what goes is fixed
  #opening = false; // room was asked for
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #look: Look;
  #underWay: UnderWay;
  #checked: CheckedView;
  #ready: HTMLElement;
  #more: HTMLElement;
  #result = h("div");
  #ended: HTMLElement;
  #error = h("p", { class: "cid-error", role: "alert" });
  #part: HTMLElement | undefined; // of the view that is shown
  #nowhere = h("p", { class: "cid-empty" }, NOWHERE);

  constructor(
    private readonly kernel: Kernel<UploadState>,
    thumbnails: Thumbnails,
  ) {
    this.el = root("upload");
    keepPage(this.el);
    const take = (found: Gathered) => this.#take(found);
    this.#ready = h(
      "section",
      { "aria-label": "Choose files" },
      dropPlace(this.el, "Drop files or folders here", take).el,
      unfinishedList(kernel, (known) => this.#goOn(known)),
    );
    this.#more = dropPlace(this.el, "Drop more here", take, true).el;
    this.#look = new Look(kernel, new Where(kernel), {
      start: (check) => void this.#start(check),
      goOn: (known) => this.#goOn(known),
      changed: () => this.#match(),
      clear: () => this.#clear(),
    });
    this.#underWay = new UnderWay(kernel, this.el, () => this.#sending, (found) => this.#again(found), () => this.#cancel());
    this.#checked = new CheckedView(kernel, () => kernel.ask("cancel"));
    const show = h("button", { type: "button" }, "Show them");
    show.addEventListener("click", () => kernel.ask("show"));
    const page = h("a", { target: "_blank", rel: "noopener" }, "Open the project's page");
    const fresh = h("button", { type: "button", class: "cid-primary" }, "Upload more");
    fresh.addEventListener("click", () => kernel.ask("reset"));
    this.#ended = h("section", { "aria-label": "What came of it" }, this.#result, h("div", { class: "cid-actions" }, show, fresh, page));
    this.el.append(this.#nowhere, this.#ready, this.#look.el, this.#error, this.#more, this.#underWay.el, this.#checked.el, this.#ended);

    kernel.show(["shows", "page", "state"], () => {
      show.hidden = !kernel.get("shows") || kernel.get("state") !== "done";
      page.hidden = !/^https?:\/\//.test(kernel.get("page")) || kernel.get("state") !== "done";
      page.href = page.hidden ? "" : kernel.get("page");
    });
    kernel.show(["outcome"], () => {
      const of = kernel.get("outcome");
      this.#result.replaceChildren(...(of ? [outcome(of, thumbnails)] : []));
    });
    kernel.show(["state", "deposit", "progress", "error", "projects"], () => this.#show());
    kernel.told("gathered", ({ sender, known }) => sender === this.#me && this.#matched(known));
    kernel.told("go", (told) => told.sender === this.#me && this.#go(told));
    kernel.told("refused", ({ sender }) => sender === this.#me && this.#refused());
    kernel.finally(() => this.#sending?.end());
    kernel.finally(() => clearTimeout(this.#waiting));
  }

  #show(): void {
    const state = this.kernel.get("state");
    if (this.#sending && (state !== "sending" || this.kernel.get("deposit")?.sender !== this.#me)) {
      const sending = this.#sending;
      this.#sending = null;
      sending.end();
    }
    const held = this.el.contains(document.activeElement);
    const ready = state === "ready";
    const nowhere = this.kernel.get("projects").length === 0;
    const sent = state === "sending" || state === "importing";
    const checked = state === "checked";
    this.#nowhere.hidden = !ready || !nowhere;
    this.#ready.hidden = !ready || nowhere || this.#gathered !== null;
    this.#look.el.hidden = !ready || this.#gathered === null;
    this.#more.hidden = !ready || this.#gathered === null || this.#reading;
    this.#underWay.el.hidden = !sent;
    this.#checked.el.hidden = !checked;
    this.#ended.hidden = ready || sent || checked;
    this.#error.textContent = sent || checked ? "" : this.kernel.get("error");
    this.#error.hidden = this.#error.textContent === "";
    if (sent) this.#underWay.show();
    const part = [this.#ready, this.#look.el, this.#underWay.el, this.#checked.el, this.#ended].find(({ hidden }) => !hidden);
    if (part && part !== this.#part && held) turnTo(part, this.el);
    this.#part = part;
  }

  #take(found: Gathered): void {
    this.#gathered ??= nothing();
    add(this.#gathered, found);
    if (this.#gathered.files.size + this.#gathered.unreadable.length === 0) this.#gathered = null;
    else this.#look.show(this.#gathered);
    this.#show();
    if (this.#gathered) this.#look.focus();
    this.#match();
  }

  /** Ask whether these files go on with what was broken off. */
  #match(): void {
    if (!this.#gathered || (this.kernel.get("unfinished").length === 0 && this.kernel.get("state") === "ready")) return;
    this.#list([...this.#gathered.files].map(([path, file]) => ({ path, nbytes: file.size, modified: file.lastModified })));
    this.kernel.ask("gathered", { sender: this.#me });
  }

  /** What was dropped while another page sent has no use but to go on with that. */
  #matched(known: Unfinished | null): void {
    if (this.kernel.get("state") === "ready") return this.#look.found(known);
    if (known) return this.#goOn(known);
    this.#gathered = null;
    this.#underWay.strange();
  }

  async #start(check: boolean): Promise<void> {
    if (this.#reading || !this.#gathered) return;
    this.#reading = true;
    const files = this.#gathered.files;
    const cleared = () => this.#gathered?.files !== files;
    this.#look.offer(false);
    this.#items = items(this.#gathered.files);
    this.#show();
    const all = this.#items;
    const gone = await read(all, (done) => this.#look.offer(false, `Reading ${number(done)} of ${number(all.length)} files…`), cleared);
    if (cleared()) return;
    if (gone.length > 0) {
      this.#reading = false;
      for (const path of gone) this.#gathered.files.delete(path);
      this.#gathered.unreadable.push(...gone);
      this.#look.show(this.#gathered);
      return this.#show();
    }
    this.#look.offer(false, "Asking for room…");
    const said = this.#items.map(({ path, nbytes, modified, sha256 }) => ({ path, nbytes, modified, ...(sha256 && { sha256 }) }));
    this.#list(said);
    this.#opening = true;
    this.#wait("open", { check });
  }

  /** Say which files there are: some at a time, because a message to the kernel has its limit. */
  #list(files: object[]): void {
    for (let start = 0; start === 0 || start < files.length; start += LISTED) {
      this.kernel.ask("listed", { sender: this.#me, start, files: files.slice(start, start + LISTED) });
    }
  }

  /** Ask, and say so when the answer takes long. */
  #wait(question: string, rest: Record<string, unknown> = {}): void {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#look.offer(false, "Waiting for the kernel (is a cell running?)"), PATIENCE_MS);
    this.kernel.ask(question, { sender: this.#me, ...rest });
  }

  #goOn(known: Unfinished): void {
    this.#items = items(this.#gathered?.files ?? new Map());
    this.#look.offer(false, "Asking how far it is…");
    this.#wait("go_on", { uid: known.uid });
  }

  #go(told: Record<string, any>): void {
    clearTimeout(this.#waiting);
    this.#reading = this.#opening = false;
    const missing = told.missing && new Set<string>(told.missing);
    this.#gathered = null;
    this.#sending?.end();
    const all = this.#items.filter(({ path }) => !missing || missing.has(path));
    this.#items = [];
    this.#sending = new Sending(this.kernel, this.#me, told as any, all, () => this.#underWay.show());
    this.#show();
  }

  #refused(): void {
    clearTimeout(this.#waiting);
    this.#reading = this.#opening = false;
    this.#look.offer(true);
    this.#show();
    if (this.el.contains(document.activeElement)) this.#look.toWrong();
  }

  /** Files that were dropped while an upload is under way: its own, again. */
  #again(found: Gathered): void {
    if (this.#sending) return this.#sending.replace(found.files);
    this.#gathered = found;
    this.#match();
  }

  #cancel(): void {
    this.#sending?.cancel();
    this.kernel.ask("cancel");
  }

  /** Send nothing. Room that was asked for is given up once it is there: what is said to us then is not for us. */
  #clear(): void {
    if (this.#opening) this.kernel.ask("cancel", { sender: this.#me });
    clearTimeout(this.#waiting);
    this.#me = myself();
    this.#gathered = null;
    this.#items = [];
    this.#reading = this.#opening = false;
    this.#show();
  }
}

/** Draw it in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<UploadState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const view = new View(kernel, new Thumbnails(kernel));
  el.append(view.el);
  return () => {
    kernel.close();
    view.el.remove();
  };
}

export default { render };
