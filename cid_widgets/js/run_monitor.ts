/** The runs of one batch, or my latest ones. */

import "./styles/run_monitor.css";
import { root } from "./lib/dom";
import { Kernel, type Model } from "./lib/kernel";
import type { MonitorState } from "./lib/shapes";
import { Thumbnails } from "./lib/thumbnails";
import { newsLine } from "./notices/news";
import { monitor } from "./runs/monitor";

const EMPTY = 'No runs yet. Start one with: catalog.run("segment-cells", images)';

/** Draw a monitor in `el`; the returned function takes it away. */
function render({ model, el }: { model: Model<MonitorState>; el: HTMLElement }): () => void {
  const kernel = new Kernel(model, el);
  const view = root("run-monitor", newsLine(kernel), monitor(kernel, new Thumbnails(kernel), EMPTY));
  el.append(view);
  return () => {
    kernel.close();
    view.remove();
  };
}

export default { render };
