/** How many random or repeated cases a test tries: moderate by default, all of them with `FULL=1` (`npm run test:full`). */

export const FULL = process.env['FULL'] === '1';

/** The number of cases of this run. */
export const cases = (usual: number, full: number): number => (FULL ? full : usual);
