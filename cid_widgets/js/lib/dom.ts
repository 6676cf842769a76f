/** Elements made from data. Names and tags are hostile: they become text nodes, never markup. */

type Child = Node | string | false | null | undefined;

interface Props {
  class?: string;
  title?: string | undefined;
  on?: Partial<{ [E in keyof HTMLElementEventMap]: (event: HTMLElementEventMap[E]) => void }>;
  [attribute: string]: unknown;
}

/** Make an element; `true` sets an attribute without value, `false` and undefined leave it out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value as object)) {
        element.addEventListener(event, listener as EventListener);
      }
    } else if (value !== false && value !== undefined && value !== null) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((child): child is Node | string => !!child));
  return element;
}

/**
 * The root of a view: our styles, and keys that the notebook around it does not take.
 *
 * JupyterLab looks for its mark on the focused element itself; without it, "d d" in a view deletes
 * the cell.
 */
export function root(name: string, ...children: Child[]): HTMLElement {
  const made = h("div", { class: `cid cid-${name}` }, ...children);
  made.addEventListener("focusin", ({ target }) => {
    (target as Element).setAttribute("data-lm-suppress-shortcuts", "true");
  });
  return made;
}

/** A button that puts `text` in the clipboard, also where the page is not a secure context. */
export function copyButton(text: string, what: string): HTMLButtonElement {
  const button = h("button", { type: "button", class: "cid-quiet", title: `Copy ${what}` }, "copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = h("textarea", { class: "cid-offscreen" });
      area.value = text;
      button.after(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "copied";
    setTimeout(() => (button.textContent = "copy"), 1500);
  });
  return button;
}

/** Call `then` once, `ms` after the last call. */
export function debounce(ms: number, then: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(then, ms);
  };
}
