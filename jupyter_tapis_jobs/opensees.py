"""OpenSeesPy for the demo: found, or fetched into a folder of its own; the package does not depend on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "jupyter-tapis-jobs"
EXTRA = "opensees"
#: Seconds that the download and the first import may take: the demo shall be over in two minutes.
FETCH_SECONDS, IMPORT_SECONDS = 75.0, 20.0


def opensees_path(folder: Path, say: Callable[[str], None]) -> Mapping[str, str]:
    """Return the environment under which ``import openseespy.opensees`` works; empty when nothing is needed.

    Where it is not installed it is fetched into *folder*, once. Where it cannot be had, *say* is told
    why, and the notebook solves the same frame in numpy.
    """
    if _imports({}):
        return {}
    apart = {"PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))}
    if _imports(apart):
        return apart
    say("OpenSeesPy is not installed; it is fetched for the demo (about 50 MB, once) …")
    why = _fetched(folder)
    if not why and _imports(apart):
        say(f"OpenSeesPy is in {folder}; to have it everywhere: pip install '{DISTRIBUTION}[{EXTRA}]'\n")
        return apart
    say(f"OpenSeesPy cannot be had here ({why or 'it does not load'}); the same frame is solved in numpy.\n")
    return {}


def _fetched(folder: Path) -> str:
    """Fetch the extra's packages; return '' or why it did not work."""
    command = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade")
    try:
        done = subprocess.run(
            (sys.executable, *command, "--target", str(folder), *_requirements()),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not there after {FETCH_SECONDS:.0f} s"
    complaints = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return "" if done.returncode == 0 else (complaints or ["pip failed"])[-1].removeprefix("ERROR: ")


def _requirements() -> list[str]:
    """Return what the extra asks for on this machine."""
    from packaging.requirements import Requirement

    asked = [Requirement(text) for text in metadata.requires(DISTRIBUTION) or ()]
    wanted = [one for one in asked if one.marker and one.marker.evaluate({"extra": EXTRA})]
    return [f"{one.name}{one.specifier}" for one in wanted if not one.marker.evaluate({"extra": ""})]  # type: ignore[union-attr]


def _imports(environment: Mapping[str, str]) -> bool:
    """Try it in a process of its own: a library that is missing may end the process."""
    try:
        done = subprocess.run(
            (sys.executable, "-c", "import openseespy.opensees"),
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=IMPORT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
