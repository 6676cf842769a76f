/** All files of one deposit on their way, several at a time; whatever breaks off is tried again. */

import type { Kernel } from "../lib/kernel";
import { can, hex, sha256 } from "./digest";
import { put } from "./put";
import type { Item, Sent } from "./shapes";
import { Speed } from "./speed";
import { tus } from "./tus";
import { Final, Place, Refused } from "./wire";

const AT_ONCE = 4; // a browser has six lines to a server; thumbnails want some too
const LARGE = 16 << 20; // bytes from which a file goes by tus
const FIRST_MS = 300;
const SLOWEST_MS = 15_000;
const GROWTH = 1.8;
const BEAT_MS = 250;
const NOTE_MS = 1000;
const CONFLICTS = 4; // of one file, without a byte more there

type State = "sending" | "paused" | "stuck" | "ended" | "cancelled";

/** What the view shows of it. `trouble` is what it waits for, `wrong` why it goes no further. */
export class Sending {
  state: State = "sending";
  trouble = "";
  wrong = "";
  readonly items: Item[];
  #byPath: Map<string, Item>;
  #place: Place;
  #speed = new Speed();
  #stop = new AbortController();
  #news = { begun: {} as Record<string, string>, done: [] as string[] };
  #noted = 0;
  #known = new WeakMap<Item, string>(); // what was said to be begun
  #timer: ReturnType<typeof setInterval>;
  #wake: () => void = () => {};
  #online = () => this.#wake();
  #leaving = (event: BeforeUnloadEvent) => event.preventDefault();

