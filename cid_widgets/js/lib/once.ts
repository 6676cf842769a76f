/** A button that is pressed once, until it is offered again. It keeps the focus meanwhile. */

const BUSY = "aria-disabled";

export function once(button: HTMLButtonElement, then: () => void): void {
  button.addEventListener("click", () => {
    if (button.hasAttribute(BUSY)) return;
    button.setAttribute(BUSY, "true");
    then();
  });
}

/** It was refused: offer it again. */
export function again(button: HTMLButtonElement | null | undefined): void {
  button?.removeAttribute(BUSY);
}
