/** All that the catalog knows of one image. */

import { copyButton, h } from "../lib/dom";
import { dot } from "../lib/dot";
import type { Kernel } from "../lib/kernel";
import type { BrowserState, Detail, Named, Step, Tag } from "../lib/shapes";
import type { Thumbnails } from "../lib/thumbnails";
import { completeness } from "./complete";
import { qualityCard } from "./quality";
import { Title } from "./title";
import { bytes, dims, moment, pixelSize, step, when } from "../lib/words";

const TAG_GROUPS: [string, string][] = [
  ["machine", "Microscope"],
  ["sample", "Sample"],
  ["processing", "Processing"],
];
const FROM: Record<string, string> = {
  file: "read from the file",
  settings: "from the settings file",
  instrument: "from the instrument",
  person: "set by a person",
  mask: "default of the upload's mask",
  run: "set by a run",
};

// tags that say what the card of the quality says, in words and for each channel
const MEASURED = new Set(["SNR", "Saturation", "Focus", "Dynamic range", "Background"]);

type Fact = [string, Node | string | false | null];

function facts(lines: Fact[]): HTMLElement {
  const list = h("dl", { class: "cid-facts" });
  for (const [key, value] of lines) if (value) list.append(h("dt", {}, key), h("dd", {}, value));
  return list;
}

function section(title: string, ...content: (Node | false | null)[]): HTMLElement {
  return h("section", {}, h("h4", {}, title), ...content);
}

function channels(image: Detail): HTMLElement | false {
  if (!image.channels.length) return false;
  const lines = image.channels.map(({ name, color }, index) =>
    h("li", {}, dot(color), name || `channel ${index + 1}`),
  );
  return section("Channels", h("ul", { class: "cid-plain" }, ...lines));
}

function quality(image: Detail): HTMLElement | false {
  return !!image.quality && section("Quality", ...qualityCard(image.quality, image.channels));
}

function tagLine(tag: Tag): Fact {
  const words = tag.unit ? `${tag.value} ${tag.unit}` : moment(tag.value);
  const value = /^https?:\/\//i.test(tag.link)
    ? h("a", { href: tag.link, target: "_blank", rel: "noopener noreferrer", title: tag.link }, words)
    : h("span", { title: words === tag.value ? undefined : tag.value }, words);
  const source = h("span", { class: "cid-source", title: FROM[tag.source] }, tag.source);
  return [tag.key, h("span", {}, value, " ", source)];
}

function tags(image: Detail): HTMLElement[] {
  return TAG_GROUPS.flatMap(([kind, title]) => {
    const told = (tag: Tag) => image.quality !== null && tag.source === "file" && MEASURED.has(tag.key);
    const lines = image.tags.filter((tag) => tag.kind === kind && !told(tag)).map(tagLine);
    return lines.length ? [section(title, facts(lines))] : [];
  });
}

function pixels(image: Detail): HTMLElement {
  const has = (axis: string) => (image.shape[image.axes.indexOf(axis)] ?? 1) > 1;
  const calibrated = pixelSize(image.scale, image.units);
  const warn = calibrated === "not calibrated" ? "cid-warn" : "";
  return facts([
    ["Size", dims(image.axes, image.shape)],
    ["Pixel size", h("span", { class: warn }, calibrated)],
    ["z step", has("z") && step("z", image.scale, image.units)],
    ["Time step", has("t") && step("t", image.scale, image.units)],
    ["Array", `${image.axes}  (${image.shape.join(", ")})  ${image.dtype}`],
    ["Stored", image.nbytes === null ? null : bytes(image.nbytes)],
    ["Dataset", image.dataset ? `${image.project} / ${image.dataset}` : image.project],
    ["Added", [when(image.created_at), image.created_by && `by ${image.created_by}`].join(" ").trim()],
  ]);
}

