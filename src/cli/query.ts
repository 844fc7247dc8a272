/** `drover query <bot> <path>`: asks a bot, running or not, and prints what it answers. */
import { InvalidArgumentError, type Command } from 'commander';
import { DroverError } from '../domain/errors.ts';
import { isObject } from '../domain/json.ts';
import { jsonText } from '../domain/json-text.ts';
import { parseJson } from '../domain/parse-json.ts';
import { parseDuration } from '../setting-kinds.ts';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';

interface Flags {
  readonly param: Readonly<Record<string, string>>;
  readonly params?: string;
  readonly asOf?: string;
  readonly timeout?: number;
}

const collect = (text: string, known: Readonly<Record<string, string>>): Record<string, string> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be name=value.');
  return { ...known, [text.slice(0, at)]: text.slice(at + 1) };
};

const duration = (text: string): number => {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It must be a duration such as 30s.');
  return ms;
};

const paramsOf = ({ param, params }: Flags): Record<string, unknown> => {
  if (params === undefined) return param;
  let value: unknown;
  try {
    value = parseJson(params);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new DroverError('REQUEST_INVALID', `--params ${why}`, { cause: thrown });
  }
  if (!isObject(value)) throw new DroverError('REQUEST_INVALID', '--params must be a JSON object');
  return { ...value, ...param };
};

/** Each segment for itself: a name may hold what means something in a URL. */
const encoded = (path: string): string => path.replace(/^\/+/, '').split('/').map(encodeURIComponent).join('/');

export const addQuery = (program: Command, io: Io, client: () => ApiClient): void => {
  program
    .command('query <bot> <path>')
    .description('query a bot, whether it runs or not; `/info` lists its handlers')
    .option('-p, --param <name=value>', 'a parameter as text; repeatable', collect, {})
    .option('--params <json>', 'parameters with types, as a JSON object')
    .option('--as-of <time or snapshot>', 'query an earlier state, such as 2026-01-31T09:00:00Z or a3/s7')
    .option('--timeout <time>', 'the longest time to wait', duration)
    .action(async (bot: string, path: string, flags: Flags) => {
      const search = new URLSearchParams();
      if (flags.asOf !== undefined) search.set('asOf', flags.asOf);
      if (flags.timeout !== undefined) search.set('timeout_sec', String(flags.timeout / 1_000));
      const url = `/v1/bots/${encodeURIComponent(bot)}/query/${encoded(path)}`;
      const answer = await client().call(
        'POST',
        search.size === 0 ? url : `${url}?${search.toString()}`,
        paramsOf(flags),
      );
      io.out(typeof answer === 'string' ? answer : jsonText(answer, 2));
    });
};
