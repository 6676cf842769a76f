/** One typed parameter of a template as one field of a form. */

import { h } from "../lib/dom";
import type { Parameter } from "../lib/shapes";

export interface Field {
  el: HTMLElement;
  name: string;
  /** The value as the manifest's type; only meaningful when `check` found nothing. */
  value(): unknown;
  /** Show and return what is wrong, or "". */
  check(): string;
  /** Whether something is wrong, without showing it. */
  ready(): boolean;
  /** Values that may be typed here. */
  offer(names: string[]): void;
  focus(): void;
}

type Control = HTMLInputElement | HTMLSelectElement;

function control(name: string, parameter: Parameter, id: string): Control {
  const { type, minimum, maximum } = parameter;
  const initial = parameter.default;
  const common = { id, name, "aria-describedby": `${id}-hint ${id}-error` };
  if (type === "boolean") {
    return h("input", { ...common, type: "checkbox", checked: initial === true });
  }
  if (type === "choice") {
    const options = (parameter.choices ?? []).map((choice, index) =>
      h("option", { value: index, selected: choice === initial }, String(choice)),
    );
    return h("select", common, ...options);
  }
  const value = initial === undefined || initial === null ? "" : String(initial);
  if (type === "channel") {
    return h("input", { ...common, type: "text", value, list: `${id}-offers`, spellcheck: "false" });
  }
  if (type === "text") return h("input", { ...common, type: "text", value, spellcheck: "false" });
  const step = parameter.step ?? (type === "integer" ? 1 : "any");
  return h("input", { ...common, type: "number", min: minimum, max: maximum, step, value });
}

/** "0 to 20 pixel", "at least 0", or the unit alone. */
function bounds({ minimum, maximum, unit }: Parameter): string {
  let words = "";
  if (minimum !== undefined && maximum !== undefined) words = `${minimum} to ${maximum}`;
  else if (minimum !== undefined) words = `at least ${minimum}`;
  else if (maximum !== undefined) words = `at most ${maximum}`;
  return words && unit ? `${words} ${unit}` : words;
}

function wrongNumber(input: HTMLInputElement, parameter: Parameter): string {
  const { minimum, maximum, unit } = parameter;
  const whole = parameter.type === "integer";
  const value = input.valueAsNumber;
  if (input.validity.badInput || input.value === "" || Number.isNaN(value)) {
    return whole ? "Enter a whole number." : "Enter a number.";
  }
  if (whole && !Number.isInteger(value)) return "Enter a whole number.";
  const tail = unit ? ` ${unit}.` : ".";
  if (minimum !== undefined && value < minimum) return `Must be at least ${minimum}${tail}`;
  if (maximum !== undefined && value > maximum) return `Must be at most ${maximum}${tail}`;
  return "";
}

function wrong(made: Control, parameter: Parameter): string {
  if (parameter.type === "channel" && !made.value.trim()) return "Enter a channel's name or number.";
  if (parameter.type === "number" || parameter.type === "integer") {
    return wrongNumber(made as HTMLInputElement, parameter);
  }
  if (parameter.type === "text" && parameter.default === undefined && !made.value.trim()) {
    return "Fill in this field.";
  }
  return "";
}

function read(made: Control, parameter: Parameter): unknown {
  if (parameter.type === "boolean") return (made as HTMLInputElement).checked;
  if (parameter.type === "choice") return parameter.choices?.[Number(made.value)];
  if (parameter.type === "text") return made.value;
  if (parameter.type === "channel") {
    const text = made.value.trim();
    return /^\d{1,3}$/.test(text) ? Number(text) : text;
  }
  return (made as HTMLInputElement).valueAsNumber;
}

export function field(name: string, parameter: Parameter, id: string): Field {
  const made = control(name, parameter, id);
  const complaint = h("span", { class: "cid-field-error", id: `${id}-error`, role: "alert" });
  const check = () => {
    const said = wrong(made, parameter);
    complaint.textContent = said;
    made.setAttribute("aria-invalid", String(said !== ""));
    return said;
  };
  made.addEventListener("input", check);
  made.addEventListener("change", check);
  const offers = h("datalist", { id: `${id}-offers` });
  const offer = (names: string[]) => offers.replaceChildren(...names.map((one) => h("option", { value: one })));
  const hint = [parameter.help, bounds(parameter) && `(${bounds(parameter)})`].filter(Boolean).join(" ");
  const el = h(
    "div",
    { class: "cid-field", "data-type": parameter.type },
    h("label", { for: id }, parameter.title || name.replaceAll("_", " ")),
    h("span", { class: "cid-control" }, made, parameter.unit && h("span", { class: "cid-unit" }, parameter.unit), parameter.type === "channel" && offers),
    h("span", { class: "cid-hint", id: `${id}-hint` }, hint),
    complaint,
  );
  return {
    el,
    name,
    value: () => read(made, parameter),
    check,
    ready: () => wrong(made, parameter) === "",
    offer: parameter.type === "channel" ? offer : () => {},
    focus: () => made.focus(),
  };
}
