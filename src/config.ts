/**
 * The only reader of the controller's environment and of its file. Flag over environment over file over default; a wrong
 * value is refused with its name, itself and what is allowed; the result is frozen and printed masked.
 */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import {
  fileKeyOf,
  flagOf,
  SETTING_NAMES,
  SETTINGS,
  writeValue,
  type Setting,
  type SettingName,
} from './config-table.ts';
import { nearestName } from './documents/nearest-name.ts';
import { DroverError } from './domain/errors.ts';

export type Values = { readonly [N in SettingName]: z.output<(typeof SETTINGS)[N]['parse']> | undefined };
/** Settings with a default are always there. */
type Optional =
  | 'dockerHost'
  | 'imagesAllowed'
  | 'installId'
  | 'apiToken'
  | 'mongoUri'
  | 'natsUrl'
  | 'minioEndpoint'
  | 'minioAccessKey'
  | 'minioSecretKey'
  | 'minioCaFile'
  | 'minioContainerEndpoint'
  | 'botNatsUrl';
export type Config = { readonly [N in Exclude<SettingName, Optional>]: NonNullable<Values[N]> } & {
  readonly [N in Optional]: Values[N];
} & { readonly origins: Readonly<Record<SettingName, Origin>> };

export type Origin = 'flag' | 'environment' | 'file' | 'default';

export interface ConfigSources {
  /** Setting name → text, as given on the command line. */
  readonly flags?: Partial<Record<SettingName, string>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A file that must exist; without it `drover.yaml` is read if it is there. */
  readonly file?: string;
}

const DEFAULT_FILE = 'drover.yaml';
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|::1)$/;

const invalid = (message: string): DroverError => new DroverError('CONFIG_INVALID', message);

/** Passwords in addresses are nobody's business; a user alone may be a token, and is masked whole. */
const maskUrl = (value: string): string =>
  value.replace(/(\/\/[^:/@\s]*:)[^@\s]+@/g, '$1***@').replace(/(\/\/)[^:/@\s]+@/g, '$1***@');

const shown = (name: SettingName, value: string): string =>
  (SETTINGS[name] as Setting).secret === true ? '***' : maskUrl(value);

const unknownKey = (key: string, path: string, known: readonly string[]): DroverError => {
  const nearest = nearestName(key, known);
  const hint = nearest === undefined ? '`drover config --explain` lists all settings' : `did you mean ${nearest}?`;
  return invalid(`${key} in ${path} is not a setting; ${hint}`);
};

const readFile = (path: string, needed: boolean): Readonly<Record<string, string>> => {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    if (!needed) return {};
    throw new DroverError('CONFIG_INVALID', `configuration file ${path} cannot be read`, { cause: error });
  }
  let parsed: unknown;
  try {
    parsed = parseYaml(content) ?? {};
  } catch (error) {
    throw invalid(`configuration file ${path} is not valid YAML: ${(error as Error).message.split('\n')[0] ?? ''}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw invalid(`configuration file ${path} must be a list of \`setting: value\``);
  }
  const known = new Set(SETTING_NAMES.map(fileKeyOf));
  return Object.fromEntries(
    Object.entries(parsed).map(([key, value]) => {
      if (!known.has(key)) throw unknownKey(key, path, [...known]);
      if (!['string', 'number', 'boolean'].includes(typeof value))
        throw invalid(`${key} in ${path} must be a single value`);
      return [key, String(value)];
    }),
  );
};

/** @throws DroverError CONFIG_INVALID naming the setting, its value and what is allowed */
export const loadConfig = (sources: ConfigSources = {}): Config => {
  const env = sources.env ?? process.env;
  const path = sources.file ?? env['DROVER_CONFIG'];
  const file = readFile(path ?? DEFAULT_FILE, path !== undefined && path !== '');
  const origins: Partial<Record<SettingName, Origin>> = {};
  const find = (name: SettingName): [string, Origin] => {
    const candidates: [string | undefined, Origin][] = [
      [sources.flags?.[name], 'flag'],
      ...[SETTINGS[name].env, ...((SETTINGS[name] as Setting).also ?? [])].map(
        (variable): [string | undefined, Origin] => [env[variable], 'environment'],
      ),
      [file[fileKeyOf(name)], 'file'],
    ];
    const given = candidates.find((candidate): candidate is [string, Origin] => (candidate[0] ?? '') !== '');
    return given ?? [SETTINGS[name].default, 'default'];
  };
  const values = Object.fromEntries(
    SETTING_NAMES.map((name) => {
      const [value, origin] = find(name);
      origins[name] = origin;
      if (value === '') return [name, undefined];
      const parsed = SETTINGS[name].parse.safeParse(value);
      if (parsed.success) return [name, parsed.data];
      const allowed = parsed.error.issues.map(({ message }) => message).join('; ');
      const where = origin === 'flag' ? flagOf(name) : origin === 'file' ? fileKeyOf(name) : SETTINGS[name].env;
      throw invalid(`${where}=${shown(name, value)} (${origin}) is not allowed: it must be ${allowed}`);
    }),
  );
  const config = Object.freeze({ ...values, origins: Object.freeze(origins) }) as unknown as Config;
  if (!LOOPBACK.test(config.httpHost) && config.apiToken === undefined) {
    throw invalid(`HTTP_HOST=${config.httpHost} is not allowed without API_TOKEN: it must be a loopback address`);
  }
  if (!LOOPBACK.test(config.queryServerHost) && config.apiToken === undefined && !config.queryServerOpen) {
    const where = `QUERY_SERVER_HOST=${config.queryServerHost}`;
    throw invalid(`${where} is not allowed without API_TOKEN or QUERY_SERVER_OPEN=true: it must be a loopback address`);
  }
  if (config.queryTimeout > config.queryMaxTimeout) {
    throw invalid(
      `QUERY_TIMEOUT=${String(config.queryTimeout)}ms is not allowed: it must not exceed QUERY_MAX_TIMEOUT`,
    );
  }
  if (config.backoffFirst > config.backoffMax) {
    throw invalid(`BACKOFF_FIRST=${String(config.backoffFirst)}ms is not allowed: it must not exceed BACKOFF_MAX`);
  }
  if (
    config.minioEndpoint !== undefined &&
    (config.minioAccessKey === undefined || config.minioSecretKey === undefined)
  ) {
    throw invalid('MINIO_ENDPOINT needs MINIO_ACCESS_KEY and MINIO_SECRET_KEY');
  }
  return config;
};

export interface DescribedSetting {
  readonly name: string;
  readonly value: string;
  readonly origin: Origin;
  readonly doc: string;
}

/** Every setting as a person may see it: secrets masked. Durations in ms. */
export const describeConfig = (config: Config): readonly DescribedSetting[] =>
  SETTING_NAMES.map((name) => {
    const value = config[name];
    const { env, doc, parse } = SETTINGS[name] as Setting;
    return {
      name: env,
      value: value === undefined ? '' : shown(name, writeValue(parse, value)),
      origin: config.origins[name],
      doc,
    };
  });

/** How the command line finds the API. */
export const clientConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => ({
  url: env['DROVER_URL'] === undefined || env['DROVER_URL'] === '' ? 'http://127.0.0.1:8080' : env['DROVER_URL'],
  token: env['DROVER_TOKEN'] === '' ? undefined : env['DROVER_TOKEN'],
  user: userInfo().username,
});

/** The environment as settings are read from it. */
export const environment = (): Readonly<Record<string, string | undefined>> => process.env;
