/** What the set-up of a run gives to the tests: see test/README.md. */
declare module 'vitest' {
  export interface ProvidedContext {
    /** Environment of the engine and the bot image. */
    readonly engine?: Readonly<Record<string, string>>;
    /** Environment of the servers, one entry for each worker. */
    readonly servers?: readonly Readonly<Record<string, string>>[];
    /** One line for each thing that this run cannot test, and why. */
    readonly leftOut?: readonly string[];
  }
}

export {};
