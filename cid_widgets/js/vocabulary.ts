/** A vocabulary: its terms as a table, a term opened in it, a term added. */

import { said } from "./lib/said";
import "./styles/vocabulary.css";
import { debounce, h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { plural } from "./lib/words";
import { adding } from "./vocabulary/adding";
import { panel, type Panel } from "./vocabulary/panel";
import type { VocabularyState } from "./vocabulary/shapes";
import { answers, columns, head, heading, line } from "./vocabulary/table";

const TYPED_MS = 150;
let made = 0;

/** Draw a vocabulary in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<VocabularyState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const below = `cid-voc-panel-${(made += 1)}`;
  const told = said(kernel, () => kernel.get("why") || (kernel.get("count_error") && `Records were not counted: ${kernel.get("count_error")}`));
  const open = (uid: string) => {
    if (uid && !shownTerms().some((one) => one.uid === uid)) kernel.set({ filter: "", with_retired: true });
    kernel.set({ opened: uid });
  };
  const title = h("h3", {});
  const about = h("span", { class: "cid-hint" });
  const filter = h("input", { type: "search", placeholder: "find a term", "aria-label": "Find a term", spellcheck: "false" });
  const retired = h("input", { type: "checkbox" });
  const retiredLine = h("label", { class: "cid-check-line" }, retired);
  const addButton = h("button", { type: "button", class: "cid-primary", "aria-expanded": "false" }, "Add a term");
  const again = h("button", { type: "button", on: { click: () => told.ask("refresh") } }, "Refresh");
  const table = h("table", { class: "cid-voc-table" }, head());
  const body = h("tbody");
  table.append(body);
  const empty = h("p", { class: "cid-empty" });
  const panelCell = h("td", { colspan: columns });
  const panelRow = h("tr", { class: "cid-voc-opened", id: below }, panelCell);
  let now: Panel | null = null;
  let drawn = "";

  const add = adding(kernel, told.ask, open, () => {
    add.el.hidden = true;
    addButton.setAttribute("aria-expanded", "false");
    addButton.focus();
  });
  const start = (key: string) => {
    add.start(key);
    addButton.setAttribute("aria-expanded", "true");
  };
  addButton.addEventListener("click", () => start(""));

  function shownTerms() {
    const wanted = kernel.get("filter");
    return kernel.get("terms").filter((one) => (!one.retired || kernel.get("with_retired")) && (!wanted || answers(one, wanted)));
  }

  /** The panel is drawn again when its term or its place changed; other values come into the same. */
  const drawPanel = () => {
    const shown = kernel.get("shown");
    const term = kernel.get("terms").find((one) => one.uid === kernel.get("opened"));
    if (!shown || !term || shown.uid !== term.uid) {
      [now, drawn] = [null, ""];
      return panelCell.replaceChildren(term ? h("p", { class: "cid-hint" }, "Reading its values…") : "");
    }
    const kept = JSON.stringify([term, shown.alike, shown.into]);
    if (now && drawn === kept) return now.values(shown);
    drawn = kept;
    now = panel(kernel, term, shown, told.ask, open);
    panelCell.replaceChildren(now.el);
  };

  /** What had the focus in the table has it afterwards, or the opened term's line. */
  const keeping = (then: () => void) => {
    const before = document.activeElement;
    const at = before?.getAttribute("data-at");
    const held = body.contains(before);
    then();
    if (!held || body.contains(document.activeElement)) return;
    const same = at ? [...body.querySelectorAll<HTMLElement>("[data-at]")].find((one) => one.dataset.at === at) : undefined;
    (same ?? body.querySelector<HTMLElement>('[aria-expanded="true"]') ?? filter).focus({ preventScroll: true });
  };

  const draw = () => {
    const opened = kernel.get("opened");
    const terms = shownTerms();
    const rows: HTMLElement[] = [];
    let kind = "";
    for (const term of terms) {
      if (term.kind !== kind) rows.push(heading(term.kind));
      kind = term.kind;
      const isOpened = term.uid === opened;
      rows.push(line(term, isOpened, below, () => open(isOpened ? "" : term.uid)));
      if (isOpened) rows.push(panelRow);
    }
    drawPanel();
    body.replaceChildren(...rows);
    table.hidden = terms.length === 0;
    none(terms.length);
  };

  const none = (count: number) => {
    empty.hidden = count > 0;
    if (count > 0 || (kernel.get("error") && !kernel.get("terms").length)) return empty.replaceChildren();
    const wanted = kernel.get("filter").trim();
    const offer = h("button", { type: "button", class: "cid-link" }, `add “${wanted}”`);
    offer.addEventListener("click", () => start(wanted));
    if (wanted && kernel.get("manages")) empty.replaceChildren("No term is called so: ", offer);
    else empty.replaceChildren(wanted ? "No term is called so." : "There are no terms yet.");
  };

  filter.addEventListener("input", debounce(TYPED_MS, () => kernel.set({ filter: filter.value })));
  filter.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !filter.value) return;
    event.preventDefault();
    event.stopPropagation();
    filter.value = "";
    kernel.set({ filter: "" });
  });
  retired.addEventListener("change", () => kernel.set({ with_retired: retired.checked }));
  kernel.show(["terms", "project", "title", "manages"], () => {
    const terms = kernel.get("terms");
    const over = terms.filter((one) => one.retired).length;
    const where = kernel.get("title") || kernel.get("project");
    title.textContent = where ? `Vocabulary of ${where}` : "Vocabulary of the facility";
    const own = terms.filter((one) => !one.retired && one.project).length;
    about.textContent = where ? `${plural(own, "own term")}, ${terms.length - over - own} of the facility` : plural(terms.length - over, "term");
    retiredLine.hidden = over === 0;
    retiredLine.replaceChildren(retired, `retired ones too (${over})`);
    addButton.hidden = !kernel.get("manages");
    if (!kernel.get("manages")) add.el.hidden = true;
  });
  kernel.show(["terms", "opened", "filter", "with_retired", "project"], () => {
    if (document.activeElement !== filter) filter.value = kernel.get("filter");
    retired.checked = kernel.get("with_retired");
    keeping(draw);
  });
  kernel.show(["shown"], () => keeping(drawPanel));
  kernel.show(["error"], () => {
    if (kernel.get("error")) now?.again();
  });
  kernel.told("offers", ({ offers }) => now?.offer(offers));
  kernel.show(["why", "count_error"], () => told.calm());
  const view = root(
    "voc",
    h("div", { class: "cid-voc-head" }, h("div", { class: "cid-voc-title" }, title, about), again, addButton),
    told.el,
    add.el,
    h("div", { class: "cid-voc-filter" }, filter, retiredLine),
    table,
    empty,
  );
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
