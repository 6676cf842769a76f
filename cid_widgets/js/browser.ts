/** The catalog in three panes: projects, images, details; and the way to run a template on them. */

import "./styles/browser.css";
import { Details } from "./browse/details";
import { Grid } from "./browse/grid";
import { Tree } from "./browse/tree";
import { debounce, h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import type { BrowserState } from "./lib/shapes";
import { Thumbnails } from "./lib/thumbnails";
import { plural } from "./lib/words";
import { form } from "./runs/form";

const TYPING_MS = 250;
const PATIENCE_MS = 2500;
const KINDS: [string, string][] = [
  ["", "All"],
  ["image", "Images"],
  ["labels", "Labels"],
];

function searchBox(kernel: Kernel<BrowserState>, searching: () => void): HTMLElement {
  const box = h("input", {
    type: "search",
    class: "cid-search",
    placeholder: "Search names and tags",
    "aria-label": "Search names and tags",
    spellcheck: "false",
  });
  const search = () => {
    if (box.value === kernel.get("query")) return;
    searching();
    kernel.set({ query: box.value });
  };
  const soon = debounce(TYPING_MS, search);
  box.addEventListener("input", soon);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") search();
    event.stopPropagation();
  });
  kernel.show(["query"], () => {
    if (document.activeElement !== box) box.value = kernel.get("query");
  });
  return box;
}

function kindFilter(kernel: Kernel<BrowserState>): HTMLElement {
  const buttons = KINDS.map(([kind, label]) => {
    const button = h("button", { type: "button", "data-kind": kind }, label);
    button.addEventListener("click", () => kernel.set({ kind }));
    return button;
  });
  kernel.show(["kind"], () => {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.kind === kernel.get("kind")));
    }
  });
  return h("span", { class: "cid-kinds", role: "group", "aria-label": "Kind" }, ...buttons);
}

/** What was found and chosen; after a while without an answer, why. */
function statusLine(kernel: Kernel<BrowserState>): { el: HTMLElement; searching: () => void } {
  const el = h("span", { class: "cid-status", role: "status" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  kernel.finally(() => clearTimeout(timer));
  kernel.show(["found", "status", "selected"], () => {
    clearTimeout(timer);
    const count = kernel.get("selected").length;
    el.textContent = (count ? `${count} selected · ` : "") + kernel.get("status");
  });
  const searching = () => {
    el.textContent = "Searching…";
    clearTimeout(timer);
    timer = setTimeout(() => (el.textContent = "Waiting for the kernel (is a cell running?)"), PATIENCE_MS);
  };
  return { el, searching };
}

function runButton(kernel: Kernel<BrowserState>, open: () => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "cid-primary" }, "Run…");
  button.addEventListener("click", open);
  kernel.show(["selected"], () => {
    const count = kernel.get("selected").length;
    button.disabled = count === 0;
    button.title = count ? `Run a template on ${plural(count, "image")}` : "Select images first";
  });
  return button;
}

/** Reads again; lights up when runs have left results that are not shown yet. */
function freshButton(kernel: Kernel<BrowserState>, grid: Grid): HTMLElement {
  const button = h("button", { type: "button", class: "cid-fresh", title: "Look for new images" }, "Refresh");
  const ask = () => {
    button.textContent = "Refresh";
    delete button.dataset.news;
    kernel.ask("refresh");
  };
  button.addEventListener("click", ask);
  const count = () => kernel.get("runs").filter((run) => run.state === "done").length;
  let done = count();
  kernel.show(["runs"], () => {
    const before = done;
    done = count();
    if (done <= before) return;
    if (grid.atTop) return ask();
    button.textContent = "New results: refresh";
    button.dataset.news = "";
  });
  return button;
}

function errorLine(kernel: Kernel<BrowserState>): HTMLElement {
  const el = h("p", { class: "cid-error", role: "alert" });
  kernel.show(["error"], () => {
    el.textContent = kernel.get("error");
    el.hidden = !kernel.get("error");
  });
  return el;
}

/** Draw a browser in `el`; the returned function takes it away. */
export function render({ model, el }: { model: Model<BrowserState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model);
  const thumbnails = new Thumbnails(kernel);
  const status = statusLine(kernel);
  const view = root("browser");
  const show = (open: boolean) => view.classList.toggle("cid-reading", open);
  const details = new Details(kernel, thumbnails, () => show(false));
  const grid = new Grid(kernel, thumbnails, () => {
    show(true);
    details.el.focus();
  });
  const running = h("section", { class: "cid-running", "aria-label": "Run a template" });
  running.hidden = true;
  const close = () => (running.hidden = true);
  const open = () => {
    running.hidden = false;
    kernel.ask("templates");
    running.scrollIntoView({ block: "nearest", behavior: "smooth" });
  };
  running.append(form(kernel, thumbnails, close));
  view.append(
    h("div", { class: "cid-top" }, searchBox(kernel, status.searching), kindFilter(kernel), status.el, freshButton(kernel, grid), runButton(kernel, open)),
    errorLine(kernel),
    h("div", { class: "cid-panes" }, new Tree(kernel).el, grid.el, details.el),
    running,
  );
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
