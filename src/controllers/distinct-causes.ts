/** Causes without repetition, in the order in which they were first heard. */
import type { Cause } from '../domain/recorded.ts';

export const distinctCauses = (causes: readonly Cause[]): Cause[] => [
  ...new Map(causes.map((cause) => [JSON.stringify(cause), cause])).values(),
];
