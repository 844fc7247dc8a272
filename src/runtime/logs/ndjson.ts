/** A line of output as a line of the day's file (contract §4). */

/** RFC 3339, UTC, whole seconds, as the reference writes it. */
export const timestampOf = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** `YYYYMMDD`, UTC: the day's file that a line belongs to. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10).replaceAll('-', '');

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

/** Keys sorted at every depth. By hand: an object of JavaScript puts keys that look like numbers first. */
const sorted = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value).sort(byKey);
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${sorted(inner)}`).join(',')}}`;
};

/** A number that reading and writing again would change: ids and amounts in the smallest unit. */
const LONG_NUMBER = /\d{16}/;

const withTimestamp = (line: string, fields: Readonly<Record<string, unknown>>, timestamp: string): string => {
  if (!LONG_NUMBER.test(line)) {
    try {
      return sorted({ ...fields, timestamp });
    } catch {
      // Nested deeper than we can follow: as it is, but for the timestamp.
    }
  }
  const inside = line.trim().slice(1).trimStart();
  return `{"timestamp":"${timestamp}"${inside.startsWith('}') ? '' : ','}${inside}`;
};

const objectOf = (line: string): Readonly<Record<string, unknown>> | undefined => {
  if (!line.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

export const messageLine = (message: string, at: number): string =>
  JSON.stringify({ timestamp: timestampOf(at), message });

/** Without its newline; undefined for a blank line. */
export const toNdjson = (line: string, at: number): string | undefined => {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (text.trim() === '') return undefined;
  const fields = objectOf(text);
  if (fields === undefined) return messageLine(text, at);
  return Object.hasOwn(fields, 'timestamp') ? text : withTimestamp(text, fields, timestampOf(at));
};
