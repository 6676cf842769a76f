/** Keeps only those tiles in the page that are near what is in sight, so that many weigh nothing. */

const BEYOND = 4; // lines above and below what is in sight
const GUESS = 206; // height of a line before one was seen
const GAP = 8; // as in the style
const NAME_EM = 2.5; // two lines of a name
const REST = 20; // the size of the image, and what is between

export interface Piece {
  el: HTMLElement;
}

export class Window<P extends Piece> {
  #shown = "";
  #height = GUESS;
  #columns = 1;

  /** `piece` makes the piece at a place when it comes near, and gives the same one from then on. */
  constructor(
    private readonly scroller: HTMLElement,
    private readonly list: HTMLElement,
    private readonly length: () => number,
    private readonly piece: (at: number) => P,
    ending: (then: () => void) => void,
  ) {
    let waiting = 0;
    const soon = () => (waiting ||= requestAnimationFrame(() => ((waiting = 0), this.draw())));
    scroller.addEventListener("scroll", soon, { passive: true });
    const sizes = new ResizeObserver(() => this.draw(true));
    sizes.observe(scroller);
    ending(() => sizes.disconnect());
    ending(() => cancelAnimationFrame(waiting));
  }

  /** Pieces in one line, as they are laid out now. */
  get columns(): number {
    return this.#columns;
  }

  /** Bring near what is in sight, and take away what is far; `again` when the pieces are others. */
  draw(again = false): void {
    const { list, scroller } = this;
    const length = this.length();
    this.#measure();
    const lines = Math.ceil(length / this.#columns);
    const top = Math.max(0, scroller.scrollTop - this.#above);
    const first = Math.max(0, Math.min(Math.floor(top / this.#height) - BEYOND, lines - 1));
    const last = Math.min(lines, Math.ceil((top + scroller.clientHeight) / this.#height) + BEYOND);
    const shown = `${first} ${last} ${length} ${this.#columns} ${this.#height}`;
    if (shown === this.#shown && !again) return;
    this.#shown = shown;
    list.style.paddingTop = `${GAP + first * this.#height}px`;
    list.style.paddingBottom = `${GAP + Math.max(0, lines - last) * this.#height}px`;
    this.#put(first * this.#columns, Math.min(length, last * this.#columns));
  }

  /** Scroll as little as is needed to see the piece at this place. */
  reveal(at: number): void {
    const { scroller } = this;
    const above = this.#above; // what sticks above the pieces hides as much
    const top = Math.floor(at / this.#columns) * this.#height;
    if (scroller.scrollTop > top) scroller.scrollTop = top;
    const bottom = above + top + this.#height + GAP - scroller.clientHeight;
    if (scroller.scrollTop < bottom) scroller.scrollTop = bottom;
    this.draw();
  }

  /** How far below the scroller's top the list begins, whatever else the page is made of. */
  get #above(): number {
    const { list, scroller } = this;
    return list.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
  }

  /** All lines are equally high: a square picture and the words below it. */
  #measure(): void {
    const style = getComputedStyle(this.list);
    const widths = style.gridTemplateColumns.split(" ");
    const width = parseFloat(widths[0]!);
    if (!(width > 0)) return; // nothing is laid out yet
    this.#columns = widths.length;
    const height = Math.ceil(width + NAME_EM * parseFloat(style.fontSize) + REST);
    this.list.style.gridAutoRows = `${height}px`;
    this.#height = height + GAP;
  }

  #put(from: number, to: number): void {
    const wanted: HTMLElement[] = [];
    for (let at = from; at < to; at += 1) {
      const { el } = this.piece(at);
      el.setAttribute("aria-posinset", String(at + 1));
      wanted.push(el);
    }
    const keep = new Set<Element>(wanted);
    const gone = [...this.list.children].filter((el) => !keep.has(el));
    // who scrolls on with the wheel can go on with the keys
    if (gone.some((el) => el.contains(document.activeElement))) this.list.focus({ preventScroll: true });
    for (const el of gone) el.remove();
    wanted.forEach((el, at) => {
      const there = this.list.children[at];
      if (there !== el) this.list.insertBefore(el, there ?? null);
    });
  }
}
