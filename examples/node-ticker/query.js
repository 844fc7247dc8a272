/** Answers questions about the bot: from beside it while it runs, else once for one question. An SDK writes this for you. */
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const ticks = () => {
  try {
    return JSON.parse(fs.readFileSync(path.join(process.env.STATE_DIR, 'ticks.json'), 'utf8'));
  } catch {
    return 0;
  }
};

const handlers = {
  '/health': () => ({ status: 'ok' }),
  '/info': () => ({ available_queries: Object.keys(handlers) }),
  '/ticks': (params) => ({ ticks: ticks(), symbol: JSON.parse(process.env.BOT_CONFIG).symbol, asked: params }),
};

const answer = (route, params) => {
  const handler = handlers[route];
  if (handler === undefined) {
    return { status: 'error', error: `No handler for path: ${route}`, available: Object.keys(handlers) };
  }
  try {
    return { status: 'ok', data: handler(params) };
  } catch (error) {
    return { status: 'error', error: error.message };
  }
};

const { QUERY_PATH, QUERY_PARAMS } = process.env;
if (QUERY_PATH !== undefined) {
  const result = answer(QUERY_PATH, JSON.parse(QUERY_PARAMS));
  fs.writeFileSync('/query/result.json', JSON.stringify(result));
  process.exit(result.status === 'ok' ? 0 : 1);
}

http
  .createServer((request, response) => {
    const url = new URL(request.url, 'http://bot');
    const result = answer(url.pathname, Object.fromEntries(url.searchParams));
    const status = result.status === 'ok' ? 200 : result.available === undefined ? 500 : 404;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(result));
  })
  .listen(9476);
