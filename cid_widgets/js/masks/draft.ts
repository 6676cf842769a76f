/**
 * The draft as this view has it. What is edited here is true here at once; what the kernel says is
 * taken only when it has answered the last edit, so that no answer undoes a newer one.
 */

import type { Kernel } from "../lib/kernel";
import type { Document, Field, MasksState } from "./shapes";

/** The fields that come of these; the same array where nothing changes. */
export type Edit = (fields: Field[]) => Field[];

type Ask = (question: string, rest: Record<string, unknown>) => void;

export function fieldsOf({ fields }: Document): Field[] {
  return Array.isArray(fields) ? fields.filter((one) => one !== null && typeof one === "object") : [];
}

function edited(document: Document, edit: Edit): Document {
  const before = fieldsOf(document);
  const fields = edit(before);
  return fields === before ? document : { ...document, fields };
}

export class Draft {
  document: Document = {};
  #mark = ""; // of the last question, until it is answered
  #what: "" | "typed" | "fields" | "another" = ""; // what was asked last
  #held: Edit[] = []; // made before the kernel has read the text that was typed before them

  /** `shown` is called whenever something is to be drawn anew. */
  constructor(
    private readonly kernel: Kernel<MasksState>,
    private readonly ask: Ask,
    private readonly shown: () => void,
  ) {
    kernel.told("answered", ({ mark }) => mark && mark === this.#mark && this.#answered());
    kernel.show(["document"], () => {
      if (this.#what === "") this.document = kernel.get("document");
    });
  }

  /** May the form be edited? A text that cannot be read has no fields to edit. */
  get forms(): boolean {
    return this.kernel.get("staff") && this.#what !== "another" && Object.keys(this.document).length > 0;
  }

  /** May the text be edited? Not while the form is ahead of it. */
  get types(): boolean {
    return this.kernel.get("staff") && (this.#what === "" || (this.typing && !this.holds));
  }

  /** Has the kernel not yet read what was typed? */
  get typing(): boolean {
    return this.#what === "typed";
  }

  /** Do edits wait for that? */
  get holds(): boolean {
    return this.#held.length > 0;
  }

  /** Is the form ahead of the text? */
  get ahead(): boolean {
    return this.#what === "fields" || this.holds;
  }

  /** Somebody typed this. */
  type(text: string): void {
    this.#say("typed", "type", { text });
  }

  /** Somebody changed the fields. */
  edit(edit: Edit): void {
    if (!this.forms) return;
    const before = this.document;
    this.document = edited(before, edit);
    if (this.document === before) return;
    if (this.typing) this.#held.push(edit);
    else this.#say("fields", "write", { document: this.document });
    this.shown();
  }

  /** Ask for another draft: nothing is edited until it is there. */
  another(question: string, rest: Record<string, unknown>): void {
    this.#held = [];
    this.#say("another", question, rest);
    this.shown();
  }

  #say(what: "typed" | "fields" | "another", question: string, rest: Record<string, unknown>): void {
    this.#what = what;
    this.#mark = `${Math.random()}`;
    this.ask(question, { ...rest, mark: this.#mark });
  }

  #answered(): void {
    const held = this.#held.splice(0);
    this.#what = this.#mark = "";
    this.document = this.kernel.get("document");
    this.shown();
    for (const edit of held) this.edit(edit);
  }
}
