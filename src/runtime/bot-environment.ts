/** The environment of the bot's process: contract §1.3. Pure. What is ours, or opens a door, stays outside. */
import type { RuntimeConfig } from './config.ts';
import { HOME_VARIABLES } from './home.ts';
import { configVariables } from './large-config.ts';

/** Never handed on: keys of the platform, and our own settings. A query path would put SDKs into query mode. */
const WITHHELD =
  /^(DROVER_|MINIO_|NATS_|BOT_NATS_|MAX_STATE_|MONGO_|AWS_|QUERY_PATH$|QUERY_PARAM|QUERY_RESULT_KEY$|MALLOC_TRIM_THRESHOLD_$)/;

export const botEnvironment = (config: RuntimeConfig): Record<string, string> => {
  const { botId, runtime, entrypoint, stateDir, codePath, botType, env } = config;
  const inherited = Object.fromEntries(Object.entries(env).filter(([name]) => !WITHHELD.test(name)));
  const python = runtime === 'python3.11';
  const pythonPath = [`${codePath}/vendor`, codePath, env['PYTHONPATH']].filter(
    (part) => part !== undefined && part !== '',
  );
  const made = {
    ...inherited,
    ...HOME_VARIABLES,
    ID: botId,
    BOT_ID: botId,
    STATE_DIR: stateDir,
    CODE_MOUNT_DIR: codePath.replace(/^\/+/, ''),
    SCRIPT_PATH: entrypoint,
    ENTRYPOINT_TYPE: 'bot',
    BOT_TYPE: botType,
    ...(python
      ? // Unbuffered: what a bot printed before it was killed must have left it (pitfall 44).
        { PYTHONPATH: pythonPath.join(':'), PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' }
      : {}),
  };
  return { ...made, ...configVariables(config, made) };
};
