/**
 * The engine's attach stream, parted: 8 bytes of header (stream, length) before each piece. Pieces are handed on as they come, never
 * gathered, so that a reply of any size costs no memory here.
 */
export interface Split {
  readonly onStdout: (bytes: Buffer) => void;
  readonly onStderr: (bytes: Buffer) => void;
}

const HEADER = 8;
const STDERR = 2;

/** Takes bytes cut anywhere. @throws what the callbacks throw, and Error for what is no such stream */
export const createSplitter = ({ onStdout, onStderr }: Split): ((bytes: Buffer) => void) => {
  const header = Buffer.alloc(HEADER);
  let inHeader = 0;
  let left = 0;
  return (bytes) => {
    let at = 0;
    while (at < bytes.length) {
      if (left === 0) {
        const taken = bytes.copy(header, inHeader, at, at + HEADER - inHeader);
        inHeader += taken;
        at += taken;
        if (inHeader < HEADER) return;
        inHeader = 0;
        // stdin, stdout, stderr, and the engine's own complaints; three zeros follow.
        if (header.readUInt32BE(0) > 0x03ffffff || (header.readUInt32BE(0) & 0x00ffffff) !== 0) {
          throw new Error('it is not an output stream of the engine');
        }
        left = header.readUInt32BE(4);
        continue;
      }
      const piece = bytes.subarray(at, at + left);
      at += piece.length;
      left -= piece.length;
      if (header.readUInt8(0) >= STDERR) onStderr(piece);
      else onStdout(piece);
    }
  };
};

/** The last bytes of a text that may be long, and may come byte by byte. */
export const createLastBytes = (most: number) => {
  // Twice as many: what is kept is moved once for as many bytes as it holds, not with each piece.
  const held = Buffer.alloc(most * 2);
  let end = 0;
  return {
    add(bytes: Buffer): void {
      const last = bytes.subarray(-most);
      if (end + last.length > held.length) {
        end = held.copy(held, 0, Math.max(0, end - most), end);
      }
      end += last.copy(held, end);
    },
    text: (): string => held.toString('utf8', Math.max(0, end - most), end).trim(),
  };
};
