"""A Python for jobs on the rig's nodes, whose users may not read the one that runs the tests."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest
from rig.rig import Rig

#: What the models need; OpenSeesPy where the tests have it.
PACKAGES = ("numpy", "numpy.libs", "openseespy", "openseespylinux", "openseespylinux.libs")


def cluster_python(rig: Rig, folder: Path) -> Path:
    """Return a program in *folder*, which every user may read, that runs the system's Python with numpy."""
    version = rig.ssh("python3 -c 'import sys; print(*sys.version_info[:2])' || echo none").split()
    if tuple(version) != tuple(map(str, sys.version_info[:2])):
        pytest.skip(f"python3 on the rig is {'.'.join(version)}, numpy is here for another version")
    packages = folder / "packages"
    for name in PACKAGES:
        source = _site_packages() / name
        if source.is_dir():
            shutil.copytree(source, packages / name)
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={packages} exec python3 "$@"\n')
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o755 if path.is_dir() or path == program else 0o644))
    return program


def _site_packages() -> Path:
    found = importlib.util.find_spec("numpy")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parents[1]
