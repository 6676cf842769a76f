/**
 * The catalog in three panes: projects, images, details; and what can be done with the images.
 *
 * A new thing to do is one `Action` in the list of `render` (browse/actions.ts): its button in the
 * top bar, the panel that opens below the panes, and what its Python mixin answers to `kernel.ask`.
 */

import "./styles/browser.css";
import { actions, type Action } from "./browse/actions";
import { Details } from "./browse/details";
import { downloading } from "./browse/download";
import { Grid } from "./browse/grid";
import { Tree } from "./browse/tree";
import { Facets } from "./browse/facets";
import { foundLine } from "./browse/found";
import { help } from "./browse/help";
import { liveLine, saving } from "./browse/live";
import { moving } from "./browse/organise";
import { queryError, SearchBox } from "./browse/search";
import { uploading } from "./browse/upload";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import type { BrowserState } from "./lib/shapes";
import { Thumbnails } from "./lib/thumbnails";
import { plural } from "./lib/words";
import { newsLine } from "./notices/news";
import { form } from "./runs/form";
import { tagging } from "./tags/action";

const KINDS: [string, string][] = [
  ["", "All"],
  ["image", "Images"],
  ["labels", "Labels"],
];

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
function render({ model, el }: { model: Model<BrowserState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const thumbnails = new Thumbnails(kernel);
  const found = foundLine(kernel, liveLine(kernel));
  const box = new SearchBox(kernel, found.searching);
  const examples = help((query) => box.say(query));
  const view = root("browser");
  const show = (open: boolean) => view.classList.toggle("cid-reading", open);
  const details = new Details(kernel, thumbnails, () => show(false));
  const read = () => {
    show(true);
    details.el.focus();
  };
  const rename = () => {
    show(true);
    details.rename();
  };
  const grid = new Grid(kernel, thumbnails, read, rename, found.el);
  const run: Action = {
    name: "Run…",
    about: "Run a template",
    primary: true,
    hint: (count) => `Run a template on ${plural(count, "image")}`,
    panel: (close) => form(kernel, thumbnails, close),
    opened: () => kernel.ask("templates"),
  };
  const { buttons, panels } = actions(kernel, [saving(kernel), tagging(kernel, thumbnails), moving(kernel), uploading(kernel), downloading(kernel), run]);
  view.append(
    newsLine(kernel),
    h(
      "div",
      { class: "cid-top" },
      h("div", { class: "cid-asking" }, box.el, examples.button, examples.el),
      kindFilter(kernel),
      h("span", { class: "cid-doing-things" }, freshButton(kernel, grid), ...buttons),
    ),
    queryError(kernel),
    errorLine(kernel),
    h("div", { class: "cid-panes" }, h("div", { class: "cid-left" }, new Tree(kernel).el, new Facets(kernel).el), grid.el, details.el),
    panels,
  );
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
