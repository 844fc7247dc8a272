/**
 * Order of the test files: the slowest first, so that no worker starts a long one when the others have finished. A file
 * that has run here before counts with that time, another one with what is noted in durations.json.
 */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const NOTED = JSON.parse(readFileSync(join(import.meta.dirname, 'durations.json'), 'utf8')) as Record<string, number>;

export class SlowestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const secondsOf = ({ moduleId }: TestSpecification): number => {
      const path = relative(this.ctx.config.root, moduleId);
      return NOTED[path] ?? 0;
    };
    return Promise.resolve([...files].sort((a, b) => secondsOf(b) - secondsOf(a)));
  }
}
