/** The part of a container's environment that bots, runs and queries have in common (contract §1.2, without what is secret). */
import type { BotSpec } from '../../domain/bot.ts';
import { DELIVERY_ENV } from '../../domain/delivery.ts';

export type EnvPair = readonly [name: string, value: string];

export interface EnvOf {
  readonly spec: BotSpec;
  readonly incarnation: number;
  /** SHA-256 of the code archive, pinned. */
  readonly codeDigest: string;
  /** Program that this container is for. */
  readonly entrypoint: string;
  readonly entrypointType: 'bot' | 'query';
  readonly botType: 'realtime' | 'scheduled';
}

export const commonEnv = (of: EnvOf): EnvPair[] => {
  const { spec, incarnation, codeDigest, entrypoint, entrypointType, botType } = of;
  const { query } = spec.entrypoints;
  return [
    ['PYTHONDONTWRITEBYTECODE', '1'],
    ['ID', spec.id],
    ['BOT_ID', spec.id],
    ['ENTRYPOINT_TYPE', entrypointType],
    // The code lies in /bot for all of them; the reference sets the other word and takes it back for the program (contract §1.3).
    ['CODE_MOUNT_DIR', 'bot'],
    ['STATE_DIR', '/state/.the0-state'],
    ['CODE_FILE', spec.code.filePath],
    ['RUNTIME', spec.runtime],
    ['ENTRYPOINT', entrypoint],
    ['BOT_TYPE', botType],
    ['IS_SCHEDULED', String(botType === 'scheduled')],
    [DELIVERY_ENV.incarnation, String(incarnation)],
    [DELIVERY_ENV.codeDigest, codeDigest],
    ...(query === undefined ? [] : [['QUERY_ENTRYPOINT', query] as const]),
  ];
};

export const envLines = (pairs: readonly EnvPair[]): string[] => pairs.map(([name, value]) => `${name}=${value}`);
