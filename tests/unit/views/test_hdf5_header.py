"""The header of an HDF5 file, read by a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jupyter_tapis_jobs.server.hdf5_header import header, is_readable

h5py = pytest.importorskip("h5py")


async def header_of(data: bytes) -> str | None:
    """Return the header of a file with these bytes."""

    async def read(offset: int, count: int) -> bytes:
        return data[offset : offset + count]

    return await header(read, len(data))


async def test_groups_datasets_and_attributes_are_told_and_no_link_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["title"] = "pier <b>7</b>"
        level = file.create_dataset("runs/level", (4, 3), "f4", maxshape=(None, 3))
        level.attrs["units"] = "m"
        file["runs/again"] = file["runs"]
        file["secret"] = h5py.ExternalLink("/etc/passwd", "/")
    data = path.read_bytes()
    assert is_readable(data)
    told = (await header_of(data) or "").splitlines()
    assert told == [':title = "pier <b>7</b>"', "runs/", "  level  float32 (4 of any, 3)", '    :units = "m"']


async def test_a_header_far_behind_is_read_without_the_data_before_it(tmp_path: Path) -> None:
    path, asked = tmp_path / "a.h5", 0
    with h5py.File(path, "w") as file:
        file["big"] = np.ones(32 * 1024**2, "u1")
        file["last"] = np.zeros((2, 3), "i4")
    data = path.read_bytes()

    async def read(offset: int, count: int) -> bytes:
        nonlocal asked
        asked += count
        return data[offset : offset + count]

    assert await header(read, len(data)) == "big  uint8 (33554432)\nlast  int32 (2, 3)"
    assert asked < len(data) / 50


async def test_a_damaged_file_harms_nobody(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["level"] = np.ones((40, 30), "f4")
    data = path.read_bytes()
    assert await header_of(data[:200]) is None
    assert await header_of(data[:8] + b"\xff" * 88 + data[96:]) is None
