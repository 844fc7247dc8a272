"""Counts its own runs: each slot of its schedule is one, and the state of one run is where the next begins."""

import json
import os


def main(id, config):
    folder = os.environ["STATE_DIR"]
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "runs.json")
    runs = 0
    if os.path.exists(path):
        with open(path) as file:
            runs = json.load(file)
    runs += 1
    # Written beside and then moved: a kill in between leaves the old number, never half of a new one.
    with open(path + ".new", "w") as file:
        json.dump(runs, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)
    print(f"run {runs} for the slot {os.environ['SCHEDULED_AT']}")
