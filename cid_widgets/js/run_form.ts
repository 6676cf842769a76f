/** One template's form, on images that were chosen in Python. */

import "./styles/run_form.css";
import { root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import type { FormState } from "./lib/shapes";
import { Thumbnails } from "./lib/thumbnails";
import { form } from "./runs/form";
import { standing } from "./runs/standing";

/** Draw a form in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<FormState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const view = root(
    "run-form",
    form(kernel, new Thumbnails(kernel), undefined, (...filled) => standing(kernel, ...filled)),
  );
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
