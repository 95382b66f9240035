"""A directory that is closed in the midst of what is downloaded."""

from __future__ import annotations

import pytest

from jupyter_tapis_jobs.engine.download import open_download
from jupyter_tapis_jobs.model.errors import NotAllowedError
from jupyter_tapis_jobs.transports.local import LocalTransport


class Closed(LocalTransport):
    """A host on which listing a tree meets a directory that is not open to the user."""

    async def list(self, path, *, recurse=False, depth=None, limit=None):
        raise PermissionError(13, "Permission denied", f"{path}/closed")


async def test_a_closed_directory_is_told_before_its_zip_file_has_begun(tmp_path):
    packed = await open_download(Closed(), str(tmp_path), as_zip=True, shown="results")
    with pytest.raises(NotAllowedError, match="results is closed to the host user"):
        await anext(packed.chunks)
