/** The card of a project, for images that were chosen in Python. */

import "./styles/tagger.css";
import { root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import { Thumbnails } from "./lib/thumbnails";
import { card } from "./tags/card";
import type { TaggingState } from "./tags/shapes";

/** Draw a tagger in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<TaggingState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const view = root("tagger", card(kernel, new Thumbnails(kernel)));
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
