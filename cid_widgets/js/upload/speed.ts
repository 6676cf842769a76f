/** How fast bytes go, over the last seconds, and how long what is left takes. */

const WINDOW_MS = 8000;

export class Speed {
  #seen: [number, number][] = [];

  /** So many bytes are there now; what was there before does not count. */
  note(sent: number, now = performance.now()): void {
    this.#seen.push([now, sent]);
    while (this.#seen.length > 2 && now - this.#seen[0]![0] > WINDOW_MS) this.#seen.shift();
  }

  forget(): void {
    this.#seen = [];
  }

  /** Bytes a second. */
  get rate(): number {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (!first || !last || last[0] - first[0] < 500) return 0;
    return Math.max(0, (1000 * (last[1] - first[1])) / (last[0] - first[0]));
  }

  /** Seconds that so many bytes take, or null where it cannot be told. */
  left(nbytes: number): number | null {
    return this.rate > 0 ? nbytes / this.rate : null;
  }
}
