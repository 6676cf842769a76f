/** Masks: a list by microscope, and one of them as a form, as YAML, as its uploader sees it. */

import "./styles/masks.css";
import { debounce, h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { said } from "./lib/said";
import { Fields } from "./masks/fields";
import { form, table } from "./masks/preview";
import type { Line, MasksState } from "./masks/shapes";

const TYPED_MS = 300;

/** Draw the masks in `el`; the returned function takes them away. */
function render({ model, el }: { model: Model<MasksState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const told = said(kernel, () => (kernel.get("staff") ? "" : "Facility staff saves masks. You may read and try them."));
  const list = h("ul", { class: "cid-mask-list", "aria-label": "Masks" });
  const begin = h("button", { type: "button", on: { click: () => leave("") } }, "New mask");
  const title = h("h3", {});
  const about = h("span", { class: "cid-hint" });
  const note = h("input", { type: "text", placeholder: "why", "aria-label": "Why it is saved", maxlength: 400 });
  const save = h("button", { type: "button", class: "cid-primary", on: { click: () => told.ask("save", { note: note.value.trim() }) } }, "Save");
  const retire = h("button", { type: "button", on: { click: () => told.ask("retire", { retired: !now()?.retired }) } });
  const fields = new Fields((document) => told.ask("write", { document }));
  const yaml = h("textarea", { class: "cid-mask-yaml", "aria-label": "The mask as YAML", spellcheck: "false", wrap: "off", rows: 16 });
  const wrong = h("ul", { class: "cid-mask-wrong", "aria-label": "What is wrong", role: "status" });
  const looks = h("div");
  const names = h("textarea", { class: "cid-mask-names", "aria-label": "Names to try it on", spellcheck: "false", rows: 3, placeholder: "HeLa_2026-02-03_1.tif" });
  const tried = h("div", { "aria-live": "polite" });
  const versions = h("ol", { class: "cid-mask-versions" });
  const head = h("div", { class: "cid-mask-head" }, h("div", { class: "cid-mask-title" }, title, about), note, save, retire);
  const editor = h(
    "div",
    { class: "cid-mask-editor" },
    head,
    part("Fields", fields.el),
    h("div", { class: "cid-mask-two" }, part("YAML", yaml, wrong), part("As an uploader sees it", looks)),
    part("Try it on file names", names, tried),
    part("Versions", versions),
  );
  const none = h("p", { class: "cid-empty" });
  const now = (): Line | undefined => kernel.get("masks").find(({ uid }) => uid === kernel.get("opened"));
  /** What is wrong with the document; else it is with names that it was tried on. */
  const inDocument = () => kernel.get("wrong").filter(({ line }) => line !== null || !kernel.get("tried").length);
  const differs = () => kernel.get("text").trim() !== "" && kernel.get("text") !== kernel.get("saved");

  /** What is not saved is left only when somebody says so again. */
  let sure = "";
  function leave(mask: string) {
    const draft = differs() && kernel.get("staff") && !(kernel.get("opened") === "" && kernel.get("saved") === "" && mask === "");
    if (draft && sure !== mask + kernel.get("text")) {
      sure = mask + kernel.get("text");
      about.textContent = "What you changed is not saved. Press again to leave it.";
      about.classList.add("cid-warn");
      return;
    }
    sure = "";
    told.ask("open", { mask });
  }

  const typed = debounce(TYPED_MS, () => kernel.set({ text: yaml.value }));
  yaml.addEventListener("input", typed);
  names.addEventListener("input", debounce(TYPED_MS, () => kernel.set({ names: names.value })));

  function lineOf(at: number) {
    const lines = yaml.value.split("\n");
    const start = lines.slice(0, at - 1).join("\n").length + (at > 1 ? 1 : 0);
    yaml.focus();
    yaml.setSelectionRange(start, start + (lines[at - 1]?.length ?? 0));
  }

  kernel.show(["masks", "opened", "staff"], () => {
    const opened = kernel.get("opened");
    const groups = new Map<string, Line[]>();
    for (const one of kernel.get("masks")) groups.set(one.instrument, [...(groups.get(one.instrument) ?? []), one]);
    const items = [...groups].sort(([a], [b]) => Number(!a) - Number(!b) || a.localeCompare(b)).map(([instrument, some]) =>
      h("li", {}, h("span", { class: "cid-hint" }, instrument || "any microscope"), h("ul", {}, ...some.map(item))),
    );
    function item({ uid, name, version, retired }: Line) {
      const button = h("button", { type: "button", class: "cid-link", "aria-current": uid === opened ? "true" : undefined, on: { click: () => leave(uid) } }, name);
      return h("li", {}, button, h("span", { class: "cid-hint" }, retired ? " retired" : ` version ${version}`));
    }
    list.replaceChildren(...items);
    begin.hidden = !kernel.get("staff");
    for (const one of [note, save]) one.hidden = !kernel.get("staff");
    retire.hidden = !kernel.get("staff") || !opened;
    retire.textContent = now()?.retired ? "Use it again" : "Retire";
    yaml.readOnly = !kernel.get("staff");
  });
  kernel.show(["text", "saved", "masks", "opened", "wrong", "tried"], () => {
    if (yaml.value !== kernel.get("text") && document.activeElement !== yaml) yaml.value = kernel.get("text");
    editor.hidden = !kernel.get("text");
    none.hidden = !!kernel.get("text");
    none.textContent = kernel.get("masks").length ? "Choose a mask." : "There are no masks yet: nothing is asked of uploads but what the vocabulary takes.";
    title.textContent = String(now()?.name ?? kernel.get("document").mask ?? "A new mask");
    about.classList.remove("cid-warn");
    about.textContent = differs() ? "not saved" : now() ? `version ${now()!.version}${now()!.retired ? ", retired" : ""}` : "";
    save.disabled = !differs() || inDocument().length > 0;
  });
  kernel.show(["document", "staff"], () => {
    fields.show(kernel.get("document"), kernel.get("staff"));
    looks.replaceChildren(form(kernel.get("document")));
  });
  kernel.show(["wrong", "tried"], () => {
    const said = inDocument().map(({ field, line, message }) => {
      const words = [field, message].filter(Boolean).join(": ");
      return h("li", {}, line ? h("button", { type: "button", class: "cid-link", on: { click: () => lineOf(line) } }, `line ${line}`) : null, line ? " " : "", words);
    });
    wrong.replaceChildren(...said);
  });
  kernel.show(["names", "tried", "wrong"], () => {
    if (document.activeElement !== names) names.value = kernel.get("names");
    tried.replaceChildren(table(kernel.get("tried"), kernel.get("wrong")));
  });
  kernel.show(["versions", "changes", "staff"], () => {
    const looked = kernel.get("changes");
    const newest = kernel.get("versions")[0]?.number;
    versions.replaceChildren(
      ...kernel.get("versions").map(({ number, note: why, person, at }) =>
        h(
          "li",
          { value: number },
          `${why || "no reason said"} `,
          h("span", { class: "cid-hint" }, `${person}, ${at} `),
          looked[number] ? h("ul", {}, ...looked[number].map((one) => h("li", {}, one))) : h("button", { type: "button", class: "cid-quiet", "aria-label": `what version ${number} changed`, on: { click: () => told.ask("look", { version: number }) } }, "what it changed"),
          kernel.get("staff") && number !== newest ? h("button", { type: "button", class: "cid-quiet", "aria-label": `take version ${number} as the draft`, on: { click: () => told.ask("put_back", { version: number }) } }, "take it as the draft") : null,
        ),
      ),
    );
  });
  kernel.show(["done"], () => {
    if (kernel.get("done")) note.value = "";
    if (kernel.get("done")) yaml.value = kernel.get("text");
  });
  const view = root("mask", h("div", { class: "cid-mask-side" }, list, begin), h("div", { class: "cid-mask-main" }, told.el, none, editor));
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

function part(name: string, ...children: (HTMLElement | null)[]): HTMLElement {
  return h("section", { "aria-label": name }, h("h4", {}, name), ...children);
}

export default { render };
