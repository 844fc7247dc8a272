"""
Runs a Python bot: loads /bot/<SCRIPT_PATH> as module `main`, calls main(bot_id, config) in the main thread, writes result.json,
and ends with the bot's own verdict. What fails inside main is a failure.

SIGTERM reaches the bot as Ctrl-C would: its own handler for SIGTERM or SIGINT, or KeyboardInterrupt in main, so that `finally`
runs; asyncio.run cancels its task. Whoever sent the signal gives the bot its time, and ends it when that is over.

Children of multiprocessing import this file too, as `__mp_main__`: they get the output and the module `main`, and run nothing.
"""

import _thread
import atexit
import builtins
import importlib.abc
import importlib.util
import io
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback

CODE = "/" + os.environ.get("CODE_MOUNT_DIR", "bot")
RESULT = os.path.join(CODE, "result.json")
SCRIPT = os.path.join(CODE, os.environ.get("SCRIPT_PATH", "main.py"))
STATE = os.environ.get("STATE_PATH", "/state").rstrip("/") + "/"

# --- Output: a line is one line, whichever thread prints beside it ---

# A line may be written in pieces. Another thread waits this long for its end.
LINE_SECONDS = 0.05
# Owner of a line that was left unfinished.
NOBODY = 0
plain_print = print


class Pipe(io.FileIO):
    """What `python -u` has below its text, but it writes all that it is given. The lock may be taken again by a signal handler."""

    def __init__(self, fd, name):
        super().__init__(fd, "w", closefd=False)
        self.name = name
        self.lock = threading.RLock()

    def write(self, data):
        left = memoryview(data).cast("B")
        size = len(left)
        with self.lock:
            while left:
                left = left[super().write(left) or 0 :]
        return size


class Lines(io.TextIOWrapper):
    """
    Hands everything on at once, so that what a bot printed before it was killed has left it. The line that a thread has begun is
    not continued by another one: it waits a moment for the end, and then begins a line of its own.
    """

    def __init__(self, fd, old):
        super().__init__(Pipe(fd, old.name), old.encoding, old.errors, newline="\n", write_through=True)
        self.mode = "w"
        self.forget()

    def forget(self):
        self.buffer.lock = threading.RLock()
        # The thread whose line is open, and until when its end is expected.
        self.owner = None
        self.until = 0.0
        # Threads whose line was ended by another one.
        self.ended = set()

    def is_foreign(self):
        return self.owner is not None and self.owner != _thread.get_ident()

    def write(self, text):
        if not isinstance(text, str) or text == "":
            return super().write(text)
        while self.is_foreign() and time.monotonic() < self.until:
            time.sleep(0.0005)
        with self.buffer.lock:
            me = _thread.get_ident()
            if me in self.ended:
                self.ended.discard(me)
                if text == "\n":
                    return 1
            if self.is_foreign():
                self.ended.add(self.owner)
            whole = "\n" + text if self.is_foreign() else text
            # If an exception breaks this off.
            self.owner, self.until = NOBODY, 0.0
            super().write(whole)
            self.owner = None if text.endswith("\n") else me
            # A line that is written over itself never ends soon.
            self.until = 0.0 if "\r" in text else time.monotonic() + LINE_SECONDS
        return len(text)

    def flush(self):
        super().flush()
        # Who flushes in the middle of a line does not end it at once.
        if self.owner == _thread.get_ident():
            self.until = 0.0


def print_whole(*values, sep=" ", end="\n", file=None, flush=False):
    """`print`, which writes a text and its newline one after the other, in one piece: also beside other processes."""
    target = sys.stdout if file is None else file
    parts = (" " if sep is None else sep, "\n" if end is None else end)
    if not isinstance(target, Lines) or not all(isinstance(part, str) for part in parts):
        plain_print(*values, sep=sep, end=end, file=file, flush=flush)
        return
    target.write(parts[0].join(map(str, values)) + parts[1])
    if flush:
        target.flush()


