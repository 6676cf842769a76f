/** The way of bytes to the service: an address that is renewed in time, and what a refusal means. */

import type { Kernel } from "../lib/kernel";

const OLD_MS = 25_000; // a ticket lives at least twice as long
const PATIENCE_MS = 20_000;

/** The service, or nobody (status 0), did not take it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** What `{"error", "message"}` says, as a line. */
export function refusal(status: number, body: string): Refused {
  try {
    const { message } = JSON.parse(body);
    if (message) return new Refused(status, String(message));
  } catch {
    // not the service's own words
  }
  return new Refused(status, status ? `the service answered ${status}` : "no answer from the service");
}

/** No more bytes are taken, whatever one does. */
export class Final extends Error {}

/** Where the bytes of one deposit go. */
export class Place {
  #address: string;
  #since = performance.now();
  #coming: Promise<string> | null = null;
  #answer: ((told: Record<string, any>) => void) | null = null;

  constructor(
    private readonly kernel: Kernel<any>,
    readonly uid: string,
    address: string,
  ) {
    this.#address = address;
    kernel.told("ticket", (told) => told.uid === uid && this.#answer?.(told));
  }

  /** An address; one that grows old is renewed meanwhile. `ended`: it was refused. Final: there is none. */
  async address(ended = false): Promise<string> {
    const age = performance.now() - this.#since;
    if (age < (ended ? 1000 : OLD_MS)) return this.#address;
    this.#coming ??= this.#renewed().finally(() => (this.#coming = null));
    if (ended) return this.#coming;
    this.#coming.catch(() => {}); // who needs it will hear
    return this.#address;
  }

  #renewed(): Promise<string> {
    return new Promise((give, fail) => {
      const timer = setTimeout(() => fail(new Refused(0, "waiting for the kernel (is a cell running?)")), PATIENCE_MS);
      this.#answer = (told) => {
        clearTimeout(timer);
        if (told.final) return fail(new Final(told.message));
        if (!told.address) return fail(new Refused(0, told.message));
        this.#address = new URL(told.address, location.href).href;
        this.#since = performance.now();
        give(this.#address);
      };
      this.kernel.ask("ticket", { uid: this.uid });
    });
  }
}
