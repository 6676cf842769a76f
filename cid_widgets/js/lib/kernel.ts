/** The conversation of one view with its kernel: traits, questions and answers, and its end. */

import { h } from "./dom";

const ENDED = "The kernel of this view has ended or was restarted. Run its cell again.";

/** What every host offers a view: an anywidget model, or the few lines of a page that act as one. */
export interface Model<S> {
  get<K extends keyof S>(name: K): S[K];
  set<K extends keyof S>(name: K, value: S[K]): void;
  save_changes(): void;
  on(event: string, callback: (...args: any[]) => void): void;
  off?(event: string, callback: (...args: any[]) => void): void;
  send(content: unknown): void;
  widget_manager?: Widgets;
}

/** The other widgets of a host. */
interface Widgets {
  get_model(id: string): Promise<unknown>;
  create_view(model: unknown): Promise<{ el: HTMLElement; remove(): void }>;
}

type Answer = Record<string, any> & { tell: string };

export class Kernel<S> {
  #endings: (() => void)[] = [];

  /** In `place` a line tells when the kernel has gone. */
  constructor(
    private readonly model: Model<S>,
    private readonly place: HTMLElement,
  ) {
    this.#on("comm_live_update", () => this.#ended());
  }

  get<K extends keyof S>(name: K): S[K] {
    return this.model.get(name);
  }

  /** Set traits here and in the kernel. */
  set(values: Partial<S>): void {
    for (const name of Object.keys(values) as (keyof S)[]) this.model.set(name, values[name]!);
    this.#say(() => this.model.save_changes());
  }

  /** Call `then` now, and whenever one of the traits has changed. */
  show(names: (keyof S & string)[], then: () => void): void {
    for (const name of names) this.#on(`change:${name}`, then);
    then();
  }

  /** The view of another widget that a trait refers to. It goes with this one. */
  async view(reference: string): Promise<HTMLElement> {
    const widgets = this.model.widget_manager;
    if (!widgets) throw new Error("no widgets beside this one are shown here");
    const view = await widgets.create_view(await widgets.get_model(reference.replace("IPY_MODEL_", "")));
    this.finally(() => view.remove());
    return view.el;
  }

  ask(question: string, rest: Record<string, unknown> = {}): void {
    this.#say(() => this.model.send({ ask: question, ...rest }));
  }

  /** Call `then` with each answer of this kind; answers go to every view of the widget. */
  told(kind: string, then: (answer: Answer) => void): void {
    this.#on("msg:custom", (answer: Answer) => {
      if (answer.tell === kind) then(answer);
    });
  }

  /** Do this when the view goes. */
  finally(ending: () => void): void {
    this.#endings.push(ending);
  }

  close(): void {
    for (const ending of this.#endings.splice(0)) ending();
  }

  /** Say something; where nobody can hear it any more, tell that. */
  #say(message: () => void): void {
    try {
      message();
    } catch {
      this.#ended();
    }
  }

  #ended(): void {
    if (this.place.querySelector(".cid-ended")) return;
    this.place.prepend(h("p", { class: "cid cid-ended", role: "alert" }, ENDED));
  }

  #on(event: string, callback: (...args: any[]) => void): void {
    this.model.on(event, callback);
    this.finally(() => this.model.off?.(event, callback));
  }
}
