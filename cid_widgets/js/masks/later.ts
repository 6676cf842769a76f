/** Something that is done a moment after the last of several wishes, or at once when it must be. */

export interface Later {
  soon(): void;
  /** Do it now if it is still to be done. */
  now(): void;
  readonly waits: boolean;
}

export function later(ms: number, then: () => void): Later {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const now = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    then();
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(now, ms);
  };
  return {
    soon,
    now,
    get waits() {
      return timer !== undefined;
    },
  };
}
