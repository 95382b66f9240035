"""The image of the tutorial's classifier: built when first asked for, and kept for later runs."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from rig.containers import FOLDER

SOURCES = Path(__file__).parent.parent.parent / "notebooks" / "image-classifier"
#: What fetches packages, as the script names it when it fails.
FETCH = ("apt-get", f"{sys.executable} -m pip")


def classifier_image() -> Path:
    """Return the SIF file, which every user may read; skips the test where it cannot be built.

    It is another file whenever what it is made of has changed.
    """
    sources = b"".join(path.read_bytes() for path in sorted(SOURCES.glob("*.py")))
    image = FOLDER / f"img-classify-{hashlib.sha256(sources).hexdigest()[:12]}.sif"
    with (FOLDER / "img-classify.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not image.exists():
            _build(image)
    return image


def _build(image: Path) -> None:
    for old in FOLDER.glob("img-classify-*.sif"):
        old.unlink()
    new = image.with_suffix(".new")
    done = subprocess.run(
        [sys.executable, SOURCES / "build_image.py", new], capture_output=True, text=True, timeout=400
    )
    if any(f"build_image.py: {tool}" in done.stderr for tool in FETCH):
        pytest.skip(f"packages for the classifier's image cannot be had: {done.stderr[-600:]}")
    assert done.returncode == 0, done.stderr
    new.chmod(0o755)
    new.rename(image)
