/** What is said to who wants a snapshot that is not there, on a real engine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asked, LOOPING, startSpine, type Spine } from '../support/spine.ts';

describe('a snapshot that is not there', () => {
  let spine: Spine;
  beforeAll(async () => {
    spine = await startSpine();
  });
  afterAll(() => spine.end());

  it('case F6: is named together with those that there are', async () => {
    await spine.deploy('none', LOOPING);
    await spine.reaches('none', 'running');
    await expect(
      spine.drover.stateSnapshots.choose('none', { attempt: 9, sequence: 9 }, asked('restore')),
    ).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND', message: expect.stringContaining('a9/s9') as string });

    const writing = `require('node:fs').writeFileSync('/state/x', '1'); ${LOOPING}`;
    await spine.deploy('one', writing);
    await spine.reaches('one', 'running');
    const stored = async (): Promise<string> => JSON.stringify(await spine.drover.stateSnapshots.list('one'));
    await expect.poll(stored).toContain('"kind":"state"');
    await expect(
      spine.drover.stateSnapshots.choose('one', { attempt: 9, sequence: 9 }, asked('restore')),
    ).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
      message: expect.stringMatching(/^there is no snapshot a9\/s9; there are a1\/s\d/) as string,
    });
  });
});