  constructor(
    private readonly kernel: Kernel<any>,
    private readonly sender: string,
    told: { uid: string; address: string; begun: Record<string, string>; done: string[] },
    items: Item[],
    private readonly show: () => void,
  ) {
    this.items = items;
    this.#byPath = new Map(items.map((item) => [item.path, item]));
    this.#place = new Place(kernel, told.uid, new URL(told.address, location.href).href);
    const done = new Set(told.done);
    for (const item of items) {
      item.upload = told.begun[item.path] ?? "";
      if (done.has(item.path)) [item.state, item.sent] = ["done", item.nbytes];
    }
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
    addEventListener("online", this.#online);
    addEventListener("beforeunload", this.#leaving);
    void this.#run();
  }

  get uid(): string {
    return this.#place.uid;
  }

  /** How far it is. */
  get sent(): Sent {
    const total = { sent: 0, nbytes: 0, done: 0, files: this.items.length };
    for (const item of this.items) {
      total.sent += item.sent;
      total.nbytes += item.nbytes;
      total.done += Number(item.state === "done");
    }
    const going = this.state === "sending" && !this.trouble;
    const rate = going ? this.#speed.rate : 0;
    return { ...total, rate, left: going ? this.#speed.left(total.nbytes - total.sent) : null };
  }

  pause(): void {
    if (this.state !== "sending") return;
    this.#halt("paused");
  }

  /** Go on; files that failed are tried again. */
  resume(): void {
    if (this.state !== "paused" && this.state !== "stuck") return;
    this.state = "sending";
    this.wrong = this.trouble = "";
    for (const item of this.items) if (item.state === "failed") item.state = "waiting";
    void this.#run();
  }

  /** The same files were dropped again: read these from now on. */
  replace(files: Map<string, File>): void {
    for (const [path, file] of files) {
      const item = this.#byPath.get(path);
      if (item && file.size === item.nbytes) item.file = file;
    }
    this.resume();
  }

  /** It is over: cancelled, taken over by another page, or the view has gone. */
  end(): void {
    this.#halt("ended");
    this.#note();
    clearInterval(this.#timer);
    removeEventListener("online", this.#online);
    removeEventListener("beforeunload", this.#leaving);
  }

  /** Nothing of it is wanted any more. */
  cancel(): void {
    this.end();
    this.state = "cancelled";
    this.show();
  }

  #halt(state: State, wrong = ""): void {
    this.state = state;
    this.wrong = wrong;
    this.trouble = "";
    this.#stop.abort();
    this.#wake();
    this.#speed.forget();
    for (const item of this.items) if (item.state === "sending") item.state = "waiting";
    this.show();
  }

  async #run(): Promise<void> {
    const stop = (this.#stop = new AbortController());
    this.#speed.forget();
    const left = this.items.filter(({ state }) => state === "waiting");
    let next = 0;
    const work = async () => {
      while (next < left.length && !stop.signal.aborted) await this.#send(left[next++]!, stop.signal);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (stop.signal.aborted) return;
    const failed = this.items.filter(({ state }) => state === "failed");
    if (failed.length > 0) {
      const others = failed.length > 1 ? ` (and ${failed.length - 1} more)` : "";
      return this.#halt("stuck", `${failed[0]!.path}${others}: ${failed[0]!.why}`);
    }
    this.end();
    this.kernel.ask("finish", { sender: this.sender });
  }

  /** Send one file until it is there; it fails when it cannot be read. */
  async #send(item: Item, stop: AbortSignal): Promise<void> {
    let wait = FIRST_MS;
    let [conflicts, most] = [0, item.sent];
    let ended = false;
    item.state = "sending";
    const count = (sent: number) => {
      item.sent = sent;
      if (sent <= most) return;
      [most, wait, conflicts] = [sent, FIRST_MS, 0];
      this.trouble = "";
    };
    for (;;) {
      try {
        const address = await this.#place.address(ended);
        if (stop.aborted) return;
        ended = false;
        if (item.nbytes < LARGE && can()) {
          item.sha256 ||= hex(await sha256(item.file));
          await put(address, item, count, stop);
        } else await tus(address, item, count, () => this.#began(item), stop);
        return this.#there(item);
      } catch (error) {
        if (stop.aborted) return;
        const refused = error instanceof Refused ? error : new Refused(0, String(error));
        if (error instanceof Final) return this.#halt("stuck", error.message);
        if (!(await readable(item.file))) {
          [item.state, item.why] = ["failed", "it changed or cannot be read any more: drop it again"];
          return;
        }
        ended = refused.status === 401;
        if (item.upload && [404, 410].includes(refused.status)) [item.upload, item.sent] = ["", 0];
        else if (refused.status === 409 && item.upload && ++conflicts < CONFLICTS) item.sent = 0;
        else if (!again(refused.status)) return this.#halt("stuck", refused.message);
        if (refused.status === 0 || refused.status >= 500) this.trouble = `${refused.message}; it goes on by itself`;
        this.show();
        await this.#pause(wait, stop);
        if (stop.aborted) return;
        wait = Math.min(wait * GROWTH, SLOWEST_MS);
      }
    }
  }

  /** Said at once: where a large file is must not be lost with the page. */
  #began(item: Item): void {
    if (this.#known.get(item) === item.upload) return;
    this.#known.set(item, item.upload);
    this.#news.begun[item.path] = item.upload;
    this.#note();
  }

  #there(item: Item): void {
    [item.state, item.sent] = ["done", item.nbytes];
    this.trouble = "";
    this.#news.done.push(item.path);
  }

  /** Wait; less where the line is there again, or nobody wants it any more. */
  #pause(ms: number, stop: AbortSignal): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, ms * (0.7 + 0.3 * Math.random()));
      const now = () => {
        clearTimeout(timer);
        done();
      };
      const before = this.#wake;
      this.#wake = () => {
        before();
        now();
      };
      stop.addEventListener("abort", now, { once: true });
    });
  }

  #beat(): void {
    if (this.state === "sending") this.#speed.note(this.sent.sent);
    this.show();
    if (performance.now() - this.#noted > NOTE_MS && this.state === "sending") this.#note();
  }

  #note(): void {
    this.#noted = performance.now();
    const { begun, done } = this.#news;
    this.#news = { begun: {}, done: [] };
    this.kernel.ask("notes", { uid: this.uid, begun, done, progress: this.sent });
  }
}

const again = (status: number): boolean => [0, 401, 423, 429, 460].includes(status) || status >= 500;

async function readable(file: File): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
