"""Some of a directory's entries, chosen for one zip file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from jupyter_tapis_jobs.engine.download import open_download
from jupyter_tapis_jobs.transports.local import LocalTransport


async def packed(folder: Path, *only: str) -> set[str]:
    """Return the names in the zip file of *folder*, of these entries only."""
    found = await open_download(LocalTransport(), str(folder), as_zip=True, only=only, hidden=("secret",))
    data = b"".join([chunk async for chunk in found.chunks])
    return set(zipfile.ZipFile(io.BytesIO(data)).namelist())


async def test_only_the_chosen_entries_are_packed_with_all_that_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "runs" / "deep").mkdir(parents=True)
    (tmp_path / "runs" / "deep" / "a.txt").write_text("a")
    for name in ("a.txt", "b, c.txt", "secret"):
        (tmp_path / name).write_text("x")
    assert await packed(tmp_path, "runs", "b, c.txt") == {
        "b, c.txt",
        "runs/",
        "runs/deep/",
        "runs/deep/a.txt",
    }
    assert await packed(tmp_path, "a.txt", "secret", "../x", "none") == {"a.txt"}
