/** What the files would become, told before any of it is in the catalog; what is still to be said of them; Upload. */

import { h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import { again, once } from "../lib/once";
import { sureButton } from "../lib/sure";
import { bytes, dims, number, pixelSize, plural } from "../lib/words";
import { labelled, nextId } from "../people/labelled";
import type { Checked, CheckedImage, Mask, UploadState } from "./shapes";
import { TagLines } from "./tags";

const WORDS: Record<string, string> = {
  unreadable: "cannot be read",
  look: "look at it",
  good: "good",
  file: "kept as a file",
  there: "there already",
};
const MOOD: Record<string, string> = { unreadable: "bad", look: "warn", good: "good" };

/** "3 good, 1 to look at, 1 cannot be read" */
export function summary(counts: Record<string, number>): string {
  const words: Record<string, string> = { ...WORDS, look: "to look at" };
  return ["good", "look", "file", "there", "unreadable"]
    .filter((verdict) => counts[verdict])
    .map((verdict) => `${number(counts[verdict]!)} ${words[verdict]}`)
    .join(", ");
}

function imageLine(image: CheckedImage): HTMLElement {
  const said = [dims(image.axes, image.shape), image.dtype, pixelSize(image.scale, image.units)];
  if (image.completeness !== null) said.push(`${Math.round(100 * image.completeness)} % complete`);
  const missing = Object.entries(image.missing);
  return h(
    "li",
    {},
    h("span", { class: "cid-hint" }, h("b", {}, image.name), ` ${said.join(" · ")}`),
    missing.length > 0 &&
      h(
        "details",
        { class: "cid-up-missing" },
        h("summary", {}, `not known: ${missing.map(([key]) => key).join(", ")}`),
        h("ul", {}, ...missing.map(([key, why]) => h("li", {}, h("b", {}, key), ` ${why}`))),
      ),
  );
}

function fileLine(file: Checked): HTMLElement {
  const more = file.images_in_all - file.images.length;
  return h(
    "li",
    { "data-verdict": file.verdict },
    h("span", { class: "cid-up-verdict", "data-mood": MOOD[file.verdict] ?? "" }, WORDS[file.verdict] ?? file.verdict),
    h(
      "div",
      {},
      h("b", { class: "cid-up-name" }, file.path),
      ...file.findings.map((line) => h("div", { class: file.verdict === "unreadable" ? "cid-bad" : file.verdict === "look" ? "cid-warn" : "cid-hint" }, line)),
      file.images.length > 0 &&
        h("ul", {}, ...file.images.map(imageLine), more > 0 && h("li", { class: "cid-hint" }, `and ${plural(more, "more image")}`.replace("more images", "more"))),
    ),
  );
}

export class CheckedView {
  readonly el: HTMLElement;
  #title = h("h4", { role: "status" });
  #place = h("p", { class: "cid-hint" });
  #asks = h("h5");
  #why = h("p", { class: "cid-hint" });
  #saying: HTMLElement;
  #mask = h("select", { id: nextId() });
  #masks: HTMLElement;
  #tags = new TagLines(() => this.#keep());
  #elsewhere = h("ul", { class: "cid-up-wrong" });
  #list = h("ul", { class: "cid-up-report", "aria-label": "Verdicts", tabindex: "0" });
  #upload = h("button", { type: "button", class: "cid-primary" }, "Upload");
  #hopeless = h("span", { class: "cid-hint" });
  #error = h("span", { class: "cid-bad", role: "alert" });
  #parts: HTMLElement[];

  constructor(
    private readonly kernel: Kernel<UploadState>,
    cancel: () => void,
  ) {
    this.#masks = labelled("Mask", this.#mask.id, this.#mask, "That of the microscope which took these files.").el;
    this.#mask.addEventListener("change", () => {
      this.#ask();
      this.#keep();
    });
    this.#saying = h("div", { class: "cid-up-saying" }, this.#asks, this.#why, this.#masks, this.#tags.el, this.#elsewhere);
    once(this.#upload, () => this.#bring());
    this.el = h("section", { class: "cid-up-checked", "aria-label": "What it would become" });
    const actions = h(
      "div",
      { class: "cid-actions" },
      this.#upload,
      sureButton("Give up…", () => "Really give it up?", cancel),
      this.#hopeless,
      this.#error,
    );
    this.#parts = [this.#title, this.#place, this.#saying, this.#list, actions];
    kernel.show(["report"], () => this.#show());
    kernel.show(["wrong", "masks"], () => this.#complain());
    kernel.show(["error"], () => (this.#error.textContent = kernel.get("error")));
    kernel.told("brought", () => again(this.#upload));
  }

  #show(): void {
    const report = this.kernel.get("report");
    if (!report) return this.el.replaceChildren();
    const deposit = this.kernel.get("deposit");
    if (!this.el.hasChildNodes()) this.el.append(...this.#parts);
    again(this.#upload);
    this.#title.textContent = report.wrong.length ? "Before it goes in, something is to be said" : `Checked: ${summary(report.counts)}`;
    const where = deposit ? [deposit.project, deposit.dataset].filter(Boolean).join(" / ") : "";
    this.#place.textContent = `${report.wrong.length ? `${summary(report.counts)}. ` : ""}Nothing of it is in ${where} yet. What was sent waits for a day; it would take ${bytes(report.nbytes)}.${report.counts.unreadable ? " What cannot be read would be kept as files." : ""}`;
    const lines = report.files.map(fileLine);
    const more = report.files_in_all - lines.length;
    this.#list.replaceChildren(...lines, ...(more > 0 ? [h("li", { class: "cid-hint" }, `and ${number(more)} more`)] : []));
    const hopeless = report.files_in_all > 0 && report.counts.unreadable === report.files_in_all;
    this.#upload.hidden = hopeless;
    this.#hopeless.textContent = hopeless ? "None of it can be read: give it up, and bring it whole." : "";
    this.#ask();
  }

  /** The fields of the masks that ask, or of the one that is chosen here. */
  #ask(): void {
    const report = this.kernel.get("report");
    const known = this.kernel.get("masks");
    const chosen = this.#mask.value || this.kernel.get("mask");
    const asking = report?.masks.length ? report.masks : [chosen];
    const masks = known.filter(({ name }) => asking.includes(name));
    this.#asks.textContent = masks.length ? `${masks.map(({ name }) => name).join(" and ")} asks` : "To be said";
    const of = report?.asking.length ? `the ${plural(report.asking.length, "file")} of its microscope` : "all images of this upload";
    this.#why.textContent = `What you say here is said of ${of}.`;
    const several = (report?.wrong ?? []).some(({ field }) => field === "mask");
    this.#masks.hidden = !several;
    this.#mask.replaceChildren(h("option", { value: "" }, "choose one"), ...known.map(({ name }: Mask) => h("option", { value: name }, name)));
    this.#mask.value = chosen;
    this.#tags.value = this.kernel.get("tags");
    this.#tags.ask(masks);
    this.#complain();
  }

  #complain(): void {
    const report = this.kernel.get("report");
    const wrong = this.kernel.get("wrong");
    this.#saying.hidden = !report || (wrong.length === 0 && report.wrong.length === 0);
    this.#elsewhere.replaceChildren(...this.#tags.complain(wrong).map((line) => h("li", { class: "cid-bad" }, line)));
  }

  #keep(): void {
    if (this.#saying.hidden) return;
    this.kernel.set({ tags: this.#tags.value, ...(this.#masks.hidden ? {} : { mask: this.#mask.value }) });
  }

  #bring(): void {
    const empty = this.#tags.empty(this.kernel.get("report")?.wrong ?? []);
    if (empty) {
      this.#complain();
      again(this.#upload);
      return empty.focus();
    }
    this.#keep();
    this.#error.textContent = "";
    this.kernel.ask("bring");
  }
}
