/** `daemon init`: code and state in place before a bot that another container runs (contract §0). */
import { toDroverError } from '../../domain/errors.ts';
import { openTransfer } from '../transfer/client.ts';

export interface DaemonInitOptions {
  /** The zip to unpack; empty: the code is there already. */
  readonly codeFile: string;
  readonly codePath: string;
  readonly transferEntry: string;
  readonly transferEnv: NodeJS.ProcessEnv;
}

/** Contract §7: time for state. */
const RESTORE_MS = 180_000;

const tell = (code: string, detail: string): void => {
  process.stderr.write(`drover: ${code}: ${detail}\n`);
};

const unpack = async ({ codeFile, codePath }: DaemonInitOptions): Promise<boolean> => {
  if (codeFile === '') return true;
  try {
    const { unpackCode } = await import('../unpack-code.ts');
    await unpackCode(codeFile, codePath);
    return true;
  } catch (thrown) {
    const { code, message } = toDroverError(thrown);
    tell(code, message);
    return false;
  }
};

const restore = async ({ transferEntry: entry, transferEnv: env }: DaemonInitOptions): Promise<boolean> => {
  const client = openTransfer({ entry, env, idleMs: 0 });
  const result = await client.ask({ kind: 'restore' }, RESTORE_MS);
  await client.close();
  if (result.kind === 'restore') return true;
  if (result.kind === 'failed') tell(result.error.code, result.error.detail);
  return false;
};

/** Resolves to the exit code: 0 when both are in place, else 1. */
export const daemonInit = async (options: DaemonInitOptions): Promise<number> => {
  const done = await Promise.all([unpack(options), restore(options)]);
  return done.every(Boolean) ? 0 : 1;
};
