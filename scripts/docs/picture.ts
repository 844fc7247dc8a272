/** `npm run docs:picture`: a real session with a bot, drawn as docs/images/demo.svg. Needs an engine and the bot image. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import pc from 'picocolors';
import { dockerAt } from '../docker-at.ts';
import { ensureBotImage } from '../build-image.ts';
import { runDrover, startDrover } from '../drover-process.ts';
import { ensureEngine } from '../ensure-engine.ts';
import { freePort } from '../free-port.ts';
import { removeInstall } from '../remove-install.ts';
import { until } from '../until.ts';
import { terminalPicture } from './terminal-picture.ts';

const TARGET = resolve(import.meta.dirname, '../../docs/images/demo.svg');
const BOT = 'ticker';
const DOCUMENT = `id: ticker
config: { name: ticker, type: realtime/ticker, version: 1.0.0, symbol: BTC-USD }
custom:
  version: 1.0.0
  config: { runtime: python3.11, entrypoints: { bot: main.py } }
`;
const CODE = `import time

def main(bot_id, config):
    while True:
        print(f"{bot_id} watches {config['symbol']}")
        time.sleep(5)
`;

const progress = (): void => undefined;
const { host } = await ensureEngine(progress);
const docker = dockerAt(host);
const image = await ensureBotImage({ docker, progress });
const dataDir = await mkdtemp(join(tmpdir(), 'drover-picture-'));
const install = `pic${randomBytes(3).toString('hex')}`;
const env = {
  DOCKER_HOST: host,
  DROVER_DATA_DIR: join(dataDir, 'data'),
  INSTALL_ID: install,
  FOREIGN_INSTALLS: 'ignore',
  RUNTIME_IMAGE: image,
  FORCE_COLOR: '1',
};
const shown: string[] = [];
const type = (command: string): number => shown.push(`${pc.green('$')} ${pc.bold(command)}`);

try {
  const folder = join(dataDir, BOT);
  await mkdir(folder);
  await writeFile(join(folder, 'bot.yaml'), DOCUMENT);
  await writeFile(join(folder, 'main.py'), CODE);
  const drover = await startDrover({ port: await freePort(), env });
  const run = async (...args: string[]): Promise<string> => runDrover(args, { ...env, DROVER_URL: drover.url });
  const isRunning = async (): Promise<string | undefined> => {
    const bot = await drover.bot(BOT);
    return bot?.state === 'running' ? (bot.containerId ?? undefined) : undefined;
  };
  try {
    type('drover apply ticker');
    shown.push((await run('apply', folder)).trimEnd());
    const first = await until(isRunning, { otherwise: () => 'the bot does not run' });
    type('docker kill drover-…-bot-ticker');
    await docker.getContainer(first).kill();
    const again = async (): Promise<string | undefined> => {
      const id = await isRunning();
      return id === first ? undefined : id;
    };
    await until(again, { otherwise: () => 'the bot does not run again' });
    type('drover get');
    shown.push((await run('get')).trimEnd());
    type('drover transitions ticker');
    shown.push((await run('transitions', BOT, '-o', 'pretty')).trimEnd());
  } finally {
    await drover.end('SIGTERM');
  }
  await mkdir(dirname(TARGET), { recursive: true });
  await writeFile(
    TARGET,
    terminalPicture({ title: 'A bot is applied, killed, and runs again', text: shown.join('\n'), columns: 124 }),
  );
  console.log(TARGET);
} finally {
  await removeInstall(docker, install);
  await rm(dataDir, { recursive: true, force: true });
}
