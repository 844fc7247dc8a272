"""Says how often the bot ran, between its runs: started once for one question. An SDK writes this for you."""

import json
import os
import sys


def runs(params):
    try:
        with open(os.path.join(os.environ["STATE_DIR"], "runs.json")) as file:
            return {"runs": json.load(file)}
    except FileNotFoundError:
        return {"runs": 0}


HANDLERS = {"/runs": runs, "/info": lambda params: {"available_queries": sorted(HANDLERS)}}

path = os.environ["QUERY_PATH"]
handler = HANDLERS.get(path)
if handler is None:
    result = {"status": "error", "error": f"No handler for path: {path}", "available": sorted(HANDLERS)}
else:
    result = {"status": "ok", "data": handler(json.loads(os.environ["QUERY_PARAMS"]))}
with open("/query/result.json", "w") as file:
    json.dump(result, file)
sys.exit(0 if result["status"] == "ok" else 1)
