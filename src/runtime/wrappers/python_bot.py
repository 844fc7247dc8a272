"""Runs a Python bot: loads /bot/<SCRIPT_PATH> as module `main`, calls main(bot_id, config) in a daemon thread,
writes result.json, and ends with the bot's own verdict: what fails inside main is a failure."""

import atexit
import importlib.util
import json
import logging
import os
import signal
import sys
import threading
import traceback

CODE = "/" + os.environ.get("CODE_MOUNT_DIR", "bot")
RESULT = os.path.join(CODE, "result.json")

done = threading.Event()
state = {"signal": None, "code": 0, "error": None}


def on_signal(number, _frame):
    # Only a note: taking a lock inside a signal handler may wait for the very code it interrupted.
    state["signal"] = number


def modified():
    try:
        return os.stat(RESULT).st_mtime_ns
    except OSError:
        return None


def write_result(status, message):
    try:
        with open(RESULT, "w", encoding="utf-8") as file:
            json.dump({"status": status, "message": message}, file)
    except OSError as error:
        print(f"RESULT_ERROR: {error}", file=sys.stderr)


def leave(code):
    # What the bot registered to run at its end runs; its own threads must not keep a finished bot alive.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def load():
    sys.path[:0] = [os.path.join(CODE, "vendor"), CODE]
    path = os.path.join(CODE, os.environ.get("SCRIPT_PATH", "main.py"))
    spec = importlib.util.spec_from_file_location("main", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules["main"] = module
    spec.loader.exec_module(module)
    if not hasattr(module, "main"):
        raise AttributeError("the bot has no function main")
    return module.main


def run(main, bot_id, config):
    try:
        main(bot_id, config)
    except SystemExit as leaving:
        code = leaving.code
        if code is not None and code != 0:
            state["code"] = code if isinstance(code, int) else 1
            state["error"] = str(code)
    except BaseException as error:  # whatever ends main is the bot's own failure
        traceback.print_exc()
        state["code"] = 1
        state["error"] = str(error) or type(error).__name__
    finally:
        done.set()


def start():
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    logging.basicConfig(level=logging.INFO)
    try:
        os.chdir(CODE)
        config = json.loads(os.environ.get("BOT_CONFIG") or "{}")
        main = load()
    except SystemExit as leaving:
        leave(leaving.code if isinstance(leaving.code, int) else 1)
    except BaseException as error:
        traceback.print_exc()
        write_result("error", str(error))
        leave(1)
    before = modified()
    thread = threading.Thread(target=run, args=(main, os.environ.get("BOT_ID"), config), daemon=True)
    thread.start()
    while not done.wait(0.2) and state["signal"] is None:
        pass
    if state["signal"] is not None and state["error"] is None:
        write_result("terminated", "the bot was asked to end")
        leave(0)
    if state["error"] is not None:
        if modified() == before:
            write_result("error", state["error"])
        leave(state["code"] & 0xFF or 1)
    if modified() == before:
        write_result("success", "Bot executed successfully")
    leave(0)


start()
