/**
 * Every setting once: its name, how it is read, what it is for. The parser, `drover config` and
 * `docs/reference/configuration.md` come from here.
 */
import { RESTART_POLICIES } from './domain/bot.ts';
import {
  bucketName,
  databaseName,
  duration,
  flag,
  matching,
  oneOf,
  share,
  text,
  whole,
  setting,
  type Setting,
} from './setting-kinds.ts';

export type { Setting } from './setting-kinds.ts';

export const SETTINGS = {
  dockerHost: setting('DOCKER_HOST', text, '', 'engine to use; else the docker context, else `/var/run/docker.sock`'),
  dockerNetwork: setting(
    'DOCKER_NETWORK',
    matching(/^[\w.-]+$/, 'a network name'),
    'drover-bots',
    'network that bots join; drover-bots is made by drover, another must exist',
  ),
  runtimeImage: setting(
    'RUNTIME_IMAGE',
    matching(/^\S+$/, 'an image name'),
    'drover-bot:latest',
    'image that bots run in',
  ),
  memoryLimitMb: setting('BOT_MEMORY_LIMIT_MB', whole(16, 1_048_576), '512', 'memory limit of a bot, MiB'),
  cpuShares: setting('BOT_CPU_SHARES', whole(2, 262_144), '512', 'relative CPU weight of a bot'),
  pidsLimit: setting('BOT_PIDS_LIMIT', whole(8, 32_768), '256', 'processes a bot may have'),
  hostGateway: setting('BOT_HOST_GATEWAY', flag, 'false', 'bots can reach the host as host.docker.internal'),
  configInEnv: setting(
    'BOT_CONFIG_IN_ENV',
    flag,
    'false',
    'configuration also in the container’s environment, for all who inspect it to read',
  ),
  stopHook: setting('BOT_STOP_HOOK', duration(0), '10s', 'longest time of a bot’s own stop hook, `entrypoints.stop`'),
  stopGrace: setting('BOT_STOP_GRACE', duration(0), '10s', 'what a bot has from SIGTERM to SIGKILL'),
  finalSync: setting(
    'BOT_FINAL_SYNC',
    duration(1_000),
    '60s',
    'longest time of the last sync of state and logs; what does not fit waits on the volume',
  ),
  restartPolicy: setting(
    'BOT_RESTART_POLICY',
    oneOf(RESTART_POLICIES),
    'always',
    'what to do when a bot ends by itself',
  ),
  reconcileInterval: setting('RECONCILE_INTERVAL', duration(100), '30s', 'the tick that looks at the whole fleet'),
  dataDir: setting(
    'DROVER_DATA_DIR',
    matching(/./, 'a folder'),
    './.drover',
    'log, documents and archives of the embedded default',
  ),
  mongoUri: setting(
    'MONGO_URI',
    matching(/^mongodb(\+srv)?:\/\/\S+$/, 'an address such as mongodb://host:27017/'),
    '',
    'documents and log in MongoDB instead of the data folder; several processes may then share them',
  ),
  mongoDatabase: setting('MONGO_DATABASE', databaseName, 'drover', 'database of drover’s own log, leases and notes'),
  mongoBotsDatabase: setting(
    'MONGO_BOTS_DATABASE',
    databaseName,
    'bot_runner',
    'database whose collection `bots` holds what is wished, shared with other programs',
  ),
  mongoSchedulerDatabase: setting(
    'MONGO_SCHEDULER_DATABASE',
    databaseName,
    'bot_scheduler',
    'database whose collection `bot_schedules` holds schedules that are wished; what they own is no garbage',
  ),
  natsUrl: setting(
    'NATS_URL',
    matching(/^\S+$/, 'an address such as nats://host:4222, or several with commas between'),
    '',
    'messages that say what changed; without them changes in MongoDB are seen by change streams or the tick',
  ),
  minioEndpoint: setting(
    'MINIO_ENDPOINT',
    matching(/^\S+$/, 'host:port'),
    '',
    'code archives in MinIO or another S3 server instead of the data folder',
  ),
  minioAccessKey: setting('MINIO_ACCESS_KEY', text, '', 'user of the S3 server'),
  minioSecretKey: setting('MINIO_SECRET_KEY', text, '', 'its password', true),
  minioContainerEndpoint: setting(
    'MINIO_CONTAINER_ENDPOINT',
    matching(/^\S+$/, 'host:port'),
    '',
    'the S3 server as bots reach it, when that is another address than MINIO_ENDPOINT; never a loopback one',
  ),
  storeCredentials: setting(
    'BOT_STORE_CREDENTIALS',
    oneOf(['scoped', 'shared']),
    'scoped',
    'keys that bots store with: short-lived ones for their own part, or (without STS) MINIO_ACCESS_KEY itself',
  ),
  storeKeyLifetime: setting('BOT_STORE_KEY_LIFETIME', duration(900_000), '1h', 'how long scoped keys are valid'),
  keepSnapshots: setting('BOT_KEEP_SNAPSHOTS', whole(1, 1_000), '10', 'snapshots of state kept of each bot'),
  maxStateMb: setting('MAX_STATE_SIZE_MB', whole(1, 1_048_576), '8192', 'state of a bot that is stored at most, MiB'),
  maxStateFileMb: setting('MAX_STATE_FILE_SIZE_MB', whole(1, 1_024), '10', 'largest file of state that is stored, MiB'),
  botNatsUrl: setting(
    'BOT_NATS_URL',
    matching(/^\S+$/, 'an address such as nats://user:password@host:4222'),
    '',
    'bots publish what they print to the0.bot.logs.<id> there; give it a user that may do nothing else',
    true,
  ),
  minioUseSsl: setting('MINIO_USE_SSL', flag, 'false', 'TLS to the S3 server; MINIO_SSL is another name', false, [
    'MINIO_SSL',
  ]),
  minioCaFile: setting(
    'MINIO_CA_FILE',
    matching(/./, 'a file'),
    '',
    'authority of its certificate (PEM), beside the usual ones',
  ),
  minioCodeBucket: setting('MINIO_CODE_BUCKET', bucketName, 'custom-bots', 'bucket of code archives'),
  minioStateBucket: setting('MINIO_STATE_BUCKET', bucketName, 'bot-state', 'bucket of state'),
  minioLogsBucket: setting('MINIO_LOGS_BUCKET', bucketName, 'bot-logs', 'bucket of logs'),
  minioQueryResultsBucket: setting(
    'MINIO_QUERY_RESULTS_BUCKET',
    bucketName,
    'query-results',
    'bucket of query results',
  ),
  installId: setting(
    'INSTALL_ID',
    matching(/^[a-z0-9]{1,16}$/, '1 to 16 lower-case letters and digits'),
    '',
    'name of this install on the engine; minted once when not set',
  ),
  httpHost: setting('HTTP_HOST', matching(/^\S+$/, 'an address'), '127.0.0.1', 'where the API listens'),
  httpPort: setting('HTTP_PORT', whole(0, 65_535), '8080', 'port of the API; 0 takes any'),
  apiToken: setting(
    'API_TOKEN',
    matching(/^\S{8,}$/, 'at least 8 characters without spaces'),
    '',
    'bearer token of the API; needed when it listens beyond loopback',
    true,
  ),
  queryServerHost: setting(
    'QUERY_SERVER_HOST',
    matching(/^\S+$/, 'an address'),
    '127.0.0.1',
    'where queries are taken',
  ),
  queryServerPort: setting('QUERY_SERVER_PORT', whole(0, 65_535), '9477', 'port of the query server; 0 takes any'),
  queryServerOpen: setting(
    'QUERY_SERVER_OPEN',
    flag,
    'false',
    'whoever reaches that port may ask, without API_TOKEN: callers of the reference bring none',
  ),
  queryReach: setting(
    'QUERY_REACH',
    oneOf(['auto', 'address', 'published']),
    'auto',
    'running bots are asked at their own address, or at a port published on loopback (Docker Desktop); bots get the port with their next start',
  ),
  queryTimeout: setting('QUERY_TIMEOUT', duration(100), '30s', 'time of a query that does not say how long'),
  queryMaxTimeout: setting('QUERY_MAX_TIMEOUT', duration(1_000), '5m', 'longest time that a query may ask for'),
  queryMaxBodyKb: setting('QUERY_MAX_BODY_KB', whole(1, 4_096), '1024', 'largest query that is taken, KiB'),
  queryMaxReplyMb: setting('QUERY_MAX_REPLY_MB', whole(1, 4_096), '64', 'largest reply that is handed on, MiB'),
  queryInFlight: setting('QUERY_IN_FLIGHT', whole(1, 1_024), '64', 'queries under way at one running bot at most'),
  queryWarmTtl: setting(
    'QUERY_WARM_TTL',
    duration(0),
    '60s',
    'a container that answered for a bot that does not run waits this long for the next query; 0 removes it at once',
  ),
  queryContainers: setting(
    'QUERY_CONTAINERS',
    whole(1, 64),
    '4',
    'containers for queries to bots that do not run, at most',
  ),
  queryQueue: setting('QUERY_QUEUE', whole(0, 10_000), '16', 'queries that wait for such a container; more get 429'),
  logLevel: setting('LOG_LEVEL', oneOf(['DEBUG', 'INFO', 'WARN', 'ERROR']), 'INFO', 'least level of drover’s own log'),
  logFormat: setting(
    'LOG_FORMAT',
    oneOf(['auto', 'pretty', 'json']),
    'auto',
    'auto is pretty on a terminal and JSON otherwise',
  ),
  backoffFirst: setting(
    'BACKOFF_FIRST',
    duration(1),
    '1s',
    'delay of the first restart; doubles with each failure in a row',
  ),
  backoffMax: setting('BACKOFF_MAX', duration(1), '60s', 'longest delay of a restart'),
  backoffJitter: setting('BACKOFF_JITTER', share, '0.1', 'share by which a delay may differ either way'),
  healthyAfter: setting('HEALTHY_AFTER', duration(1), '60s', 'running this long clears the failures in a row'),
  maxCrashes: setting('MAX_CRASHES', whole(1, 50), '10', 'this many crashes within the window, and drover gives up'),
  crashWindow: setting('CRASH_WINDOW', duration(1), '10m', 'window in which crashes are counted'),
  startDeadline: setting('START_DEADLINE', duration(1_000), '2m', 'longest time in `starting`'),
  killDeadline: setting('KILL_DEADLINE', duration(1_000), '30s', 'longest time in `stopping` after SIGKILL was due'),
  gcGrace: setting(
    'GC_GRACE',
    duration(0),
    '24h',
    'state and logs of an id that nobody wishes any more, and volumes of a deleted bot, are kept this long',
  ),
  gcPort: setting('GC_PORT', whole(0, 65_535), '8084', 'port of the health of `drover gc --interval`; 0 takes any'),
  startsInFlight: setting(
    'DOCKER_STARTS_IN_FLIGHT',
    whole(1, 64),
    '4',
    'containers started side by side; more than a few are slower',
  ),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** Flag of a setting: RECONCILE_INTERVAL → --reconcile-interval. The same word with `_` is the key in the file. */
export const flagOf = (name: SettingName): string => `--${SETTINGS[name].env.toLowerCase().replaceAll('_', '-')}`;
export const fileKeyOf = (name: SettingName): string => SETTINGS[name].env.toLowerCase();

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];
