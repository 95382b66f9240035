"""Python imports this first, with this folder on its path: a clock that a test can set.

The offset in seconds is the modification time of the file that TAPISJOBS_TEST_CLOCK names. What counts
seconds (``time.monotonic``) is left alone, as when somebody sets a machine's clock.
"""

import os
import time

_FILE = os.environ.get("TAPISJOBS_TEST_CLOCK")
_time, _time_ns = time.time, time.time_ns

if _FILE:
    time.time = lambda: _time() + os.stat(_FILE).st_mtime
    time.time_ns = lambda: _time_ns() + os.stat(_FILE).st_mtime_ns
