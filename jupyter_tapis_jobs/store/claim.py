"""Who has the store open: a lock on a file beside it, gone by itself when the process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Claim:
    """A lock on ``jobs.lock``: exclusive while the store is opened by the first, then shared by all.

    ``alone`` is True when nobody else had the store open. Where the file system has no locks everybody
    is alone.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "jobs.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.alone = self._try_alone()
        if not self.alone:
            # Waits until the first one has made, checked or migrated the store.
            fcntl.flock(self._file, fcntl.LOCK_SH)

    def _try_alone(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def share(self) -> None:
        """Let others open the store too."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH)
        except OSError:
            return

    def release(self) -> None:
        """Tell that this process does not have the store open any more."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
