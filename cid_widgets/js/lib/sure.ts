/** A button that asks once more before it does what cannot be undone. */

import { h } from "./dom";

const SURE_MS = 5000;

export function sureButton(
  label: string,
  question: () => string,
  then: () => void,
  props: Record<string, unknown> = {},
): HTMLButtonElement {
  const button = h("button", { type: "button", ...props }, label);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const calm = () => {
    clearTimeout(timer);
    timer = undefined;
    button.textContent = label;
  };
  button.addEventListener("click", () => {
    if (timer !== undefined) {
      calm();
      then();
      return;
    }
    const asked = question();
    if (!asked) return;
    button.textContent = asked;
    timer = setTimeout(calm, SURE_MS);
  });
  button.addEventListener("blur", calm);
  return button;
}
