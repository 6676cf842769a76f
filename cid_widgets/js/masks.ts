/** Masks: a list by microscope, and one of them as a form, as YAML, as its uploader sees it. */

import "./styles/masks.css";
import { h, root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { said } from "./lib/said";
import { when } from "./lib/words";
import { Draft, fieldsOf } from "./masks/draft";
import { Fields } from "./masks/fields";
import { later } from "./masks/later";
import { form, table } from "./masks/preview";
import type { Document, Line, MasksState } from "./masks/shapes";

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
  const save = h("button", { type: "button", class: "cid-primary", on: { click: () => keep() } }, "Save");
  const retire = h("button", { type: "button", on: { click: () => told.ask("retire", { retired: !now()?.retired }) } });
  const fields = new Fields((edit) => {
    typed.now();
    draft.edit(edit);
  });
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
  const differs = () => draft.ahead || (yaml.value.trim() !== "" && yaml.value !== kernel.get("saved"));

  /** What is not saved is left only when somebody says so again. */
  let sure = "";
  function leave(mask: string) {
    typed.now();
    const unsaved = differs() && kernel.get("staff") && !(kernel.get("opened") === "" && kernel.get("saved") === "" && mask === "");
    if (unsaved && sure !== mask + yaml.value) {
      sure = mask + yaml.value;
      about.textContent = "What you changed is not saved. Press again to leave it.";
      about.classList.add("cid-warn");
      return;
    }
    sure = "";
    another("open", { mask });
  }

  function another(question: string, rest: Record<string, unknown>) {
    typed.now();
    draft.another(question, rest);
  }

  function keep() {
    typed.now();
    told.ask("save", { note: note.value.trim() });
  }

  const typed = later(TYPED_MS, () => draft.type(yaml.value));
  const tries = later(TYPED_MS, () => kernel.set({ names: names.value }));
  yaml.addEventListener("input", typed.soon);
  names.addEventListener("input", tries.soon);
  kernel.finally(typed.now);
  kernel.finally(tries.now);
  const draft = new Draft(kernel, told.ask, drawn);

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
  });
  let looked: Document | undefined;
  /** The text is the kernel's, but for what is typed here and not yet read there. */
  function drawn() {
    const text = kernel.get("text");
    if (yaml.value !== text && !typed.waits && !draft.typing) yaml.value = text;
    yaml.readOnly = !draft.types;
    fields.show(fieldsOf(draft.document), draft.forms);
    if (looked !== draft.document) looks.replaceChildren(form((looked = draft.document)));
    editor.hidden = !text;
    none.hidden = !!text;
    none.textContent = kernel.get("masks").length ? "Choose a mask." : "There are no masks yet: nothing is asked of uploads but what the vocabulary takes.";
    title.textContent = String(now()?.name ?? draft.document.mask ?? "A new mask");
    about.classList.remove("cid-warn");
    about.textContent = differs() ? "not saved" : now() ? `version ${now()!.version}${now()!.retired ? ", retired" : ""}` : "";
    save.disabled = !differs() || draft.holds || inDocument().length > 0;
  }
  kernel.show(["text", "saved", "masks", "opened", "wrong", "tried", "document", "staff"], drawn);
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
          h("span", { class: "cid-hint" }, `${person}, ${when(at)} `),
          looked[number] ? h("ul", {}, ...looked[number].map((one) => h("li", {}, one))) : h("button", { type: "button", class: "cid-quiet", "aria-label": `what version ${number} changed`, on: { click: () => told.ask("look", { version: number }) } }, "what it changed"),
          kernel.get("staff") && number !== newest ? h("button", { type: "button", class: "cid-quiet", "aria-label": `take version ${number} as the draft`, on: { click: () => another("put_back", { version: number }) } }, "take it as the draft") : null,
        ),
      ),
    );
  });
  kernel.show(["done"], () => {
    if (kernel.get("done")) note.value = "";
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
