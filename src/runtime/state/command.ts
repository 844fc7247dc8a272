/** `runtime state list` and `runtime state choose <snapshot> --request <id>`: one line of JSON on standard output. */
import { readFileSync } from 'node:fs';
import { DELIVERY } from '../../domain/delivery.ts';
import { DroverError, toDroverError } from '../../domain/errors.ts';
import type { StoreAccess } from '../../domain/store-access.ts';
import { parseSnapshot, snapshotText } from '../../domain/sync-report.ts';
import type { StateArchives } from '../../ports/state-archives.ts';
import { readTransferConfig, type TransferConfig } from '../config.ts';
import { openStateArchives } from '../transfer/open-archives.ts';
import { choiceText } from './choice.ts';
import { limitsOf, parseManifest } from './manifest.ts';
import { restoreFailed } from './newest.ts';
import { unpackState } from './unpack-state.ts';

const USAGE = 'usage: runtime state list | state choose <snapshot> --request <id>\n';

const list = async (archives: StateArchives, { incarnation }: TransferConfig): Promise<object> => {
  const ids = await archives.list();
  const manifests = await Promise.all(
    ids.map(async (id) => {
      try {
        return parseManifest(id, (await archives.manifest(id)) ?? '');
      } catch (thrown) {
        // Damaged ones are listed too: an operator must see what there is.
        return { ...id, kind: 'damaged', size: 0, files: 0, createdAt: '', detail: toDroverError(thrown).message };
      }
    }),
  );
  const newest = manifests.findLast(
    (one) => one.kind === 'state' && 'incarnation' in one && one.incarnation === incarnation,
  );
  const legacy = await archives.legacy();
  return {
    snapshots: manifests.map((one) => ({ ...one, ...(one === newest ? { current: true } : {}) })),
    archive:
      legacy === undefined ? null : { writtenBy: legacy.snapshot === undefined ? 'others' : 'drover', ...legacy },
  };
};

/** So many are named to who asked for one that is not there; all are listed by `state list`. */
const NAMED = 10;

const thereAre = async (archives: StateArchives): Promise<string> => {
  const names = (await archives.list()).map(snapshotText);
  if (names.length === 0) return 'no snapshot is stored';
  const newest = names.slice(-NAMED).reverse().join(', ');
  return names.length > NAMED ? `the newest of ${String(names.length)} are ${newest}` : `there are ${newest}`;
};

const choose = async (
  archives: StateArchives,
  name: string,
  requestId: string,
  { incarnation }: TransferConfig,
): Promise<object> => {
  const id = parseSnapshot(name);
  if (id === undefined)
    throw new DroverError('REQUEST_INVALID', `${name} is not the name of a snapshot, such as a3/s7`);
  const text = await archives.manifest(id);
  const archive = await archives.open(id);
  if (text === undefined || archive === undefined) {
    throw new DroverError('SNAPSHOT_NOT_FOUND', `there is no snapshot ${name}; ${await thereAre(archives)}`);
  }
  const manifest = parseManifest(id, text);
  // Verified whole before it is chosen: whoever chooses must not find out at the next start.
  const how = { target: undefined, limits: limitsOf(manifest), foreign: 'refuse' } as const;
  const seen = await unpackState(archive.content, how).catch((thrown: unknown) => {
    throw restoreFailed(name, thrown);
  });
  if (seen.sha256 !== manifest.sha256 || seen.tree !== manifest.tree) {
    throw new DroverError('STATE_RESTORE_FAILED', `${name}: its content differs from its manifest`);
  }
  await archives.putChoice(choiceText({ snapshot: snapshotText(id), requestId, incarnation }));
  return { chosen: snapshotText(id) };
};

/** Resolves to the exit code; a failure is one line `{code, detail}`. */
export const stateCommand = async (args: readonly string[]): Promise<number> => {
  const [command, name = '', flag, requestId = ''] = args;
  const isChoice = command === 'choose' && name !== '' && flag === '--request' && requestId !== '';
  if (command !== 'list' && !isChoice) {
    process.stderr.write(USAGE);
    return 64;
  }
  try {
    const config = readTransferConfig();
    const access = JSON.parse(readFileSync(DELIVERY.accessFile, 'utf8')) as StoreAccess;
    const archives = await openStateArchives(access, config.botId);
    const answer = isChoice ? await choose(archives, name, requestId, config) : await list(archives, config);
    process.stdout.write(`${JSON.stringify(answer)}\n`);
    return 0;
  } catch (thrown) {
    const { code, message } = toDroverError(thrown);
    process.stdout.write(`${JSON.stringify({ code, detail: message })}\n`);
    return 1;
  }
};
