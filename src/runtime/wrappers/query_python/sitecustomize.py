"""
Found by PYTHONPATH in a Python that is started before its query is known: holds it until the query's variables come by
descriptor 3, and leaves no trace. Then Python runs the query program by itself, as for `python3 <file>` (contract §6.1).
"""

import os
import sys

GATE = 3


def read_variables():
    """`NAME=value` sets, `NAME` removes; each ends with a NUL, all of them with one more."""
    data = b""
    while not data.endswith(b"\0\0"):
        part = os.read(GATE, 1 << 16)
        # Whoever started us is gone.
        if not part:
            os._exit(1)
        data += part
    return data[:-2].split(b"\0")


for entry in read_variables():
    name, is_set, value = entry.partition(b"=")
    if is_set:
        os.environb[name] = value
    else:
        os.environb.pop(name, None)
os.write(GATE, b"!")
os.close(GATE)

# The code was not there yet when Python looked into its folders.
for folder in sys.path:
    sys.path_importer_cache.pop(folder, None)
sys.path.remove(os.path.dirname(__file__))
# Whichever would have been found without us: of the bot, of the system, or none.
del sys.modules["sitecustomize"]
import sitecustomize  # noqa: E402, F401
