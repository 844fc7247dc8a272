/**
 * Lines of a bot's output as they are passed on: whole ones, so that two streams in one place never share a line. A line that
 * is written over itself by carriage returns, as progress bars are, is passed on as a reader of a terminal sees it.
 */

const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** A longer line is passed on in pieces. */
const MOST_BYTES = 256 * 1024;
const END = Buffer.of(NEWLINE);

/** What is visible of a line, without its newline. Carriage returns at its end belong to the newline. */
const visible = (line: Buffer): Buffer => {
  let end = line.length;
  while (end > 0 && line[end - 1] === RETURN) end -= 1;
  const over = line.lastIndexOf(RETURN, end - 1);
  return end === 0 || over === -1 ? line : line.subarray(over + 1);
};

const isOverwritten = (line: Buffer): boolean => visible(line).length < line.length;

export interface OutputLines {
  /** Takes what came. Returns what may be passed on, or undefined. */
  take(chunk: Buffer): Buffer | undefined;
  /** What is there of a line that is not ended. */
  rest(): Buffer | undefined;
  /** `line`: the beginning of one waits for its end. `overwritten`: one that is written over itself. */
  waits(): 'line' | 'overwritten' | undefined;
}

export const outputLines = (): OutputLines => {
  let held: Buffer[] = [];
  let size = 0;
  let overwritten = false;
  /** The beginning of the line is passed on already. */
  let isBegun = false;

  const hold = (bytes: Buffer): void => {
    if (bytes.length === 0) return;
    held.push(Buffer.from(bytes));
    size += bytes.length;
    if (!overwritten && !bytes.includes(RETURN)) return;
    const line = Buffer.concat(held);
    overwritten ||= isOverwritten(line) || line[0] === RETURN;
    // Only its last state counts. A return at the very end may belong to a newline that has not come yet.
    const shown = visible(line);
    held = [shown];
    size = shown.length;
  };
  const release = (): Buffer => {
    const bytes = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
    held = [];
    size = 0;
    return bytes;
  };
  /** One that has begun elsewhere cannot be written over there. */
  const shownLine = (line: Buffer): Buffer => {
    const shown = visible(line);
    const isCut = isBegun && (overwritten || shown.length < line.length);
    isBegun = false;
    overwritten = false;
    return isCut ? Buffer.concat([END, shown]) : shown;
  };

  return {
    take(chunk) {
      const last = chunk.lastIndexOf(NEWLINE);
      if (last === -1) {
        hold(chunk);
        if (size <= MOST_BYTES) return undefined;
        isBegun = true;
        return release();
      }
      const whole = Buffer.concat([...held, chunk.subarray(0, last + 1)]);
      held = [];
      size = 0;
      const parts: Buffer[] = [];
      if (overwritten || whole.includes(RETURN)) {
        for (let at = 0; at < whole.length;) {
          const end = whole.indexOf(NEWLINE, at);
          parts.push(shownLine(whole.subarray(at, end)), END);
          at = end + 1;
        }
      } else {
        isBegun = false;
        parts.push(whole);
      }
      hold(chunk.subarray(last + 1));
      return parts.length === 1 ? parts[0] : Buffer.concat(parts);
    },
    rest() {
      if (size === 0) return undefined;
      if (overwritten) {
        // Its state until now, as a line; what follows is another one.
        return Buffer.concat([shownLine(release()), END]);
      }
      isBegun = true;
      return release();
    },
    waits: () => (size === 0 ? undefined : overwritten ? 'overwritten' : 'line'),
  };
};

/** A place where lines of several sources meet. */
export interface LineSink {
  /** False when it takes no more for now. */
  put(source: object, bytes: Buffer): boolean;
}

/** `write`: returns false when it takes no more for now. A line that one source has begun is not continued by another. */
export const lineSink = (write: (bytes: Buffer) => boolean): LineSink => {
  let open: object | undefined;
  return {
    put: (source, bytes) => {
      const isForeign = open !== undefined && open !== source;
      open = bytes.at(-1) === NEWLINE ? undefined : source;
      return write(isForeign ? Buffer.concat([END, bytes]) : bytes);
    },
  };
};
