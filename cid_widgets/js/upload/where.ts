/** The small form: which project and dataset, which tags, and two choices that are seldom made. */

import { debounce, h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import { bytes } from "../lib/words";
import { labelled, nextId } from "../people/labelled";
import type { UploadState } from "./shapes";
import { TagLines } from "./tags";

const TYPING_MS = 200;

export class Where {
  readonly el: HTMLElement;
  #ids = { project: nextId(), dataset: nextId(), mask: nextId(), known: nextId(), tags: nextId(), files: nextId(), again: nextId() };
  #project = h("select", { id: this.#ids.project });
  #known = h("datalist", { id: this.#ids.known });
  #dataset = h("input", { id: this.#ids.dataset, type: "text", list: this.#ids.known, placeholder: "screen/plate 1", autocomplete: "off", spellcheck: "false" });
  #files = h("input", { id: this.#ids.files, type: "checkbox" });
  #again = h("input", { id: this.#ids.again, type: "checkbox" });
  #mask = h("select", { id: this.#ids.mask });
  #masks: HTMLElement;
  #more: HTMLDetailsElement;
  #elsewhere = h("ul", { class: "cid-up-wrong" }); // what is wrong where the form has no field
  #tags: TagLines;

  constructor(private readonly kernel: Kernel<UploadState>) {
    const soon = debounce(TYPING_MS, () => this.keep());
    this.#tags = new TagLines(soon);
    for (const one of [this.#project, this.#mask, this.#files, this.#again]) one.addEventListener("change", () => this.keep());
    this.#dataset.addEventListener("input", soon);
    const check = (box: HTMLInputElement, words: string) => h("label", { class: "cid-up-check" }, box, words);
    this.#masks = labelled("Mask", this.#ids.mask, this.#mask, "What images of a microscope must say. It is checked before a byte is sent.").el;
    this.#more = h(
      "details",
      { class: "cid-up-more" },
      h("summary", {}, "Tags and more"),
      labelled("Tags", this.#ids.tags, this.#tags.el, "All images get these.").el,
      this.#elsewhere,
      check(this.#files, "Keep everything as files: read no images"),
      check(this.#again, "Bring in again what the catalog has already"),
    );
    this.el = h(
      "div",
      { class: "cid-fields cid-up-where" },
      labelled("Project", this.#ids.project, this.#project).el,
      labelled("Dataset", this.#ids.dataset, h("span", { class: "cid-control" }, this.#dataset, this.#known), "Folders become datasets below it; a new one is made.").el,
      this.#masks,
      this.#more,
    );
    kernel.show(["projects", "project"], () => this.#offer());
    kernel.show(["masks", "mask"], () => this.#offerMasks());
    kernel.show(["wrong"], () => {
      const wrong = kernel.get("wrong");
      this.#elsewhere.replaceChildren(...this.#tags.complain(wrong).map((line) => h("li", { class: "cid-bad" }, line)));
      if (wrong.length > 0) this.#more.open = true;
    });
    kernel.show(["dataset", "kind", "again"], () => {
      if (this.#dataset.value.trim() !== kernel.get("dataset")) this.#dataset.value = kernel.get("dataset");
      this.#files.checked = kernel.get("kind") === "files";
      this.#again.checked = kernel.get("again");
    });
    kernel.show(["tags"], () => {
      const tags = kernel.get("tags");
      if (JSON.stringify(this.#tags.value) !== JSON.stringify(tags)) this.#tags.value = tags;
    });
  }

  /** Tell the kernel what the form says. */
  keep(): void {
    this.kernel.set({
      project: this.#project.value,
      mask: this.#mask.value,
      dataset: this.#dataset.value.trim().replace(/^\/+|\/+$/g, ""),
      kind: this.#files.checked ? "files" : "import",
      again: this.#again.checked,
      tags: this.#tags.value,
    });
  }

  /** The first field that something is wrong with. */
  wrong(): HTMLElement | null {
    return this.#tags.wrong();
  }

  #offerMasks(): void {
    const masks = this.kernel.get("masks");
    const chosen = this.kernel.get("mask");
    const options = masks.map(({ name, instrument }) => h("option", { value: name }, instrument && instrument !== name ? `${name} (${instrument})` : name));
    this.#mask.replaceChildren(h("option", { value: "" }, "none"), ...options);
    this.#mask.value = chosen;
    this.#masks.hidden = masks.length === 0;
    const mask = masks.find(({ name }) => name === chosen);
    this.#tags.ask(mask ? [mask] : []);
    if (mask?.fields.some(({ required }) => required)) this.#more.open = true;
  }

  #offer(): void {
    const chosen = this.kernel.get("project");
    const projects = this.kernel.get("projects");
    const names = projects.map(({ name }) => name);
    const more = chosen && !names.includes(chosen) ? [{ name: chosen, title: "you may not upload there" }] : [];
    this.#project.replaceChildren(
      ...[...projects, ...more].map(({ name, title }) => h("option", { value: name }, title && title !== name ? `${name} (${title})` : name)),
    );
    this.#project.value = chosen;
    const datasets = projects.find(({ name }) => name === chosen)?.datasets ?? [];
    this.#known.replaceChildren(...datasets.filter(({ path, query }) => path && !query).map(({ path }) => h("option", { value: path })));
  }
}

/** What so many bytes mean for the project that is chosen; `bad` when they do not fit. */
export function effect(kernel: Kernel<UploadState>, nbytes: number): { text: string; bad: boolean; part: number } {
  const project = kernel.get("projects").find(({ name }) => name === kernel.get("project"));
  if (!project?.allocation) return { text: "", bad: false, part: 0 };
  const { limit, used, reserved } = project.allocation;
  const free = Math.max(0, limit - used - reserved);
  const bad = nbytes > free;
  const text = bad
    ? `${bytes(nbytes)} do not fit: ${project.name} has ${bytes(free)} free. Leave something out, or ask for more room.`
    : `${bytes(nbytes)} of the ${bytes(free)} free in ${project.name}; the images made of them take room too.`;
  return { text, bad, part: limit > 0 ? Math.min(1, (used + reserved + nbytes) / limit) : 1 };
}
