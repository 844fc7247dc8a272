/** Which streams came into being after we had looked for them: nobody has read anything of those. */

export interface Births {
  absent(): void;
  /** True when the stream is younger than our last look that did not find it. */
  found(created: string): boolean;
}

/** The server's clock may differ from ours by this much; and an older stream of that name may have been restored. */
const SKEW_MS = 60_000;

export const createBirths = (now: () => number = Date.now): Births => {
  let lastLook: number | undefined;
  let known: { readonly created: string; readonly unseenAt: number | undefined } | undefined;
  return {
    absent: () => {
      lastLook = now();
    },
    found: (created) => {
      // The look before the first that found it counts, however often opening it fails.
      if (known?.created !== created) known = { created, unseenAt: lastLook };
      lastLook = now();
      return known.unseenAt !== undefined && Date.parse(created) > known.unseenAt - SKEW_MS;
    },
  };
};
