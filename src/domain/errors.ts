/** Errors with a code of the one table. Adapters translate foreign errors into these; nobody else invents codes. */
import type { ErrorClass } from './error-row.ts';
import { ERRORS, type ErrorCode } from './error-table.ts';

export type { ErrorClass } from './error-row.ts';
export { ERRORS, type ErrorCode } from './error-table.ts';

/** An error of the table. `message` is for people, `code` for programs; `cause` keeps the foreign error. */
export class DroverError extends Error {
  override readonly name = 'DroverError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get class(): ErrorClass {
    return ERRORS[this.code].class;
  }

  get remedy(): string {
    return ERRORS[this.code].remedy;
  }
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

/** Any thrown value as an error of the table; what is unknown becomes INTERNAL and keeps its cause. */
export const toDroverError = (thrown: unknown): DroverError =>
  thrown instanceof DroverError
    ? thrown
    : new DroverError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });

/** Closes an exhaustive switch: the compiler refuses a missing case, a wrong value at run time throws. */
export const assertNever = (value: never): never => {
  throw new DroverError('INTERNAL', `unexpected value: ${JSON.stringify(value)}`);
};
