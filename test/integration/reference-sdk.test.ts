/** A bot as it was written for the reference, with the reference's SDK: state, metrics, its end, and its query server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { referenceSdk } from '../support/reference-sdk.ts';
import { docker, startSpine, zipOf, type Spine } from '../support/spine.ts';

const sdk = await referenceSdk();

const MAIN = `import time
from the0 import error, metric, parse, state
def main(bot_id, config):
    again, own = parse()
    assert (again, own) == (bot_id, config)
    count = state.get("count", 0) + 1
    state.set("count", count)
    print("run", count, "with", state.list(), flush=False)
    metric("runs", {"count": count})
    if config.get("fail"):
        error("told to fail")
    time.sleep(600)
`;
const QUERY = `import os
from the0 import query, state
@query.handler("/count")
def count(req):
    return {"count": state.get("count"), "times": int(req.get("times", "1")), "config": query.get_config()["symbol"]}
@query.handler("/die")
def die(req):
    print("the query server dies", flush=True)
    os._exit(9)
query.run()
`;

describe.skipIf(sdk === undefined)('a bot with the reference’s SDK', () => {
  let spine: Spine;
  beforeAll(async () => {
    spine = await startSpine({ policy: { backoffFirstMs: 30_000, backoffMaxMs: 30_000 } });
    await spine.stores.archives.putCode('test/sdk/1.0.0', zipOf({ ...sdk, 'main.py': MAIN, 'query.py': QUERY }));
  });
  afterAll(() => spine.end());

  const custom = { runtime: 'python3.11', entrypoints: { bot: 'main.py', query: 'query.py' } };
  const put = (config: object) =>
    spine.put('sdk', spine.document('sdk', { custom, config: { symbol: 'BTC', ...config } }));
  const logs = async (id: string | null) =>
    (await docker.getContainer(id ?? '').logs({ stdout: true, stderr: true })).toString();
  const ask = async (id: string | null, path: string): Promise<unknown> => {
    const { NetworkSettings } = await docker.getContainer(id ?? '').inspect();
    const [network] = Object.values(NetworkSettings.Networks);
    const answer = await fetch(`http://${network?.IPAddress ?? ''}:9476${path}`);
    return answer.json();
  };

  it('keeps its state over a new version of its configuration, and prints its metrics', async () => {
    await put({ round: 1 });
    const first = await spine.reaches('sdk', 'running');
    await expect.poll(() => logs(first.containerId)).toContain('run 1 with');
    await put({ round: 2 });
    const second = await spine.reaches('sdk', 'running', ({ containerId }) => containerId !== first.containerId);
    await expect.poll(() => logs(second.containerId)).toContain("run 2 with ['count']");
    await expect.poll(() => logs(second.containerId)).toMatch(/"_metric": ?"runs"/);
  });

  it('answers queries on 9476 from its live state, and again after its query server died', async () => {
    const { containerId } = await spine.reaches('sdk', 'running');
    const answers = () => ask(containerId, '/count?times=3').catch(() => undefined);
    const expected = { status: 'ok', data: { count: 2, times: 3, config: 'BTC' } };
    await expect.poll(answers).toEqual(expected);
    await ask(containerId, '/die').catch(() => undefined);
    await expect.poll(answers).toEqual(expected);
    expect(spine.bot('sdk')).toMatchObject({ state: 'running', containerId });
    // Its words, and ours about it, are in the bot's own log.
    const read = await docker.getContainer(containerId ?? '').exec({
      Cmd: ['cat', '/var/the0/logs/bot.log'],
      AttachStdout: true,
    });
    const stream = await read.start({});
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await expect.poll(() => text).toMatch(/the query server dies[\s\S]*query server ended \(9\)/);
  });

  it('ends as failed by `error()`, with the query server gone beside it', async () => {
    await put({ fail: true });
    const find = () =>
      spine.told.flatMap(({ botId, event }) =>
        botId === 'sdk' && event.type === 'ContainerExited' && event.class === 'appError' ? [event] : [],
      );
    await expect.poll(find).not.toEqual([]);
    const [exit] = find();
    expect(exit).toMatchObject({ exitCode: 1 });
    expect(exit?.logTail.join('\n')).toContain('run 3 with');
  });
});
