/** How large a configuration may be, and how it reaches a bot that no environment variable could hold it for. */
import type { Runtime } from './bot.ts';

/** What the kernel allows for one `NAME=value` with the NUL behind it (MAX_ARG_STRLEN). */
const LONGEST_VARIABLE = 131_072;

/** The largest configuration, bytes of its JSON text. */
export const MAX_CONFIG_BYTES = 1_048_576;

/** The longest value of a variable of this name, bytes. */
export const longestValue = (name: string): number => LONGEST_VARIABLE - Buffer.byteLength(name) - '=\0'.length;

export const fitsVariable = (name: string, value: string): boolean => Buffer.byteLength(value) <= longestValue(name);

/** Runtimes in which we can hand over more than a variable holds, because an interpreter loads code of ours first. */
const BY_FILE: ReadonlySet<Runtime> = new Set<Runtime>(['nodejs20', 'python3.11']);

export const maxConfigBytes = (runtime: Runtime): number =>
  BY_FILE.has(runtime) ? MAX_CONFIG_BYTES : longestValue('BOT_CONFIG');
