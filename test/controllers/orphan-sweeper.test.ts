import { describe, expect, it } from 'vitest';
import { createOrphanSweeper } from '../../src/controllers/orphan-sweeper.ts';
import type { ListedContainer } from '../../src/domain/observation.ts';
import { createFakeEngine } from '../support/fake-engine.ts';
import { silentLogger } from '../support/silent-logger.ts';

const listed = (change: Partial<ListedContainer>): ListedContainer => ({
  ref: { node: 'n', id: 'x1' },
  botId: 'a',
  status: 'dead',
  specHash: 'h',
  attempt: 1,
  named: false,
  aside: true,
  ...change,
});

const sweeper = () => {
  const removed: string[] = [];
  const warnings: unknown[] = [];
  const { engine } = createFakeEngine(() => 0);
  const sweep = createOrphanSweeper(
    {
      ...engine,
      ensureRemoved: ({ id }) => {
        removed.push(id);
        return Promise.resolve();
      },
    },
    { ...silentLogger, warn: (message) => warnings.push(message) },
  );
  return { sweep, removed, warnings };
};

describe('the orphan sweeper', () => {
  it('removes what was set aside once it was seen dead twice', async () => {
    const { sweep, removed } = sweeper();
    await sweep([listed({})]);
    expect(removed).toEqual([]);
    await sweep([listed({})]);
    expect(removed).toEqual(['x1']);
  });
  it('never touches what lives, what bears a bot’s name, or an impostor, and tells of the last once', async () => {
    const { sweep, removed, warnings } = sweeper();
    const all = [
      listed({ status: 'running' }),
      listed({ named: true, aside: false }),
      listed({ aside: false, ref: { node: 'n', id: 'impostor' } }),
    ];
    for (let tick = 0; tick < 3; tick += 1) await sweep(all);
    expect(removed).toEqual([]);
    expect(warnings).toHaveLength(1);
  });
});
