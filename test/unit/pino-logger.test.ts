import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const LOGGER = join(import.meta.dirname, '../../src/adapters/log/pino-logger.ts');

describe('drover’s own log', () => {
  it('is one JSON object a line, errors without a stack, and without secrets', () => {
    const script = `import { createPinoLogger } from ${JSON.stringify(LOGGER)};
      const log = createPinoLogger({ level: 'INFO', pretty: false });
      log.debug('unseen');
      log.info('hello', { bot: 'a', apiKey: 'canary-1', nested: { password: 'canary-2', list: [{ token: 'canary-3' }] } });
      log.error('broke', { error: new Error('why') });`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(stdout, 'which belongs to the transition log').toBe('');
    expect(stderr).not.toMatch(/canary|unseen|at .*\.ts/);
    const lines = stderr.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { msg: 'hello', bot: 'a', apiKey: '***', nested: { password: '***', list: [{ token: '***' }] } },
      { msg: 'broke', error: 'why' },
    ]);
  });
});
