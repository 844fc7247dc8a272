/**
 * Every setting once: its name, how it is read, what it is for. The parser, `drover config` and
 * `docs/reference/configuration.md` come from here.
 */
import { RESTART_POLICIES } from './domain/bot.ts';
import { INSTALL_ID, INSTALL_ID_WORDS } from './domain/naming.ts';
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

export { writeValue, type Setting } from './setting-kinds.ts';

export const SETTINGS = {
  dockerHost: setting('DOCKER_HOST', text, '', 'engine to use; else the docker context, else `/var/run/docker.sock`'),
  dockerNetwork: setting(
    'DOCKER_NETWORK',
    matching(/^[\w.-]+$/, 'a network name'),
    'drover-bots',
    'network that bots join; drover creates drover-bots, another one must exist',
  ),
  runtimeImage: setting(
    'RUNTIME_IMAGE',
    matching(/^\S+$/, 'an image name'),
    'drover-bot:latest',
    'image that bots run in',
  ),
  memoryLimitMb: setting('BOT_MEMORY_LIMIT_MB', whole(16, 1_048_576), '512', 'memory limit of a bot, MiB'),
  cpuShares: setting('BOT_CPU_SHARES', whole(2, 262_144), '512', 'relative CPU weight of a bot'),
  pidsLimit: setting('BOT_PIDS_LIMIT', whole(8, 32_768), '256', 'number of processes a bot may have'),
  imagesAllowed: setting(
    'BOT_IMAGES_ALLOWED',
    text,
    '',
    'images besides RUNTIME_IMAGE that a document may name in `drover.image`, with commas between; `*` stands for anything but `/`, `**` for anything',
  ),
  maxMemoryMb: setting('BOT_MAX_MEMORY_MB', whole(16, 1_048_576), '65536', 'largest `drover.memoryMb` of a document'),
  maxCpuShares: setting('BOT_MAX_CPU_SHARES', whole(2, 262_144), '8192', 'largest `drover.cpuShares` of a document'),
  maxPids: setting('BOT_MAX_PIDS', whole(8, 32_768), '4096', 'largest `drover.pids` of a document'),
  maxRetries: setting('BOT_MAX_RETRIES', whole(0, 100), '100', 'largest `drover.retries` of a document'),
  maxStop: setting(
    'BOT_MAX_STOP',
    duration(0),
    '1h',
    'largest `stopHookSeconds`, `stopGraceSeconds` and `finalSyncSeconds` of a document',
  ),
  hostGateway: setting('BOT_HOST_GATEWAY', flag, 'false', 'bots can reach the host as host.docker.internal'),
  configInEnv: setting(
    'BOT_CONFIG_IN_ENV',
    flag,
    'false',
    'put the configuration into the environment of the container, too; everyone who inspects the container can read it',
  ),
  stopHook: setting('BOT_STOP_HOOK', duration(0), '10s', 'longest time of a bot’s own stop hook, `entrypoints.stop`'),
  stopGrace: setting('BOT_STOP_GRACE', duration(0), '10s', 'time of a bot from SIGTERM to SIGKILL'),
  finalSync: setting(
    'BOT_FINAL_SYNC',
    duration(1_000),
    '60s',
    'longest time of the last sync of state and logs; the rest stays on the volume and is stored later',
  ),
  restartPolicy: setting(
    'BOT_RESTART_POLICY',
    oneOf(RESTART_POLICIES),
    'always',
    'what to do when a bot ends by itself',
  ),
  reconcileInterval: setting('RECONCILE_INTERVAL', duration(100), '30s', 'interval of the tick, a full reconcile'),
  dataDir: setting(
    'DROVER_DATA_DIR',
    matching(/./, 'a folder'),
    '~/.local/state/drover',
    'log, documents and archives of the embedded default; as default in XDG_STATE_HOME if it is set, and /var/lib/drover for root',
  ),
  mongoUri: setting(
    'MONGO_URI',
    matching(/^mongodb(\+srv)?:\/\/\S+$/, 'an address such as mongodb://host:27017/'),
    '',
    'documents and log in MongoDB instead of the data folder; several processes may then share them',
  ),
  mongoDatabase: setting(
    'MONGO_DATABASE',
    databaseName,
    'drover',
    'database of drover’s event log, leases and metadata',
  ),
  mongoBotsDatabase: setting(
    'MONGO_BOTS_DATABASE',
    databaseName,
    'bot_runner',
    'database whose collection `bots` holds the documents of bots, shared with other programs',
  ),
  mongoSchedulerDatabase: setting(
    'MONGO_SCHEDULER_DATABASE',
    databaseName,
    'bot_scheduler',
    'database whose collection `bot_schedules` holds the documents of schedules; gc keeps their state and logs',
  ),
  natsUrl: setting(
    'NATS_URL',
    matching(/^\S+$/, 'an address such as nats://host:4222, or several with commas between'),
    '',
    'server of the messages that change documents; drover also notices changes in MongoDB, by change streams or the tick',
  ),
  minioEndpoint: setting(
    'MINIO_ENDPOINT',
    matching(/^\S+$/, 'host:port'),
    '',
    'code archives in MinIO or another S3 server instead of the data folder',
  ),
  minioAccessKey: setting('MINIO_ACCESS_KEY', text, '', 'user of the S3 server'),
  minioSecretKey: setting('MINIO_SECRET_KEY', text, '', 'password of the user in MINIO_ACCESS_KEY', true),
  minioContainerEndpoint: setting(
    'MINIO_CONTAINER_ENDPOINT',
    matching(/^\S+$/, 'host:port'),
    '',
    'address of the S3 server for bots, if it differs from MINIO_ENDPOINT; never a loopback address',
  ),
  storeCredentials: setting(
    'BOT_STORE_CREDENTIALS',
    oneOf(['scoped', 'shared']),
    'scoped',
    'keys that bots get: scoped are short-lived and limited to one bot, shared is MINIO_ACCESS_KEY itself (for servers without STS)',
  ),
  storeKeyLifetime: setting('BOT_STORE_KEY_LIFETIME', duration(900_000), '1h', 'how long scoped keys are valid'),
  keepSnapshots: setting('BOT_KEEP_SNAPSHOTS', whole(1, 1_000), '10', 'number of state snapshots kept for each bot'),
  maxStateMb: setting('MAX_STATE_SIZE_MB', whole(1, 1_048_576), '8192', 'largest state of a bot that is stored, MiB'),
  maxStateFileMb: setting('MAX_STATE_FILE_SIZE_MB', whole(1, 1_024), '10', 'largest file of state that is stored, MiB'),
  botNatsUrl: setting(
    'BOT_NATS_URL',
    matching(/^\S+$/, 'an address such as nats://user:password@host:4222'),
    '',
    'server to which bots publish their output (the0.bot.logs.<id>); use a user that may do nothing else',
    true,
  ),
  minioUseSsl: setting('MINIO_USE_SSL', flag, 'false', 'TLS to the S3 server; MINIO_SSL is another name', false, [
    'MINIO_SSL',
  ]),
  minioCaFile: setting(
    'MINIO_CA_FILE',
    matching(/./, 'a file'),
    '',
    'certificate authority of the S3 server (PEM), in addition to the usual ones',
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
    matching(INSTALL_ID, INSTALL_ID_WORDS),
    '',
    'name of this install on the engine; generated once when not set',
  ),
  foreignInstalls: setting(
    'FOREIGN_INSTALLS',
    oneOf(['wait', 'ignore']),
    'wait',
    'what a start does while another install of drover runs a bot of the same id on this engine: wait until that has ended, or ignore it',
  ),
  httpHost: setting('HTTP_HOST', matching(/^\S+$/, 'an address'), '127.0.0.1', 'address on which the API listens'),
  httpPort: setting('HTTP_PORT', whole(0, 65_535), '8080', 'port of the API; 0 takes any'),
  apiToken: setting(
    'API_TOKEN',
    matching(/^\S{8,}$/, 'at least 8 characters without spaces'),
    '',
    'bearer token of the API; required when the API does not listen on loopback',
    true,
  ),
  queryServerHost: setting(
    'QUERY_SERVER_HOST',
    matching(/^\S+$/, 'an address'),
    '127.0.0.1',
    'address on which the query server listens',
  ),
  queryServerPort: setting('QUERY_SERVER_PORT', whole(0, 65_535), '9477', 'port of the query server; 0 takes any'),
  queryServerOpen: setting(
    'QUERY_SERVER_OPEN',
    flag,
    'false',
    'the query server does not require API_TOKEN; callers made for the0 send no token',
  ),
  queryReach: setting(
    'QUERY_REACH',
    oneOf(['auto', 'address', 'published']),
    'auto',
    'how queries reach a running bot: at the address of its container, or at a port published on loopback (Docker Desktop), which it gets at its next start',
  ),
  queryTimeout: setting('QUERY_TIMEOUT', duration(100), '30s', 'timeout of a query that does not set one'),
  queryMaxTimeout: setting('QUERY_MAX_TIMEOUT', duration(1_000), '5m', 'longest timeout that a query may set'),
  queryMaxBodyKb: setting('QUERY_MAX_BODY_KB', whole(1, 4_096), '1024', 'largest body of a query, KiB'),
  queryMaxReplyMb: setting('QUERY_MAX_REPLY_MB', whole(1, 4_096), '64', 'largest reply of a bot, MiB'),
  queryInFlight: setting('QUERY_IN_FLIGHT', whole(1, 1_024), '64', 'concurrent queries to one running bot, at most'),
  queryWarmTtl: setting(
    'QUERY_WARM_TTL',
    duration(0),
    '60s',
    'time that an idle query container waits for the next query; 0 removes it at once',
  ),
  queryContainers: setting(
    'QUERY_CONTAINERS',
    whole(1, 64),
    '4',
    'largest number of query containers for bots that do not run',
  ),
  queryQueue: setting('QUERY_QUEUE', whole(0, 10_000), '16', 'queries waiting for a query container; more get 429'),
  logLevel: setting('LOG_LEVEL', oneOf(['DEBUG', 'INFO', 'WARN', 'ERROR']), 'INFO', 'lowest level that drover logs'),
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
  maxCrashes: setting('MAX_CRASHES', whole(1, 50), '10', 'drover gives up after this many crashes in CRASH_WINDOW'),
  crashWindow: setting('CRASH_WINDOW', duration(1), '10m', 'window in which crashes are counted'),
  startDeadline: setting('START_DEADLINE', duration(1_000), '2m', 'longest time in `starting`'),
  killDeadline: setting('KILL_DEADLINE', duration(1_000), '30s', 'longest time in `stopping` after SIGKILL was due'),
  gcGrace: setting(
    'GC_GRACE',
    duration(0),
    '24h',
    'time for which the state, logs and volumes of a deleted bot are kept',
  ),
  gcPort: setting('GC_PORT', whole(0, 65_535), '8084', 'health port of `drover gc --interval`; 0 takes any'),
  startsInFlight: setting(
    'DOCKER_STARTS_IN_FLIGHT',
    whole(1, 64),
    '4',
    'number of containers that are started at the same time; more than a few are slower',
  ),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** Flag of a setting: RECONCILE_INTERVAL → --reconcile-interval. The same word with `_` is the key in the file. */
export const flagOf = (name: SettingName): string => `--${SETTINGS[name].env.toLowerCase().replaceAll('_', '-')}`;
export const fileKeyOf = (name: SettingName): string => SETTINGS[name].env.toLowerCase();

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];