function original(image: Detail): HTMLElement | false {
  const file = image.original;
  if (!file) return false;
  const digest = h(
    "span",
    { class: "cid-digest" },
    h("code", { title: file.sha256 }, `${file.sha256.slice(0, 12)}…`),
    copyButton(file.sha256, "the sha256"),
  );
  return section(
    "Original file",
    facts([
      ["Name", file.name],
      ["Size", file.nbytes === null ? null : bytes(file.nbytes)],
      ["sha256", file.sha256 ? digest : null],
      ["In place", file.in_place ? inPlace(file.in_place) : null],
    ]),
  );
}

/** Runs that made an image or read it; how each ended where that was not well. */
function runs(steps: Step[]): HTMLElement | false {
  const line = (step: Step) => {
    const end = step.state === "done" ? "" : ` (${step.state})`;
    return h("span", { class: "cid-link-line", title: `${step.uid}, by ${step.person}` }, `${step.name}${end}`);
  };
  return steps.length > 0 && h("span", {}, ...steps.map(line));
}

/** Where bytes lie that stay where they were; what is wrong with them stands out. */
function inPlace(at: { where: string; state: string; reason: string }): HTMLElement {
  const place = h("span", {}, at.where || "outside the storage");
  if (at.state === "ok") return place;
  const state = `${at.state[0]!.toUpperCase()}${at.state.slice(1)}: ${at.reason}`;
  return h("span", {}, place, h("span", { class: "cid-warn cid-state-of" }, state));
}

export class Details {
  readonly el = h("aside", { class: "cid-details", tabindex: "-1", "aria-label": "Details" });

  readonly #title: Title;
  #renaming = false;

  constructor(
    private readonly kernel: Kernel<BrowserState>,
    private readonly thumbnails: Thumbnails,
    private readonly close: () => void,
  ) {
    this.#title = new Title(kernel);
    kernel.show(["detail"], () => this.#show());
    this.el.addEventListener("keydown", (event) => event.key === "F2" && this.rename());
  }

  /** Edit the name of the image in focus, once its details are here. */
  rename(): void {
    this.#renaming = this.kernel.get("detail")?.uid !== this.kernel.get("focused");
    if (!this.#renaming) this.#title.edit();
  }

  #show(): void {
    const image = this.kernel.get("detail");
    this.el.scrollTop = 0;
    if (!image) {
      this.el.replaceChildren(h("p", { class: "cid-empty" }, "Choose an image to see its details."));
      return;
    }
    const closing = h("button", { type: "button", class: "cid-quiet cid-close" }, "Close");
    closing.addEventListener("click", this.close);
    this.el.replaceChildren(
      closing,
      h("div", { class: "cid-large" }, this.thumbnails.frame(image, image.thumbnail)),
      this.#title.name(image),
      pixels(image),
      ...[channels(image), quality(image), this.#lineage(image), ...tags(image), completeness(image), original(image)].filter((s) => !!s),
      h("p", { class: "cid-code" }, h("code", {}, `catalog.image("${image.uid}")`), this.#copyCode(image)),
    );
    if (this.#renaming) this.rename();
  }

  #copyCode(image: Detail): HTMLElement {
    return copyButton(`catalog.image("${image.uid}")`, "the line that opens this image in Python");
  }

  #lineage(image: Detail): HTMLElement | false {
    const links = (images: Named[]) =>
      images.length > 0 &&
      h("span", {}, ...images.map((other) => h("span", { class: "cid-link-line" }, this.#link(other))));
    const lines: Fact[] = [
      ["Made from", links(image.sources)],
      ["Results", links(image.results)],
      ["Made by", runs(image.made_by)],
      ["Used by", runs(image.used_by)],
      ["Run", image.run && h("code", { title: image.run }, `${image.run.slice(0, 8)}…`)],
    ];
    return lines.some(([, value]) => value) && section("History", facts(lines));
  }

  #link(to: Named): HTMLElement {
    const link = h("button", { type: "button", class: "cid-link", title: to.name }, to.name);
    link.addEventListener("click", () => this.kernel.set({ focused: to.uid }));
    return link;
  }
}
