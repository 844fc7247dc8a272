/** Bots that keep something and say what they found: what they print is held against what the next start finds. */

const PRELUDE = `const fs = require('fs'), path = require('path');
const dir = process.env.STATE_DIR; fs.mkdirSync(dir, { recursive: true });
const keep = (name, value) => { const to = path.join(dir, name); fs.writeFileSync(to + '.new', value); fs.renameSync(to + '.new', to); };
const kept = (name) => { try { return fs.readFileSync(path.join(dir, name), 'utf8'); } catch { return 'nothing'; } };
`;

/** Says what it found, then counts on, keeps each number, and says it once it is kept. Ends at once on SIGTERM. */
export const COUNTING = `${PRELUDE}exports.main = async () => {
  const found = kept('count.json'); console.log('found ' + found);
  let count = Number(found) || 0;
  process.on('SIGTERM', () => process.exit(0));
  setInterval(() => { count += 1; keep('count.json', String(count)); console.log('kept ' + count); }, 50);
  await new Promise(() => {});
};`;

/** Keeps one word at its start and another in its SIGTERM handler. */
export const GOODBYE = `${PRELUDE}exports.main = async () => {
  console.log('found ' + kept('word.json'));
  keep('word.json', 'hello');
  process.on('SIGTERM', () => { keep('word.json', 'goodbye'); process.exit(0); });
  setInterval(() => {}, 1000); await new Promise(() => {});
};`;

/** Keeps what its configuration says under \`word\`, prints what it found, and waits. */
export const KEEPING = `${PRELUDE}exports.main = async (id, config) => {
  console.log('found ' + kept('word.json'));
  if (config.word !== undefined) keep('word.json', config.word);
  if (config.clear) for (const name of fs.readdirSync(dir)) fs.rmSync(path.join(dir, name));
  process.on('SIGTERM', () => process.exit(0));
  setInterval(() => console.log('beat'), 500); await new Promise(() => {});
};`;

/** Runs the shell script \`script\` beside a heartbeat. */
export const shellBot = (script: string): string => `${PRELUDE}exports.main = async () => {
  process.on('SIGTERM', () => process.exit(0));
  require('child_process').spawn('sh', ['-c', ${JSON.stringify(script)}], { stdio: 'inherit' });
  setInterval(() => console.log('beat'), 500); await new Promise(() => {});
};`;
