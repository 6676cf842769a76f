/** "Download…": the selected images as one ZIP in a form of choice; the browser itself brings it. */

import { copyButton, h } from "../lib/dom";
import type { Kernel } from "../lib/kernel";
import type { BrowserState } from "../lib/shapes";
import { bytes, number, plural } from "../lib/words";
import type { Action } from "./actions";
import { selectedCount } from "./found";

/** What one form would bring, or why it cannot. */
interface Archive {
  path?: string;
  name?: string;
  nbytes?: number;
  files?: number;
  left?: number;
  left_out?: { name: string; why: string }[];
  error?: string;
}

interface DownloadState extends BrowserState {
  download_as: string;
  archives: Record<string, Archive>;
}

const FORMS: [string, string, string][] = [
  ["originals", "Originals", "the files as they came from the microscope"],
  ["ome-tiff", "OME-TIFF", "one file for each image, with metadata and tags; wide ones with their pyramid"],
  ["imagej", "ImageJ TIFF", "one hyperstack for each image, for Fiji"],
  ["ome-zarr", "OME-Zarr", "one folder for each image, as it is stored"],
];
const PATIENCE_MS = 300;

/** "1.2 GB in 3 files", or why there is none. */
function told(archive: Archive | undefined): string {
  if (!archive) return "…";
  if (archive.error) return archive.error;
  if (!archive.files) return "none of them";
  const left = archive.left ? `, ${number(archive.left)} left out` : "";
  return `${bytes(archive.nbytes ?? 0)} in ${plural(archive.files, "file")}${left}`;
}

function leftOut(archive: Archive): HTMLElement | false {
  const some = archive.left_out ?? [];
  if (!some.length) return false;
  const more = (archive.left ?? 0) - some.length;
  const lines = some.map(({ name, why }) => h("li", {}, h("b", {}, name), ` ${why}`));
  if (more > 0) lines.push(h("li", {}, `and ${number(more)} more`));
  return h("div", { class: "cid-left-out" }, h("h4", {}, "Left out"), h("ul", {}, ...lines));
}

function picker(kernel: Kernel<DownloadState>): HTMLElement {
  const group = `cid-form-${Math.random().toString(36).slice(2)}`;
  const rows = FORMS.map(([form, name, about]) => {
    const radio = h("input", { type: "radio", name: group, value: form });
    const size = h("span", { class: "cid-form-size" });
    radio.addEventListener("change", () => kernel.set({ download_as: form }));
    const words = h("span", { class: "cid-form-words" }, h("b", {}, name), h("span", { class: "cid-hint" }, about));
    return { form, radio, size, el: h("label", { class: "cid-form-row" }, radio, words, size) };
  });
  kernel.show(["archives", "download_as"], () => {
    for (const { form, radio, size, el } of rows) {
      const archive = kernel.get("archives")[form];
      radio.checked = kernel.get("download_as") === form;
      size.textContent = told(archive);
      el.classList.toggle("cid-none", !!archive && !archive.files);
    }
  });
  return h("fieldset", { class: "cid-forms" }, h("legend", { class: "cid-offscreen" }, "Form"), ...rows.map(({ el }) => el));
}

function form(kernel: Kernel<DownloadState>, close: () => void): { el: HTMLElement; ask: () => void } {
  const link = h("a", { class: "cid-button cid-primary", role: "link" });
  const words = h("span", { class: "cid-said", role: "status" });
  const under = h("div", { class: "cid-under" });
  const closing = h("button", { type: "button" }, "Close");
  closing.addEventListener("click", close);
  const el = h(
    "div",
    { class: "cid-form cid-downloading" },
    h(
      "div",
      { class: "cid-form-head" },
      h("h4", {}, "Download images"),
      h("p", {}, "One ZIP file, made while it is sent. It can be paused and goes on where it was; its last file has the checksums of all others."),
    ),
    picker(kernel),
    h("div", { class: "cid-actions" }, link, closing, words),
    under,
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  kernel.finally(() => clearTimeout(timer));
  const ask = () => {
    clearTimeout(timer);
    timer = setTimeout(() => selectedCount(kernel) && kernel.ask("archives"), PATIENCE_MS);
  };
  kernel.show(["archives", "download_as", "selected", "found_all"], () => {
    const archive = kernel.get("archives")[kernel.get("download_as")];
    const ready = !!archive?.files;
    link.textContent = ready ? `Download ${bytes(archive.nbytes ?? 0)}` : "Download";
    link.toggleAttribute("aria-disabled", !ready);
    if (ready) {
      link.setAttribute("href", archive.path ?? "");
      link.setAttribute("download", archive.name ?? "");
    } else {
      link.removeAttribute("href");
    }
    words.textContent = archive || !selectedCount(kernel) ? "" : "One moment…";
    words.dataset.mood = "";
    under.replaceChildren();
    if (!archive) return;
    const left = leftOut(archive);
    if (left) under.append(left);
    if (!ready) return;
    const address = new URL(archive.path ?? "", location.href).href;
    const command = `curl -C - -o "${archive.name}" "${address}"`;
    under.append(
      h("p", { class: "cid-hint" }, "Without this page: a curl command goes on where it was. Its address is yours for eight hours and needs no password, so do not pass it on. ", copyButton(command, "the curl command")),
    );
  });
  link.addEventListener("click", (event) => {
    if (!link.hasAttribute("href")) return event.preventDefault();
    words.textContent = "Your browser downloads it.";
    words.dataset.mood = "good";
  });
  kernel.show(["selected", "found_all"], () => el.isConnected && el.offsetParent !== null && ask());
  return { el, ask };
}

/** "Download…" */
export function downloading(browser: Kernel<BrowserState>): Action {
  const kernel = browser as unknown as Kernel<DownloadState>;
  let ask = () => {};
  return {
    name: "Download…",
    about: "Download images",
    hint: (count) => `Download ${plural(count, "image")} as originals, TIFF or OME-Zarr`,
    panel: (close) => {
      const made = form(kernel, close);
      ask = made.ask;
      return made.el;
    },
    opened: () => ask(),
  };
}
