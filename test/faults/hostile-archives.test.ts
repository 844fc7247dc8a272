/** Fault R34 on a real engine: no hostile archive runs or leaves anything, and none keeps anybody busy. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unpackCode } from '../../src/runtime/unpack-code.ts';
import { HOSTILE } from '../support/hostile-archives.ts';
import { LOOPING, startSpine, type Spine } from '../support/spine.ts';

/** Of the fault: whatever comes, in this time it is refused (milliseconds). Without the container, whose start takes its time. */
const AT_MOST_MS = 10_000;

describe('R34: a hostile code archive', () => {
  let spine: Spine;
  beforeAll(async () => {
    spine = await startSpine();
    await spine.deploy('neighbour', LOOPING);
    await spine.reaches('neighbour', 'running');
  });
  afterAll(() => spine.end());

  it.each(HOSTILE)('R34: $name starts nothing, or nothing that was not meant', async ({ name, make, becomes }) => {
    const id = `r34-${name}`;
    await spine.stores.archives.putCode(`test/${id}/1.0.0`, Readable.from([make()]));
    await spine.put(id, spine.document(id, { root: { drover: { restartPolicy: 'never' } } }));
    const ended = () => spine.told.find(({ botId, event }) => botId === id && event.type === 'ContainerExited')?.event;
    if (becomes === 'runs') {
      await expect.poll(ended).toMatchObject({ class: 'completed', exitCode: 0 });
    } else {
      await spine.reaches(id, 'failed.exhausted');
      const degraded = spine.bot(id)?.conditions.find(({ type }) => type === 'Degraded');
      expect(degraded?.reason).toMatch(becomes);
      const event = ended();
      if (event?.type === 'ContainerExited') expect(event.logTail.join('\n')).not.toContain('hostile code runs');
    }
    expect(spine.bot('neighbour')).toMatchObject({ state: 'running', restarts: 0 });
  });
});

describe('R34: unpacked by hand', () => {
  const root = mkdtempSync(join(tmpdir(), 'drover-r34-'));
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  it.each(HOSTILE)(
    'R34: $name leaves nothing outside its folder, and no more in it than is allowed',
    async ({ name, make, becomes }) => {
      const parent = join(root, name);
      const target = join(parent, 'bot');
      mkdirSync(target, { recursive: true });
      const archive = join(root, `${name}.zip`);
      writeFileSync(archive, make());
      const since = performance.now();
      const unpacking = unpackCode(archive, target);
      if (becomes === 'runs') await unpacking;
      else
        await expect(unpacking).rejects.toMatchObject({
          code: expect.stringMatching(/^ARCHIVE_(UNSAFE|CORRUPT)$/) as string,
        });
      expect(performance.now() - since).toBeLessThan(AT_MOST_MS);
      expect(readdirSync(parent)).toEqual(['bot']);
      for (const entry of readdirSync(target, { withFileTypes: true })) {
        expect(entry.isFile() || entry.isDirectory()).toBe(true);
        const { size, mode } = statSync(join(target, entry.name));
        expect(size).toBeLessThan(1024 ** 2);
        expect(mode & 0o7000).toBe(0);
      }
    },
  );
});
