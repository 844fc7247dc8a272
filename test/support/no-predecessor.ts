/** An engine on which the predecessor never ran. */
import type { Predecessor } from '../../src/ports/predecessor.ts';

export const noPredecessor: Predecessor = { list: () => Promise.resolve([]), stop: () => Promise.resolve() };