def take_output():
    try:
        sys.stdout = sys.__stdout__ = Lines(1, sys.stdout)
        sys.stderr = sys.__stderr__ = Lines(2, sys.stderr)
    except (AttributeError, OSError, ValueError):
        return  # Closed by whoever started this process: there is nothing to print to.
    print_whole.__name__ = print_whole.__qualname__ = "print"
    builtins.print = print_whole
    os.register_at_fork(after_in_child=sys.__stdout__.forget)
    os.register_at_fork(after_in_child=sys.__stderr__.forget)


# --- The module `main`, also for children that look for its functions ---


class BotFinder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, _path=None, _target=None):
        if name != "main":
            return None
        spec = importlib.util.spec_from_file_location("main", SCRIPT)
        if spec is None:
            raise ImportError(f"{SCRIPT} cannot be loaded")
        return spec


def prepare():
    take_output()
    logging.basicConfig(level=logging.INFO)
    for folder in (CODE, os.path.join(CODE, "vendor")):
        if folder in sys.path:
            sys.path.remove(folder)
        sys.path.insert(0, folder)
    sys.meta_path.insert(0, BotFinder())


# --- SIGTERM ---

# A file of the state that is just being written is closed first, if that takes no longer. One that is only held open is not
# waited for.
CLOSE_SECONDS = 5.0
IDLE_SECONDS = 0.5
# Threads that write more often than this are interrupted when they open a file.
MEET_SECONDS = 0.25
# Held open by their owners for as long as they run, and safe when those end.
DATABASES = (".db", ".sqlite", ".sqlite3", ".mdb", "-wal", "-shm", "-journal")
plain_open = io.open


class Stop:
    """What is known of a stop."""

    asked_at = None
    # Whether SIGTERM interrupts the main thread.
    is_in_bot = False
    # Whether main had a `try` or `with` around what SIGTERM interrupted, and so may tell its threads.
    is_handled = False
    # Threads that are to be interrupted as soon as they write no state, each with its exception.
    due = {}
    # The file that main has open is not to be waited for any longer.
    is_late = False
    # The process ends: no thread begins another file.
    is_over = False


def open_files():
    """Files of the state that are open for writing, so that their content may be half of what it shall be, and how far each is."""
    found = []
    try:
        numbers = os.listdir("/proc/self/fd")
    except OSError:
        return found
    for number in numbers:
        try:
            path = os.readlink(f"/proc/self/fd/{number}")
            if not path.startswith(STATE) or path.endswith(DATABASES):
                continue
            with plain_open(f"/proc/self/fdinfo/{number}", encoding="ascii") as file:
                info = dict(line.split(":", 1) for line in file if ":" in line)
            flags = int(info["flags"], 8)
            if flags & os.O_ACCMODE and not flags & os.O_APPEND:
                found.append((number, path, info["pos"]))
        except (OSError, KeyError, ValueError):
            pass  # Closed meanwhile.
    return found


class Patience:
    """How long files of the state are waited for."""

    def __init__(self):
        self.begun = self.moved = time.monotonic()
        self.files = None

    def is_over(self):
        files = open_files()
        now = time.monotonic()
        if files != self.files:
            self.files, self.moved = files, now
        return not files or now - self.moved > IDLE_SECONDS or now - self.begun > CLOSE_SECONDS


def wait_until_written():
    """What a thread is just writing into the state becomes whole."""
    patience = Patience()
    while not patience.is_over():
        time.sleep(0.01)


def guarded_open(file, mode="r", *args, **kwargs):
    """`open` during a stop. A thread that writes all the time writes whenever one looks, but not when it opens the next file."""
    if isinstance(mode, str) and set(mode) & set("wax+"):
        me = _thread.get_ident()
        if me in Stop.due and not open_files() and (error := Stop.due.pop(me, None)):
            raise error
        while Stop.is_over and me != threading.main_thread().ident:
            time.sleep(60)
    return plain_open(file, mode, *args, **kwargs)


