/** The steps of the set-up, for the person who waits for them, or who reads the log of a build server. */
import pc from 'picocolors';
import type { Progress } from '../../scripts/machine.ts';

/** A step that goes on is said again no more often than this: a sign of life. */
export const AGAIN_MS = 30_000;

export interface Saying {
  readonly print: (line: string) => void;
  readonly now: () => number;
}

/** Says each step once, however many lines a program prints meanwhile. */
export const createSay = ({ print, now }: Saying): Progress => {
  const said = new Map<string, number>();
  return (step, detail) => {
    const last = said.get(step);
    // Without a detail there is nothing new about it.
    if (last !== undefined && (detail === undefined || now() - last < AGAIN_MS)) return;
    said.set(step, now());
    print(`${pc.cyan('▸')} ${step}${detail === undefined ? '' : pc.dim(` ${detail.trim().slice(0, 100)}`)}`);
  };
};

export const say = createSay({ print: console.log, now: () => performance.now() });
