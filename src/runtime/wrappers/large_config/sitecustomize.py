"""
Found by PYTHONPATH where the configuration of a bot is longer than an environment variable may be: shows the file
BOT_CONFIG_FILE as BOT_CONFIG and CONFIG, and leaves no other trace. Programs that Python starts find this module themselves.
"""

import os
import sys


def show(text):
    shown = {"BOT_CONFIG", "CONFIG"}

    class Environ(type(os.environ)):
        """Answers for the two names alone, and does not list them: with them no program could be started any more."""

        def __getitem__(self, key):
            try:
                return super().__getitem__(key)
            except KeyError:
                if key in shown:
                    return text
                raise

        def __delitem__(self, key):
            try:
                super().__delitem__(key)
            except KeyError:
                if key not in shown:
                    raise
            shown.discard(key)

    os.environ.__class__ = Environ


try:
    with open(os.environ["BOT_CONFIG_FILE"], encoding="utf-8", newline="") as file:
        show(file.read())
except (KeyError, OSError) as error:
    print(f"CONFIG_ERROR: {error}", file=sys.stderr)

sys.path.remove(os.path.dirname(__file__))
# Whichever would have been found without us: of the bot, of the system, or none.
del sys.modules["sitecustomize"]
import sitecustomize  # noqa: E402, F401
