const fs = require('node:fs');
const path = require('node:path');

const file = path.join(process.env.STATE_DIR, 'ticks.json');

const load = () => {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
};

const save = (ticks) => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(ticks));
};

/** Called by the runtime with the bot's id and its configuration. */
exports.main = async (id, config) => {
  let ticks = load();
  let price = 50_000;
  console.log(`${id} goes on at tick ${ticks}`);
  let stop;
  const stopped = new Promise((resolve) => (stop = resolve));
  process.on('SIGTERM', stop);
  const timer = setInterval(() => {
    ticks += 1;
    price *= 1 + (Math.random() - 0.5) / 500;
    save(ticks);
    console.log(`${config.symbol} ${price.toFixed(2)}`);
    console.log(
      JSON.stringify({ _metric: 'price', symbol: config.symbol, price, ticks, timestamp: new Date().toISOString() }),
    );
  }, config.interval_ms);
  await stopped;
  clearInterval(timer);
  save(ticks);
  console.log(`${id} ends at tick ${ticks}`);
};
