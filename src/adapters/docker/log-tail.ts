/** The last lines of a container's output, bounded, for the record of its end. */
import type Docker from 'dockerode';

const LINES = 20;
const LINE_CHARS = 500;
const TOTAL_CHARS = 4_096;

/** Payloads of the engine's multiplexed stream: 8 bytes of header (stream, length), then the payload. */
export const demultiplex = (raw: Buffer): string => {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= raw.length;) {
    const size = raw.readUInt32BE(at + 4);
    parts.push(raw.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return Buffer.concat(parts).toString('utf8');
};

export const boundLines = (text: string): string[] => {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/\r$/, '').slice(0, LINE_CHARS))
    .filter((line) => line !== '')
    .slice(-LINES);
  let left = TOTAL_CHARS;
  return lines
    .reverse()
    .filter((line) => (left -= line.length) >= 0)
    .reverse();
};

/** Never throws: a container without readable output has no last lines. */
export const readLogTail = async (container: Docker.Container): Promise<readonly string[]> => {
  try {
    const raw = await container.logs({ stdout: true, stderr: true, tail: LINES, follow: false });
    return boundLines(demultiplex(raw));
  } catch {
    return [];
  }
};
