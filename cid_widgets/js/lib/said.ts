/** The line that says what was done, with Undo, or what went wrong. Its place is kept free. */

import { h } from "./dom";
import type { Kernel } from "./kernel";
import type { ChangingState } from "./shapes";

const PATIENCE_MS = 3000;

export interface Said {
  el: HTMLElement;
  /** Ask the kernel, and say so when it takes long. */
  ask(question: string, rest?: Record<string, unknown>): void;
  /** The answer is told elsewhere: wait no more. */
  calm(): void;
}

/** `idle` stands there while there is nothing to say. */
export function said(kernel: Kernel<any>, idle: () => string = () => ""): Said {
  const of = kernel as Kernel<ChangingState>;
  const words = h("span", { role: "status" });
  const trouble = h("span", { class: "cid-bad", role: "alert" });
  const undo = h("button", { type: "button", class: "cid-undo" }, "Undo");
  const el = h("p", { class: "cid-said-line" }, words, trouble, undo);
  let timer: ReturnType<typeof setTimeout> | undefined;
  kernel.finally(() => clearTimeout(timer));
  const ask = (question: string, rest: Record<string, unknown> = {}) => {
    clearTimeout(timer);
    timer = setTimeout(() => (words.textContent = "Waiting for the kernel (is a cell running?)"), PATIENCE_MS);
    kernel.ask(question, rest);
  };
  undo.addEventListener("click", () => ask("undo"));
  const calm = () => {
    clearTimeout(timer);
    const done = of.get("done");
    trouble.textContent = of.get("error");
    words.textContent = of.get("error") ? "" : (done?.text ?? idle());
    words.classList.toggle("cid-hint", !done);
    undo.hidden = !done?.undo;
  };
  of.show(["done", "error"], calm);
  kernel.told("answered", calm);
  return { el, ask, calm };
}
