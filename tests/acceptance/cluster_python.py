"""How notebooks reach the rig: its login host, and a Python for its nodes, whose users may not read ours."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from rig.rig import Rig

#: What the models need; OpenSeesPy where the tests have it.
PACKAGES = ("numpy", "numpy.libs", "openseespy", "openseespylinux", "openseespylinux.libs")
#: What Dask needs.
DASK = (
    *("click", "cloudpickle", "dask", "distributed", "fsspec", "jinja2", "locket", "markupsafe", "msgpack"),
    *("packaging", "partd", "psutil", "sortedcontainers", "tblib", "tlz", "toolz", "tornado", "urllib3"),
    *("importlib_metadata", "lazy_importer", "yaml", "zict", "zipp"),
    "dask_jobqueue",
)


@contextmanager
def cluster_environment(rig: Rig) -> Iterator[dict[str, str]]:
    """Give the variables by which a notebook finds the rig's login host, and a Python on it."""
    login = rig.hosts["login1"]
    keys = subprocess.run(
        ["ssh-keygen", "-l", "-f", rig.known_hosts, "-F", f"[{login.host}]:{login.port}"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    # The rig's users may not look into pytest's own folders.
    folder = Path(tempfile.mkdtemp(prefix="tapisjobs-python-"))
    try:
        yield {
            "TAPISJOBS_HOST": login.host,
            "TAPISJOBS_PORT": str(login.port),
            "TAPISJOBS_USER": login.user,
            "TAPISJOBS_KEY": str(rig.key),
            "TAPISJOBS_TRUST": next(word for word in keys.split() if word.startswith("SHA256:")),
            "TAPISJOBS_PYTHON": str(cluster_python(rig, folder)),
        }
    finally:
        shutil.rmtree(folder)


def cluster_python(rig: Rig, folder: Path, names: Sequence[str] = PACKAGES) -> Path:
    """Return a program in *folder*, which every user may read, that runs the system's Python with *names*."""
    version = rig.ssh("python3 -c 'import sys; print(*sys.version_info[:2])' || echo none").split()
    if tuple(version) != tuple(map(str, sys.version_info[:2])):
        pytest.skip(f"python3 on the rig is {'.'.join(version)}, the packages are here for another version")
    packages = folder / "packages"
    for name in names:
        for source in (_site_packages() / name, *_site_packages().glob(f"{name}-*.dist-info")):
            if source.is_dir():
                shutil.copytree(
                    source, packages / source.name, ignore=shutil.ignore_patterns("tests", "__pycache__")
                )
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={packages}:$PYTHONPATH exec python3 "$@"\n')
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o755 if path.is_dir() or path == program else 0o644))
    return program


def _site_packages() -> Path:
    found = importlib.util.find_spec("numpy")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parents[1]
