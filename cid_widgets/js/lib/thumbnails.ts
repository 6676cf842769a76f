/**
 * Thumbnails by address. Pixels never come through the kernel; it only renews addresses.
 *
 * An address holds a ticket that lives about a minute, so an image that comes into sight later
 * fails once: then the kernel is asked for a fresh one (many in one question), and only when that
 * fails too does the neutral tile with the name stay.
 */

import { h } from "./dom";
import type { Kernel } from "./kernel";
import type { Named } from "./shapes";

const TOGETHER_MS = 40;
const AT_ONCE = 24;

interface Frame {
  box: HTMLElement;
  image: HTMLImageElement;
  renewed: boolean;
}

export class Thumbnails {
  #frames = new Map<string, Set<Frame>>();
  #wanted = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sight: IntersectionObserver;

  constructor(private readonly kernel: Kernel<any>) {
    kernel.told("thumbnails", (answer) => this.#arrived(answer.urls));
    this.#sight = new IntersectionObserver((entries) => this.#seen(entries));
    kernel.finally(() => this.#sight.disconnect());
    kernel.finally(() => clearTimeout(this.#timer));
  }

  /** A box that shows the image's thumbnail once it is in sight; without an address it asks. */
  frame(of: Named, url = ""): HTMLElement {
    const image = h("img", { alt: "", loading: "lazy", draggable: "false" });
    const box = h("span", { class: "cid-thumb", "data-uid": of.uid }, image);
    box.append(h("span", { class: "cid-thumb-name" }, of.name));
    const frame: Frame = { box, image, renewed: false };
    image.addEventListener("load", () => {
      box.dataset.state = "shown";
      frame.renewed = false;
    });
    image.addEventListener("error", () => this.#failed(of.uid, frame));
    this.#remember(of.uid, frame);
    if (url) this.#draw(frame, url);
    else this.#sight.observe(box);
    return box;
  }

  #remember(uid: string, frame: Frame): void {
    const frames = this.#frames.get(uid) ?? new Set();
    frames.add(frame);
    this.#frames.set(uid, frames);
  }

  #seen(entries: IntersectionObserverEntry[]): void {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      this.#sight.unobserve(target);
      this.#ask((target as HTMLElement).dataset.uid!);
    }
  }

  #failed(uid: string, frame: Frame): void {
    if (frame.renewed) frame.box.dataset.state = "none";
    else this.#ask(uid);
  }

  #ask(uid: string): void {
    this.#wanted.add(uid);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const uids = [...this.#wanted];
      this.#wanted.clear();
      for (let i = 0; i < uids.length; i += AT_ONCE) {
        this.kernel.ask("thumbnails", { uids: uids.slice(i, i + AT_ONCE) });
      }
    }, TOGETHER_MS);
  }

  #arrived(urls: Record<string, string>): void {
    for (const [uid, url] of Object.entries(urls)) {
      const frames = this.#frames.get(uid) ?? new Set<Frame>();
      for (const frame of frames) {
        if (!frame.box.isConnected) frames.delete(frame);
        if (frame.box.dataset.state === "shown") continue;
        frame.renewed = true;
        if (url) this.#draw(frame, url);
        else frame.box.dataset.state = "none";
      }
    }
  }

  /** Show what lies at this address; only the service's own kind of address is followed. */
  #draw(frame: Frame, url: string): void {
    if (/^(\/|https?:)/.test(url)) frame.image.src = url;
    else frame.box.dataset.state = "none";
  }
}
