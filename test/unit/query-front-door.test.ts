/** What queries are told while the stores are waited for: that it passes, in the form that their callers know (contract §8.3). */
import { describe, expect, it } from 'vitest';
import { createFrontDoor } from '../../src/api/front-door.ts';

const ask = async (path: string, method = 'GET') => {
  const front = createFrontDoor();
  front.waitFor('spec-store', 'refused');
  const answer = await front.fetch(new Request(`http://127.0.0.1${path}`, { method }));
  const { status, headers } = answer;
  return { status, retryAfter: headers.get('retry-after'), body: await answer.json() };
};
const error = 'spec-store: refused';

describe('queries at the front door', () => {
  it('POST /query: the reference’s form', async () => {
    const stamp = { duration: expect.any(Number) as number, timestamp: expect.any(String) as string };
    const body = { status: 'error', error, ...stamp };
    expect(await ask('/query', 'POST')).toEqual({ status: 503, retryAfter: '1', body });
  });

  it.each(['/v1/bots/b/query/x', '/v1/bots/b/query', '/v1/bots/a%20b/query/x/y?z=1'])('%s: ours', async (path) => {
    const { status, retryAfter, body } = await ask(path);
    expect({ status, retryAfter }).toEqual({ status: 503, retryAfter: '1' });
    expect(body).toMatchObject({ status: 'error', error, code: 'STORE_UNAVAILABLE', botState: null, retryable: true });
  });

  it('all else: the API’s', async () => {
    const body = { error: { code: 'STORE_UNAVAILABLE', message: error } };
    expect(await ask('/v1/bots')).toMatchObject({ status: 503, retryAfter: '1', body });
  });
});