def guard_open():
    guarded_open.__name__ = guarded_open.__qualname__ = "open"
    builtins.open = io.open = guarded_open


def raise_when_due():
    """In the main thread."""
    if Stop.is_in_bot and (error := Stop.due.pop(_thread.get_ident(), None)):
        raise error


def interrupt_when_written():
    """Interrupts the main thread once no file of the state is open for writing."""
    main = _thread.get_ident()
    Stop.due[main] = KeyboardInterrupt
    guard_open()

    def look():
        patience = Patience()
        while main in Stop.due:
            time.sleep(0.01)
            if patience.is_over():
                Stop.is_late = patience.files != []
                # Runs `on_term` in the main thread, whatever that waits for.
                signal.pthread_kill(main, signal.SIGTERM)

    # No thread that the bot could count.
    _thread.start_new_thread(look, ())


def has_handler(frame):
    """Whether code of the bot in this frame, or in one that called it, is inside a `try` or a `with`."""
    import dis

    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(CODE + "/"):
            entries = dis._parse_exception_table(code)
            if any(entry.start <= frame.f_lasti < entry.end for entry in entries):
                return True
        frame = frame.f_back
    return False


def on_term(_number, frame):
    if Stop.asked_at is not None:
        # A second one must not break off what the bot does to end.
        if Stop.due and (Stop.is_late or not open_files()):
            raise_when_due()
        return
    Stop.asked_at = time.monotonic()
    if not Stop.is_in_bot:
        return
    try:
        Stop.is_handled = has_handler(frame)
    except Exception:  # Nothing that Python promises to have.
        Stop.is_handled = True
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler) and handler is not signal.default_int_handler:
        # The bot's own, or that of asyncio.run, which cancels its task.
        Stop.is_handled = True
        signal.raise_signal(signal.SIGINT)
    elif open_files():
        interrupt_when_written()
    else:
        raise KeyboardInterrupt


def forget_signals():
    """In a child that was forked: SIGTERM ends it, as anywhere, unless the bot says otherwise."""
    Stop.is_in_bot = False
    if signal.getsignal(signal.SIGTERM) is on_term:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


# --- The bot ---


class Verdict:
    """How the bot ended: its exit code, and what goes into result.json unless the SDK wrote one."""

    def __init__(self, status, message, code=0):
        self.status = status
        self.message = message
        self.code = code


SUCCESS = Verdict("success", "Bot executed successfully")
TERMINATED = Verdict("terminated", "the bot was asked to end")


async def wait_for(awaitable):
    return await awaitable


def of_exit(leaving):
    code = leaving.code
    if code is None or code == 0:
        return SUCCESS
    if isinstance(code, int):
        return Verdict("error", str(code), code & 0xFF or 1)
    print(code, file=sys.stderr)
    return Verdict("error", str(code), 1)


def of_error(error):
    if type(error).__name__ in ("KeyboardInterrupt", "CancelledError") and Stop.asked_at is not None:
        return TERMINATED
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    traceback.print_exception(error.with_traceback(frames))
    if isinstance(error, KeyboardInterrupt):
        return Verdict("terminated", "the bot was interrupted", 130)
    return Verdict("error", str(error) or type(error).__name__, 1)


def in_bot(work):
    """Runs a part of the bot, which SIGTERM interrupts. Returns its verdict."""
    try:
        try:
            Stop.is_in_bot = True
            if Stop.asked_at is None:
                work()
            return SUCCESS
        finally:
            Stop.is_in_bot = False
            Stop.due.clear()
    except SystemExit as leaving:
        return of_exit(leaving)
    except BaseException as error:  # whatever ends main is the bot's own failure
        return of_error(error)


