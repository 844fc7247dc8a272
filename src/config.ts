/**
 * The only reader of the controller's environment and of its file. Flag over environment over file over default; a wrong
 * value is refused with its name, itself and what is allowed; the result is frozen and printed masked.
 */
import { readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
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

interface Read {
  readonly values: Partial<Values>;
  readonly origins: Readonly<Partial<Record<SettingName, Origin>>>;
}

/** Of these settings alone: the others may be wrong. @throws DroverError CONFIG_INVALID */
const readSettings = (names: readonly SettingName[], sources: ConfigSources): Read => {
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
    names.map((name) => {
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
  return { values: values, origins };
};

/** The state directory of the user, wherever drover is started. */
const defaultDataDir = (env: ConfigSources['env'] = {}): string => {
  const stateHome = env['XDG_STATE_HOME'] ?? '';
  if (isAbsolute(stateHome)) return join(stateHome, 'drover');
  return process.getuid?.() === 0 ? '/var/lib/drover' : join(homedir(), '.local/state/drover');
};

/** A setting as its user wrote it, or would. */
const written = (name: SettingName, value: unknown): string =>
  `${SETTINGS[name].env}=${writeValue((SETTINGS[name] as Setting).parse, value)}`;

/** @throws DroverError CONFIG_INVALID naming the setting, its value and what is allowed */
export const loadConfig = (sources: ConfigSources = {}): Config => {
  const read = readSettings(SETTING_NAMES, sources);
  const env = sources.env ?? process.env;
  const { values, origins } = withDataDir(withAddress(read, env), env);
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
      `${written('queryTimeout', config.queryTimeout)} is not allowed: it must not exceed ${written('queryMaxTimeout', config.queryMaxTimeout)}`,
    );
  }
  if (config.backoffFirst > config.backoffMax) {
    throw invalid(
      `${written('backoffFirst', config.backoffFirst)} is not allowed: it must not exceed ${written('backoffMax', config.backoffMax)}`,
    );
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

/** Every setting as a person may see it: secrets masked, durations as a user writes them. */
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

/** Where a program on this machine reaches what listens at this host. */
const reachable = (host: string): string => {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
};

/** DROVER_URL, when it is an address of this machine. */
const localUrl = (env: ConfigSources['env'] = {}): URL | undefined => {
  const text = env['DROVER_URL'] ?? '';
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' && LOOPBACK.test(url.hostname.replace(/[[\]]/g, '')) ? url : undefined;
};

/** A DROVER_URL on this machine names the port for the controller, too, unless a setting of its own does. */
const withAddress = ({ values, origins }: Read, env: ConfigSources['env'] = {}): Read => {
  const url = localUrl(env);
  if (url === undefined || origins.httpPort !== 'default' || origins.httpHost !== 'default') return { values, origins };
  return {
    values: { ...values, httpPort: url.port === '' ? 80 : Number(url.port) },
    origins: { ...origins, httpPort: 'environment' },
  };
};

const withDataDir = ({ values, origins }: Read, env: ConfigSources['env']): Read =>
  origins.dataDir === 'default'
    ? { values: { ...values, dataDir: defaultDataDir(env) }, origins }
    : { values, origins };

export interface ClientGiven {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
}

export interface ClientConfig {
  readonly url: string;
  readonly token: string | undefined;
  readonly user: string;
}

/**
 * How the command line finds the API: --url, else DROVER_URL, else where the controller listens by the same settings. API_TOKEN
 * is only for that controller and for addresses of this machine: no other server learns it.
 * @throws DroverError CONFIG_INVALID
 */
export const clientConfig = (given: ClientGiven, env: ConfigSources['env'] = process.env): ClientConfig => {
  const ownUrl = given.url ?? (env['DROVER_URL'] === '' ? undefined : env['DROVER_URL']);
  const ownToken = given.token ?? (env['DROVER_TOKEN'] === '' ? undefined : env['DROVER_TOKEN']);
  const user = userInfo().username;
  const isLocal = ownUrl === undefined || localUrl({ DROVER_URL: ownUrl }) !== undefined;
  if (ownUrl !== undefined && (ownToken !== undefined || !isLocal)) return { url: ownUrl, token: ownToken, user };
  const {
    httpHost = '127.0.0.1',
    httpPort = 8080,
    apiToken,
  } = readSettings(['httpHost', 'httpPort', 'apiToken'], { env }).values;
  const token = ownToken ?? apiToken;
  if (ownUrl !== undefined) return { url: ownUrl, token, user };
  if (httpPort === 0)
    throw invalid('HTTP_PORT=0 takes any port: name the address that drover printed with --url or DROVER_URL');
  return { url: `http://${reachable(httpHost)}:${String(httpPort)}`, token, user };
};

/** The environment as settings are read from it. */
export const environment = (): Readonly<Record<string, string | undefined>> => process.env;
