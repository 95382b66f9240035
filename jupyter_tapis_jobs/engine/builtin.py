"""What is there from the start: this machine as system ``local``, the apps ``bash``, ``python``, ``slurm``.

The definitions follow this version of the package and the place of the data folder; what the user
has changed in them is kept.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..model import files
from ..model.batch_script import SCRIPT_APP
from ..model.errors import NotFoundError, StoreError
from ..model.user import User
from .apps import AppCatalog
from .runtime_checks import here
from .systems import LOCAL, SystemCatalog

VERSION = "1.0"

_BASH = """\
#!/bin/sh
# Runs the script that is the job's input.
if command -v bash > /dev/null 2>&1; then
  exec bash script.sh "$@"
fi
exec sh script.sh "$@"
"""
_PYTHON = """\
#!/bin/sh
# Runs the script that is the job's input; -u: what it prints is seen at once.
exec "${TAPIS_PYTHON:-python3}" -u script.py "$@"
"""
_SLURM = """\
#!/bin/sh
# Runs the batch script that is the job's input by its own first line, in the environment of a login,
# for such scripts count on what the user has when typing sbatch: modules above all.
chmod u+x script.slurm
if command -v bash > /dev/null 2>&1; then
  exec bash -l -c 'cd "$0" && exec ./script.slurm "$@"' "$PWD" "$@"
fi
exec ./script.slurm "$@"
"""


@dataclass(frozen=True, slots=True)
class _BuiltinApp:
    """An app that runs the script that is its input."""

    description: str
    #: The program in its image.
    program: str
    #: The name of the script in the job's directory.
    script: str
    variables: tuple[dict[str, Any], ...] = ()
    #: None: BATCH where the system can, else FORK.
    job_type: str | None = None


_INTERPRETER = {
    "key": "TAPIS_PYTHON",
    "value": "!tapis_not_set",
    "inputMode": "INCLUDE_BY_DEFAULT",
    "description": "The interpreter; python3 where it is not set.",
}
_APPS: Mapping[str, _BuiltinApp] = {
    "bash": _BuiltinApp("Runs a shell script.", _BASH, "script.sh"),
    "python": _BuiltinApp("Runs a Python script.", _PYTHON, "script.py", (_INTERPRETER,)),
    SCRIPT_APP: _BuiltinApp(
        "Runs a batch script; its #SBATCH lines become the job's fields.",
        _SLURM,
        "script.slurm",
        job_type="BATCH",
    ),
}
#: One directory for all: what the script writes beside itself is output.
_JOB_DIR = "${JobWorkingDir}/jobs/${JobUUID}"


def ensure_builtin(apps: AppCatalog, systems: SystemCatalog, user: User, folder: Path) -> None:
    """Make or bring up to date what is there from the start; *user* is the server's own.

    *folder* is the data folder: jobs run below ``work``, images lie in ``apps``. Doing it again
    changes nothing. Raises ``StoreError`` when the folder cannot be written.
    """
    folder = folder.absolute()
    _ensure(systems, user, LOCAL, local_system(folder))
    for name in _APPS:
        write_image(folder, name)
        _ensure(apps, user, name, builtin_app(folder, name))


def local_system(folder: Path) -> dict[str, Any]:
    """Return the definition of this machine as a system."""
    return {
        "id": LOCAL,
        "description": "This machine.",
        "systemType": "LINUX",
        "host": "localhost",
        "defaultAuthnMethod": "PASSWORD",
        "effectiveUserId": "${apiUserId}",
        "rootDir": "/",
        "canExec": True,
        "canRunBatch": False,
        "enableCmdPrefix": True,
        "jobRuntimes": here(),
        "jobWorkingDir": str(folder / "work"),
    }


def builtin_app(folder: Path, name: str) -> dict[str, Any]:
    """Return the definition of a built-in app."""
    app = _APPS[name]
    return {
        "id": name,
        "version": VERSION,
        "description": app.description,
        "runtime": "ZIP",
        "containerImage": f"tapis://{LOCAL}{quote(str(image_path(folder, name)))}",
        "jobType": app.job_type,
        "jobAttributes": {
            "execSystemId": LOCAL,
            "execSystemExecDir": _JOB_DIR,
            "execSystemInputDir": _JOB_DIR,
            "execSystemOutputDir": _JOB_DIR,
            "memoryMB": 2000,
            "maxMinutes": 60,
            "fileInputs": [
                {
                    "name": "script",
                    "description": "The script that is run.",
                    "inputMode": "REQUIRED",
                    "targetPath": app.script,
                }
            ],
            "parameterSet": {"envVariables": list(app.variables)},
        },
    }


def image_path(folder: Path, name: str) -> Path:
    """Return where the image of a built-in app lies."""
    return folder / "apps" / f"{name}-{VERSION}.zip"


def image(name: str) -> bytes:
    """Return the image of a built-in app: the same bytes each time."""
    program = zipfile.ZipInfo(files.APP_SCRIPT, date_time=(1980, 1, 1, 0, 0, 0))
    program.create_system = 3
    program.external_attr = 0o100755 << 16
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr(program, _APPS[name].program)
    return archive.getvalue()


def write_image(folder: Path, name: str) -> None:
    """Write the image of a built-in app unless it lies there already."""
    path, content = image_path(folder, name), image(name)
    try:
        if path.exists() and path.read_bytes() == content:
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as error:
        raise StoreError(
            f"The image {path} of the app {name} cannot be written: {error.strerror or error}. "
            f"Make {folder} writable for you, or choose another data folder."
        ) from error


def _ensure(catalog: AppCatalog | SystemCatalog, user: User, name: str, definition: dict[str, Any]) -> None:
    """Create what is missing; where our own definition has changed, change that much of the stored one."""
    setting = f"builtin.{catalog.kind}.{name}"
    written = catalog.remembered(setting)
    text = json.dumps(definition, sort_keys=True)
    if written == text:
        return
    try:
        stored = (
            catalog.get(user, name, VERSION) if isinstance(catalog, AppCatalog) else catalog.get(user, name)
        )
    except NotFoundError:
        catalog.create(user, definition)
    else:
        _follow(catalog, user, name, _changes(json.loads(written or "{}"), definition, stored.to_wire()))
    catalog.remember(setting, text)


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is new in our definition and was not changed by the user since it was written."""
    return {
        key: value
        for key, value in new.items()
        if old.get(key) != value and _fits(stored.get(key), old.get(key))
    }


def _fits(stored: Any, written: Any) -> bool:
    """Tell whether *stored* still says all that was *written*; what was not written is null."""
    if isinstance(stored, Mapping) and isinstance(written, Mapping):
        return all(_fits(value, written.get(key)) for key, value in stored.items())
    if isinstance(stored, list) and isinstance(written, list):
        return len(stored) == len(written) and all(map(_fits, stored, written))
    return bool(stored == written)


def _follow(catalog: AppCatalog | SystemCatalog, user: User, name: str, changes: Mapping[str, Any]) -> None:
    if not changes:
        return
    if isinstance(catalog, AppCatalog):
        catalog.patch(user, name, VERSION, changes)
    else:
        catalog.patch(user, name, changes)
