"""``jupyter tapisjobs doctor``: what is found on this machine, what is missing, and the way out."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .client.connection import Connection
from .client.endpoint import Endpoint, running_servers, sign_in
from .client.words import size
from .model.errors import TapisJobsError
from .servers import engine_of

#: Below this many bytes free the data folder is in danger.
_LOW_SPACE = 500 * 1000 * 1000
_TOOL_SECONDS = 5.0


class State(StrEnum):
    """How one thing was found."""

    #: It is there and works.
    OK = "ok"
    #: It is not there; what needs it cannot be had.
    MISSING = "missing"
    #: It stops jobs from running.
    PROBLEM = "problem"


_GLYPHS = {State.OK: "✓", State.MISSING: "·", State.PROBLEM: "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``way_out`` says what to do when it is not fine."""

    group: str
    name: str
    state: State
    detail: str
    way_out: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that something needs; ``probe`` prints its version."""

    group: str
    name: str
    probe: tuple[str, ...]
    needed_for: str
    way_out: str


#: Looked at already, though this version does not run it.
_LATER = " (a later version)"
TOOLS = (
    Tool("runtimes", "unzip", ("unzip", "-v"), "ZIP apps", "apt-get install unzip"),
    Tool(
        "runtimes",
        "docker",
        ("docker", "version", "--format", "{{.Server.Version}}"),
        f"DOCKER apps{_LATER}",
        "install Docker, start its daemon, join the group docker",
    ),
    Tool("runtimes", "podman", ("podman", "--version"), f"DOCKER apps{_LATER}", "apt-get install podman"),
    Tool(
        "runtimes", "apptainer", ("apptainer", "--version"), f"SINGULARITY apps{_LATER}", "install Apptainer"
    ),
    Tool("runtimes", "singularity", ("singularity", "--version"), f"SINGULARITY apps{_LATER}", "install it"),
    Tool(
        "schedulers",
        "sbatch",
        ("sbatch", "--version"),
        "Slurm on this very machine",
        "add the login node as a host: jupyter tapisjobs host add NAME",
    ),
    Tool(
        "schedulers",
        "condor_submit",
        ("condor_version",),
        "HTCondor on this very machine",
        "add the host that submits: jupyter tapisjobs host add NAME",
    ),
    Tool("schedulers", "dask", ("dask", "--version"), "jobs as Dask tasks", "pip install distributed"),
    Tool(
        "build",
        "node",
        ("node", "--version"),
        "building the Lab extension from its sources",
        "install Node.js 20; wheels hold the built extension",
    ),
)
#: Package -> what it is for, and whether jobs cannot run without it.
PACKAGES = (
    ("jupyter_tapis_jobs", "this package", True),
    ("jupyter_server", "the server that carries the engine", True),
    ("ipykernel", "the Python kernel", True),
    ("asyncssh", "hosts over SSH", True),
    ("keyring", "keeping credentials in the system's keyring", True),
    ("jupyterlab", "JupyterLab", False),
    ("notebook", "Notebook 7", False),
    ("matplotlib", "plots", False),
)


def examine(data_dir: Path | None = None) -> list[Finding]:
    """Look at everything; nothing is changed or started."""
    folder = data_dir or data_folder()
    looks: Sequence[Callable[[], Iterator[Finding]]] = (
        _python, _packages, _extensions, _tools, lambda: _folder(folder), lambda: _store(folder), _servers,
    )  # fmt: skip
    return [finding for look in looks for finding in look()]


def is_fit(findings: Sequence[Finding]) -> bool:
    """True when nothing stops jobs from running."""
    return all(finding.state is not State.PROBLEM for finding in findings)


def as_json(findings: Sequence[Finding]) -> str:
    """Return the findings for programs."""
    return json.dumps({"fit": is_fit(findings), "findings": [asdict(f) for f in findings]}, indent=2)


def as_text(findings: Sequence[Finding]) -> str:
    """Return the findings for people, group by group, with a last sentence that sums up."""
    lines: list[str] = []
    for finding in findings:
        if f"\n{finding.group}" not in lines:
            lines.append(f"\n{finding.group}")
        lines.append(f"  {_GLYPHS[finding.state]} {finding.name:<20} {finding.detail}")
        if finding.way_out:
            lines.append(f"    {'':<20} → {finding.way_out}")
    problems = [finding.name for finding in findings if finding.state is State.PROBLEM]
    verdict = (
        f"Jobs cannot run yet: see {', '.join(problems)}." if problems else "Jobs can run on this machine."
    )
    return "\n".join(lines).lstrip("\n") + f"\n\n{verdict}"


def data_folder() -> Path:
    """Return where jobs are remembered when nothing else is said."""
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "tapisjobs"


# --- looks ------------------------------------------------------------------------------------
def _judged(group: str, name: str, detail: str, way_out: str) -> Finding:
    """A thing that jobs need: a problem exactly when there is something to do about it."""
    return Finding(group, name, State.PROBLEM if way_out else State.OK, detail, way_out)


def _python() -> Iterator[Finding]:
    way_out = "" if sys.version_info >= (3, 11) else "use Python 3.11 or newer"
    yield _judged("python", "python", f"{platform.python_version()}  {sys.executable}", way_out)


def _packages() -> Iterator[Finding]:
    for package, purpose, needed in PACKAGES:
        try:
            yield Finding("python", package, State.OK, version(package))
        except PackageNotFoundError:
            state = State.PROBLEM if needed else State.MISSING
            yield Finding("python", package, state, f"not installed: {purpose}", f"pip install {package}")


def _extensions() -> Iterator[Finding]:
    enabled = _server_extension_file()
    if enabled:
        yield _judged("jupyter", "server extension", f"enabled by {enabled}", "")
    else:
        way_out = "jupyter server extension enable jupyter_tapis_jobs"
        yield _judged("jupyter", "server extension", "not enabled for this environment", way_out)
    lab = _lab_extension_folder()
    if lab:
        yield Finding("jupyter", "Lab extension", State.OK, str(lab))
    else:
        way_out = "install from a wheel, or with Node.js there: pip install ."
        detail = "not installed: cards are plain HTML, which still works"
        yield Finding("jupyter", "Lab extension", State.MISSING, detail, way_out)


def _server_extension_file() -> Path | None:
    from jupyter_core.paths import jupyter_config_path

    files = (
        file
        for folder in map(Path, jupyter_config_path())
        for pattern in ("jupyter_server_config.d/*.json", "jupyter_server_config.json")
        for file in sorted(folder.glob(pattern))
    )
    return next(filter(_enables, files), None)


def _enables(file: Path) -> bool:
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
        return bool(settings["ServerApp"]["jpserver_extensions"]["jupyter_tapis_jobs"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _lab_extension_folder() -> Path | None:
    from jupyter_core.paths import jupyter_path

    places = (Path(folder) / "jupyter-tapis-jobs" for folder in jupyter_path("labextensions"))
    return next((place for place in places if (place / "package.json").is_file()), None)


def _tools() -> Iterator[Finding]:
    for tool in TOOLS:
        yield _tool(tool)


def _tool(tool: Tool) -> Finding:
    # Debian keeps sshd and friends where an ordinary PATH does not look.
    path = shutil.which(tool.name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    told = path and _said_by((path, *tool.probe[1:]) if tool.probe[0] == tool.name else tool.probe)
    if told:
        return Finding(tool.group, tool.name, State.OK, f"{told}  {path}")
    trouble = f"{path} does not answer" if path else "not found"
    detail = f"{trouble}: needed for {tool.needed_for}"
    return Finding(tool.group, tool.name, State.MISSING, detail, tool.way_out)


def _said_by(command: Sequence[str]) -> str | None:
    """Return the first line a program says of itself; None when it fails."""
    silent = subprocess.DEVNULL
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_TOOL_SECONDS, stdin=silent
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # An old sshd knows no -V, complains, and is there all the same.
    if answer.returncode != 0 and not command[0].endswith("sshd"):
        return None
    text = answer.stdout.strip() or answer.stderr.strip() or "there"
    return text.splitlines()[0][:70]


def _folder(folder: Path) -> Iterator[Finding]:
    if not folder.exists():
        parent = next(parent for parent in folder.absolute().parents if parent.exists())
        if os.access(parent, os.W_OK):
            yield _judged("data", "data folder", f"{folder} will be made at the first start", "")
        else:
            way_out = "set JUPYTER_DATA_DIR to a folder of your own"
            yield _judged("data", "data folder", f"{parent} cannot be written", way_out)
        return
    yield _access(folder)
    free = shutil.disk_usage(folder).free
    way_out = "make room, or set JUPYTER_DATA_DIR to another disk" if free < _LOW_SPACE else ""
    yield _judged("data", "free space", size(free), way_out)


def _access(folder: Path) -> Finding:
    mode = stat.S_IMODE(folder.stat().st_mode)
    detail = f"{folder}  mode {mode:04o}"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return _judged("data", "data folder", f"{detail}, not writable", f"make it yours: chmod 700 {folder}")
    if mode & 0o077:
        return _judged("data", "data folder", f"{detail}, open to others", f"chmod 700 {folder}")
    return _judged("data", "data folder", detail, "")


def _store(folder: Path) -> Iterator[Finding]:
    file = folder / "jobs.sqlite"
    if not file.exists():
        yield _judged("data", "job store", "none yet; made at the first start", "")
        return
    trouble = _trouble_in(file)
    detail = f"{size(file.stat().st_size)}, {trouble or 'sound'}"
    backup = f"put back a copy from {folder / 'backup'}, or move {file.name} away to start anew"
    yield _judged("data", "job store", detail, backup if trouble else "")


def _trouble_in(file: Path) -> str:
    """Return what SQLite says of a damaged store; it is only read."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as store:
            verdict = str(store.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as cause:
        return str(cause)
    return "" if verdict == "ok" else verdict


def _servers() -> Iterator[Finding]:
    records = running_servers()
    found = [
        finding
        for record in records
        for finding in _server(str(record["url"]), str(record.get("token") or ""), int(record["pid"]))
    ]
    yield from sorted(found, key=lambda finding: finding.group != "servers")
    if not records:
        way_out = "jupyter lab, or jupyter tapisjobs serve"
        yield Finding("servers", "none", State.MISSING, "no Jupyter server runs here", way_out)


def _server(url: str, token: str, pid: int) -> Iterator[Finding]:
    endpoint = Endpoint(url=url.rstrip("/") + "/tapis", headers=sign_in(token) if token else {}, own=True)
    told = engine_of(endpoint)
    if told is None:
        way_out = "install jupyter_tapis_jobs in its environment and start it again"
        detail = f"{url}  without a job engine that answers"
        yield Finding("servers", f"pid {pid}", State.MISSING, detail, way_out)
        return
    detail = f"{url}  version {told.get('version')}, {_engine(told)}"
    yield Finding("servers", f"pid {pid}", State.OK, detail)
    yield from _hosts(endpoint)


def _hosts(endpoint: Endpoint) -> Iterator[Finding]:
    """Say how the server reaches its hosts; nothing is connected for it."""
    connection = Connection(endpoint)
    try:
        rows = connection.call("GET", "/v3/tapisjobs/hosts", seconds=5.0).result or []
    except TapisJobsError as cause:
        yield Finding("hosts", "none known", State.MISSING, cause.message)
        return
    finally:
        connection.close()
    for row in rows:
        state, name = str(row.get("state")), str(row.get("id"))
        detail = f"{state}  {row.get('message') or ''}".rstrip()
        is_well = state in ("connected", "idle")
        way_out = "" if is_well else f"jupyter tapisjobs host check {name}"
        yield Finding("hosts", name, State.OK if is_well else State.MISSING, detail, way_out)


def _engine(told: Mapping[str, Any]) -> str:
    """Say whether the server does the work, or which other one does it."""
    engine = told.get("engine") or {}
    holder = engine.get("holder") or {}
    if holder and not holder.get("own"):
        return f"works through the engine of pid {holder.get('pid')}"
    return f"holds the engine, {engine.get('state')}"