def run_main():
    os.chdir(CODE)
    config = json.loads(os.environ.get("BOT_CONFIG") or "{}")
    import main as bot

    if not hasattr(bot, "main"):
        raise AttributeError("the bot has no function main")
    result = bot.main(os.environ.get("BOT_ID"), config)
    if hasattr(result, "__await__"):
        import asyncio

        asyncio.run(wait_for(result))


# --- Threads that outlive main ---


def others():
    """The bot's threads that keep a Python program alive; those of executors end when they are told to."""
    executors = sys.modules.get("concurrent.futures.thread")
    queues = getattr(executors, "_threads_queues", ())
    here = threading.current_thread()
    return [thread for thread in threading.enumerate() if thread is not here and not thread.daemon and thread not in queues]


def interrupt_threads():
    """Raises SystemExit in the bot's threads, so that `finally` runs in them: nobody else tells them."""
    try:
        from ctypes import c_ulong, py_object, pythonapi
    except ImportError:
        return
    threads = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    Stop.due.update((thread.ident, SystemExit) for thread in threads)
    guard_open()
    # Those that write often meet the guard; the others are not just about to write.
    deadline = time.monotonic() + MEET_SECONDS
    while time.monotonic() < deadline and any(
        thread.ident in Stop.due and thread in threading.enumerate() for thread in threads
    ):
        time.sleep(0.005)
    wait_until_written()
    for thread in threads:
        if Stop.due.pop(thread.ident, None):
            pythonapi.PyThreadState_SetAsyncExc(c_ulong(thread.ident), py_object(SystemExit))


def wait_for_threads(grace):
    """
    As Python does at its end. When the bot is to end, threads have most of its grace to hear of it from main, and are interrupted
    then; those that nobody can have told are interrupted at once.
    """
    told_by_main = Stop.asked_at is not None and Stop.is_handled
    is_told = False

    def tell_when_due():
        nonlocal is_told
        if is_told or Stop.asked_at is None:
            return
        if not told_by_main or time.monotonic() - Stop.asked_at > grace * 3 / 4:
            is_told = True
            interrupt_threads()

    def wait(alive):
        while threads := alive():
            tell_when_due()
            # After an interrupted `join`, Python 3.11 takes a thread that runs for one that has ended.
            if threads[0].is_alive():
                threads[0].join(0.2)
            else:
                time.sleep(0.05)

    wait(others)
    # Executors end now, and what threads started meanwhile. From here on no thread can start an executor's work.
    ending = threading.Thread(target=end_executors, daemon=True)
    ending.start()
    wait(lambda: [ending] if ending.is_alive() else [])
    wait(others)


def end_executors():
    for end in reversed(getattr(threading, "_threading_atexits", [])):
        end()


# --- The end ---


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


def end_children():
    """Children that are to run for ever would hold up the end of the bot that started them."""
    processes = sys.modules.get("multiprocessing.process")
    for child in processes.active_children() if processes else []:
        child.terminate()


def leave(code):
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        if threading.active_count() > 1:
            Stop.is_over = True
            guard_open()
            # A file that is just being opened is seen afterwards.
            time.sleep(0.02)
            wait_until_written()
        os._exit(code)


def run(grace):
    before = modified()
    verdict = in_bot(run_main)
    if verdict.code == 0:
        wait_for_threads(grace)
    if Stop.asked_at is not None:
        end_children()
        if verdict is SUCCESS:
            verdict = TERMINATED
    if verdict is TERMINATED or modified() == before:
        write_result(verdict.status, verdict.message)
    leave(verdict.code)


if __name__ == "__main__":
    # Not for the bot, nor for its children.
    grace_ms = os.environ.pop("DROVER_BOT_GRACE_MS", "10000")
    signal.signal(signal.SIGTERM, on_term)
    os.register_at_fork(after_in_child=forget_signals)
    prepare()
    run(int(grace_ms) / 1000)
elif __name__ == "__mp_main__":
    prepare()
