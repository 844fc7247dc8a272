/** `daemon init`: code and state before the bot, for those who start it apart from `execute` (contract §0). */
import { toDroverError } from '../../domain/errors.ts';
import { openTransfer } from '../transfer/client.ts';

export interface DaemonInitOptions {
  readonly codePath: string;
  /** A zip that lies in this container; empty: the code is there already. */
  readonly codeFile: string;
  readonly transferEntry: string;
  readonly transferEnv: NodeJS.ProcessEnv;
}

const RESTORE_MS = 3_600_000;

const tell = (code: string, detail: string): number => {
  process.stderr.write(`drover: ${code}: ${detail}\n`);
  return 1;
};

/** Resolves to the exit code: 0 when both are there, else 1 with the reason on standard error. */
export const daemonInit = async (options: DaemonInitOptions): Promise<number> => {
  const { codePath, codeFile, transferEntry, transferEnv } = options;
  const transfer = openTransfer({ entry: transferEntry, env: transferEnv, idleMs: 1 });
  try {
    if (codeFile !== '') {
      const { unpackCode } = await import('../unpack-code.ts');
      const { skipped } = await unpackCode(codeFile, codePath);
      for (const { name, why } of skipped) process.stderr.write(`drover: not unpacked: ${name} ${why}\n`);
    }
    const result = await transfer.ask({ kind: 'restore' }, RESTORE_MS);
    return result.kind === 'failed' ? tell(result.error.code, result.error.detail) : 0;
  } catch (thrown) {
    const { code, message } = toDroverError(thrown);
    return tell(code, message);
  } finally {
    await transfer.close();
  }
};
