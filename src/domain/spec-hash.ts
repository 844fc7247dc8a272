/** Hash of the runnable part of a spec: what differs needs a new container (feature B6). Policy and grace do not. */
import { createHash } from 'node:crypto';
import type { BotSpec } from './bot.ts';
import { canonicalJson } from './json.ts';

/** Words in a config that say whether and how to keep a bot, not what it runs with: they need no new container. */
const KEEPING = new Set(['enabled', 'drover']);

/** 16 hex digits over config, code, runtime, entrypoints, image and limits. Stable over key order. */
export const specHash = (spec: BotSpec): string =>
  createHash('sha256')
    .update(
      canonicalJson({
        config: Object.fromEntries(Object.entries(spec.config).filter(([key]) => !KEEPING.has(key))),
        code: spec.code,
        runtime: spec.runtime,
        entrypoints: spec.entrypoints,
        image: spec.image,
        limits: spec.limits,
      }),
    )
    .digest('hex')
    .slice(0, 16);
