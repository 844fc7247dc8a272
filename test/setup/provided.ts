import type { Lender } from './lent-servers.ts';

/** What the set-up of a run gives to the tests: see test/README.md. */
declare module 'vitest' {
  export interface ProvidedContext {
    /** Environment of the engine and the bot image. */
    readonly engine?: Readonly<Record<string, string>>;
    /** Where a worker borrows its servers. */
    readonly lender?: Lender;
    /** One line for each thing that this run cannot test, and why. */
    readonly leftOut?: readonly string[];
  }
}

export {};
