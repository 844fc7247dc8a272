import json
import os
import random
import time
from datetime import datetime, timezone

FILE = os.path.join(os.environ["STATE_DIR"], "ticks.json")


def load():
    try:
        with open(FILE, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return 0


def save(ticks):
    os.makedirs(os.path.dirname(FILE), exist_ok=True)
    with open(FILE, "w", encoding="utf-8") as file:
        json.dump(ticks, file)


def main(bot_id, config):
    """Called by the runtime with the bot's id and its configuration."""
    ticks = load()
    prices = [3000.0]
    print(f"{bot_id} goes on at tick {ticks}")
    while True:
        ticks += 1
        prices.append(prices[-1] * (1 + random.uniform(-0.001, 0.001)))
        window = prices[-config["lookback"] :]
        momentum = window[-1] / window[0] - 1
        save(ticks)
        print(f"{config['symbol']} {prices[-1]:.2f} momentum {momentum:+.4%}")
        now = datetime.now(timezone.utc).isoformat()
        print(json.dumps({"_metric": "momentum", "value": momentum, "ticks": ticks, "timestamp": now}))
        time.sleep(config["interval_ms"] / 1000)
