/** Query programs for tests: what the SDK does, and what no SDK would do. */

/**
 * Answers ephemerally as the SDK does (contract §8.2), and on 9476 when it is started for a running bot (§8.1). What hangs
 * blocks its event loop and takes no processor from the others. A query without an answer shows in the process's title.
 */
export const SDK_LIKE = `const fs = require('fs');
const http = require('http');
const dir = process.env.STATE_DIR;
const { QUERY_PATH } = process.env;
const readOnly = QUERY_PATH !== undefined;
const state = {
  get: (key, otherwise) => { try { return JSON.parse(fs.readFileSync(dir + '/' + key + '.json')); } catch { return otherwise; } },
  set: (key, value) => {
    if (readOnly) { const error = new Error('state is read-only during queries'); error.name = 'ReadOnlyStateError'; throw error; }
    fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(dir + '/' + key + '.json', JSON.stringify(value));
  },
};
const handlers = {
  '/echo': (params) => ({ params, bot: process.env.BOT_ID, config: JSON.parse(process.env.BOT_CONFIG).version }),
  '/count': () => ({ count: state.get('count', 0) }),
  '/guard': () => state.set('count', 99),
  '/force': () => { fs.writeFileSync('/state/forced', 'x'); return 'written'; },
  '/fail': () => { throw new Error('told to fail'); },
  '/exit': () => process.exit(7),
  '/hang': () => { process.title = 'hangs'; Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); },
  '/big': ({ mb }) => 'x'.repeat(Number(mb) * 1024 * 1024),
  '/types': (params) => Object.fromEntries(Object.entries(params).map(([name, value]) => [name, typeof value])),
};
const run = (path, params) => {
  const handler = handlers[path];
  if (handler === undefined) return { status: 'error', error: 'No handler for path: ' + path, available: Object.keys(handlers) };
  try { return { status: 'ok', data: handler(params) }; } catch (error) { return { status: 'error', error: error.message }; }
};
if (readOnly) {
  const result = run(QUERY_PATH, JSON.parse(process.env.QUERY_PARAMS));
  fs.writeFileSync('/query/result.json', JSON.stringify(result));
  process.exit(result.status === 'ok' ? 0 : 1);
}
http.createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  if (url.pathname === '/mute') { process.title = 'mutes'; return; }
  let body = '';
  request.on('data', (chunk) => (body += chunk)).on('end', () => {
    if (url.pathname === '/body') { response.end(JSON.stringify({ status: 'ok', data: body })); return; }
    const result = run(url.pathname, Object.fromEntries(url.searchParams));
    const status = result.status === 'ok' ? 200 : result.available === undefined ? 500 : 404;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(result));
  });
}).listen(9476, '0.0.0.0');
`;

/** Counts its starts in its state, in the SDK's place, says so, and runs until it is told to end. */
export const COUNTING = `const fs = require('fs');
exports.main = async () => {
  process.on('SIGTERM', () => process.exit(0));
  const dir = process.env.STATE_DIR;
  fs.mkdirSync(dir, { recursive: true });
  let count = 0;
  try { count = JSON.parse(fs.readFileSync(dir + '/count.json')); } catch {}
  fs.writeFileSync(dir + '/count.json', JSON.stringify(count + 1));
  console.log('counted ' + (count + 1));
  setInterval(() => undefined, 1000);
  await new Promise(() => {});
};`;

/** A query server that is wrong in a way that the path says (fault R38). */
export const WRONG_SERVER = `const net = require('net');
const big = Buffer.alloc(1024 * 1024, 'x');
const write = (socket, data) => new Promise((go) => { if (socket.destroyed || socket.write(data)) go(); else { socket.once('drain', go); socket.once('close', go); } });
net.createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', async (data) => {
    const path = data.toString().split(' ')[1].split('?')[0];
    if (path === '/slow') return;
    if (path === '/garbage') return socket.end('hello there\\r\\n\\r\\n');
    if (path === '/half') return socket.write('HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: 500\\r\\n\\r\\n{"status":', () => socket.destroy());
    if (path === '/not-json') return socket.end('HTTP/1.1 200 OK\\r\\nconnection: close\\r\\ncontent-length: 6\\r\\n\\r\\n<html>');
    if (path === '/error') return socket.end('HTTP/1.1 500 Oh\\r\\nconnection: close\\r\\ncontent-length: 35\\r\\n\\r\\n{"status":"error","error":"no luck"}');
    if (path === '/die') process.exit(9);
    if (path === '/large') {
      socket.write('HTTP/1.1 200 OK\\r\\ncontent-type: text/plain\\r\\n\\r\\n');
      for (let sent = 0; sent < 100 && !socket.destroyed; sent += 1) await write(socket, big);
      return socket.end();
    }
    socket.end('HTTP/1.1 200 OK\\r\\nconnection: close\\r\\ncontent-length: 24\\r\\n\\r\\n{"status":"ok","data":1}');
  });
}).listen(9476, '0.0.0.0');
`;
