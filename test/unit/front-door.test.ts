/** What answers while a server is waited for (fault R6). */
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { createFrontDoor } from '../../src/api/front-door.ts';

describe('the front door', () => {
  const ask = async (front: ReturnType<typeof createFrontDoor>, path: string) => {
    const answer = await front.fetch(new Request(`http://127.0.0.1${path}`));
    return { status: answer.status, text: await answer.text() };
  };
  it('is alive and not ready, and says why to all', async () => {
    const front = createFrontDoor();
    expect(await ask(front, '/healthz')).toEqual({ status: 200, text: 'ok' });
    expect(await ask(front, '/livez')).toEqual({ status: 200, text: 'ok' });
    expect(await ask(front, '/readyz')).toEqual({ status: 503, text: 'not ready' });
    front.waitFor('spec-store', 'MongoDB does not answer: refused');
    expect((await ask(front, '/readyz?verbose')).text).toContain('MongoDB does not answer');
    const refused = await ask(front, '/v1/bots');
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.text)).toMatchObject({
      error: { code: 'STORE_UNAVAILABLE', message: 'spec-store: MongoDB does not answer: refused' },
    });
  });
  it('hands everything on once it is open', async () => {
    const front = createFrontDoor();
    const app = new Hono();
    app.get('/v1/bots', (context) => context.json([]));
    front.open(app);
    expect(await ask(front, '/v1/bots')).toEqual({ status: 200, text: '[]' });
    expect((await ask(front, '/healthz')).status).toBe(404);
  });
});
