/** How an uploader sees a mask: its form; and what files of some names would say. */

import { h } from "../lib/dom";
import { nextId } from "../people/labelled";
import type { Document, Field, Tried, Wrong } from "./shapes";

export function form(document: Document): HTMLElement {
  const fields = Array.isArray(document.fields) ? document.fields.filter((one) => one && typeof one === "object" && one.key) : [];
  const words = document.closed ? "Other tags are refused." : "Other tags may be added.";
  return h(
    "div",
    { class: "cid-mask-form", role: "group", "aria-label": "As an uploader sees it" },
    document.help ? h("p", {}, String(document.help)) : null,
    ...fields.map(field),
    fields.length ? h("p", { class: "cid-hint" }, words) : h("p", { class: "cid-hint" }, "It has no fields yet."),
  );
}

function field(one: Field): HTMLElement {
  const id = nextId();
  const choices = Array.isArray(one.choices) ? one.choices.map(String) : [];
  const input = choices.length
    ? h("select", { id }, h("option", { value: "" }, ""), ...choices.map((choice) => h("option", {}, choice)))
    : h("input", { id, type: one.type === "date" ? "date" : "text", placeholder: one.type ?? "text" });
  const otherwise = one.from ? `else ${origin(String(one.from))}` : one.default !== undefined ? `else ${one.default}` : "";
  const hint = [one.help, otherwise, one.many && "several"].filter(Boolean).join(" · ");
  return h(
    "div",
    { class: "cid-mask-line" },
    h("label", { for: id }, String(one.key), one.required ? h("span", { class: "cid-mask-required", title: "required" }, " *") : null),
    h("span", { class: "cid-mask-input" }, input, one.unit ? h("span", { class: "cid-hint" }, String(one.unit)) : null),
    hint ? h("span", { class: "cid-hint" }, hint) : null,
  );
}

/** "filename.day" in words. */
function origin(from: string): string {
  const [whole, what] = from.split(/\.(.*)/s);
  return whole === "filename" ? `“${what}” in the file's name` : whole === "instrument" ? `the ${what} of the microscope` : from;
}

export function table(tried: Tried[], wrong: Wrong[]): HTMLElement {
  if (!tried.length) return h("p", { class: "cid-hint" }, "Write names of files, one in a line. They need not be there.");
  return h(
    "ul",
    { class: "cid-mask-tried" },
    ...tried.map(({ path, good, asks, tags }) => {
      const why = asks.length ? [] : wrong.filter(({ file, line }) => line === null && (file === "" || file === path)).map(({ field, message }) => [field, message].filter(Boolean).join(": "));
      return h(
        "li",
        { "data-good": String(good || asks.length > 0) },
        h("b", {}, path),
        good ? " would be taken" : asks.length ? ` would be taken once somebody says ${asks.join(", ")}` : " would be refused",
        tags.length ? ": " : "",
        ...tags.map(({ key, value, source }) => h("span", { class: "cid-mask-tag", title: `from: ${source}` }, `${key} ${value}`)),
        ...why.map((one) => h("div", { class: "cid-bad" }, one)),
      );
    }),
  );
}
