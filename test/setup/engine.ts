/** Global set-up: a Docker Engine and the bot image, made once for the whole run. */
import type { TestProject } from 'vitest/node';
import { prepareEngine } from '../../scripts/prepare-tests.ts';
import { once } from './once.ts';
import './provided.ts';
import { say } from './say.ts';

export const setup = async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const { value, release } = await once(
    'engine',
    () => prepareEngine(say),
    () => Promise.resolve(),
  );
  provide('engine', value);
  return release;
};
