/** A step of the set-up, for the person who waits for it. */
import pc from 'picocolors';

export const say = (step: string, detail?: string): void => {
  console.log(`${pc.cyan('▸')} ${step}${detail === undefined ? '' : pc.dim(` ${detail.trim().slice(0, 100)}`)}`);
};
