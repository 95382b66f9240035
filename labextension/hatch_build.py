"""Builds the Lab extension into the distribution where node is there, and says so where it is not.

The Python package works without it: job cards are then drawn as HTML by the kernel.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Set to 1 to make a bundle that cannot be built an error, as a release needs it.
REQUIRE = "JUPYTER_TAPIS_JOBS_REQUIRE_LABEXTENSION"
NAME = "jupyter-tapis-jobs"
SOURCES = ("package.json", "package-lock.json", "tsconfig.json", "src/**/*", "style/**/*", "schema/**/*")
#: Two tries, so that a machine without network is told within seconds and not after minutes.
NPM_INSTALL = (
    "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000", "--fetch-timeout=60000",
)  # fmt: skip
NPM_BUILD = ("npm", "run", "build")
DEMO = "notebooks/01-first-job.ipynb"


class NotBuiltError(Exception):
    """Why there is no bundle."""


class LabextensionHook(BuildHookInterface[Any]):
    """Makes ``jupyter_tapis_jobs/labextension`` and ships it to ``share/jupyter/labextensions``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is missing or older than its sources, then add it to the distribution."""
        folder = Path(self.root)
        bundle = folder / "jupyter_tapis_jobs" / "labextension"
        try:
            _build(folder / "labextension", bundle, self.metadata.version)
        except NotBuiltError as why:
            self._tell(str(why), has_old=bundle.is_dir())
        if self.target_name == "wheel" and bundle.is_dir():
            build_data["shared_data"][str(bundle)] = f"share/jupyter/labextensions/{NAME}"
        if self.target_name == "wheel" and version == "standard":
            # `jupyter tapisjobs demo` runs it; an editable installation finds it in the sources.
            build_data["force_include"][str(folder / DEMO)] = f"jupyter_tapis_jobs/{DEMO}"

    def _tell(self, why: str, *, has_old: bool) -> None:
        if os.environ.get(REQUIRE) == "1":
            raise RuntimeError(f"The Lab extension was not built: {why}")
        instead = (
            "An earlier build of it is used." if has_old else "Job cards are shown as plain HTML instead."
        )
        self.app.display_warning(
            f"The Lab extension was not built: {why} {instead} Everything else works; "
            "to add it, install Node.js 20.19 or newer and run the installation again."
        )


def _build(source: Path, bundle: Path, version: str) -> None:
    wanted = _fingerprint(source)
    stamp = bundle / "built-from"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotBuiltError("node and npm are not on the PATH.")
    _run(NPM_INSTALL, source)
    # The bundle's files are named by their content: without this the old ones would stay.
    for made in (bundle, bundle.parent / "panel"):
        shutil.rmtree(made, ignore_errors=True)
    _run(NPM_BUILD, source)
    _stamp_version(bundle / "package.json", version)
    stamp.write_text(wanted)


def _fingerprint(source: Path) -> str:
    """What the bundle is made from. Contents, because times do not survive an sdist."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in source.glob(pattern) if path.is_file()):
        digest.update(path.relative_to(source).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _run(command: tuple[str, ...], folder: Path) -> None:
    program = shutil.which(command[0]) or command[0]
    done = subprocess.run(
        (program, *command[1:]),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        last = "\n    ".join(done.stdout.strip().splitlines()[-12:])
        raise NotBuiltError(f"'{' '.join(command[:3])}' ended with {done.returncode}:\n    {last}\n")


def _stamp_version(package: Path, version: str) -> None:
    """The version is kept in the Python package only; ``jupyter labextension list`` shows this one."""
    described = json.loads(package.read_text())
    package.write_text(json.dumps(described | {"version": version}, indent=2) + "\n")
