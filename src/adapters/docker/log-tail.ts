/** The last lines of a container's output, bounded, for the record of its end. */
import type Docker from 'dockerode';
import { readOutput } from './read-output.ts';

const LINES = 20;
const LINE_CHARS = 500;
const TOTAL_CHARS = 4_096;
/** An entry of the engine's log has 16 KiB; of longer lines only the end is seen. */
const MOST_BYTES = 128 * 1024;

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
    return boundLines(await readOutput(container, { stdout: true, stderr: true, tail: LINES, most: MOST_BYTES }));
  } catch {
    return [];
  }
};
