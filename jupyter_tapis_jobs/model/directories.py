"""The directories of a job and the names of its log files, macros resolved (Tapis Jobs, "Directories")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import InvalidInputError
from .fields import NOT_SET
from .inheritance import DIRECTORIES, Frame
from .macros import derive, host_variables
from .paths import normalise, relative
from .request import SubmitRequest
from .system import System
from .texts import shown

#: Where another system keeps the archive and nobody says where.
DEFAULT_ARCHIVE_DIR = "/jobs/${JobUUID}/archive"
#: macro -> the job field it comes from.
_FIELDS = {
    "ExecSystemInputDir": ("exec_system_input_dir", "execSystemInputDir"),
    "ExecSystemExecDir": ("exec_system_exec_dir", "execSystemExecDir"),
    "ExecSystemOutputDir": ("exec_system_output_dir", "execSystemOutputDir"),
}
_DTN_FIELDS = {
    "DtnSystemInputDir": ("dtn_system_input_dir", "dtnSystemInputDir"),
    "DtnSystemOutputDir": ("dtn_system_output_dir", "dtnSystemOutputDir"),
}
_LOG_FIELDS = {
    "StdoutFilename": "parameterSet.logConfig.stdoutFilename",
    "StderrFilename": "parameterSet.logConfig.stderrFilename",
}


def enter_directories(
    chosen: Mapping[str, Any],
    logs: tuple[str, str],
    system: System,
    archive_system_id: str,
    values: dict[str, str],
    host_env: Mapping[str, str],
) -> None:
    """Enter the directories (absolute below rootDir) and log names (relative) into the macros *values*.

    *chosen*: job field -> text; *logs*: names of stdout and stderr. Raises ``InvalidInputError`` for
    ``..`` before or after macros, and for what macros cannot be resolved.
    """
    given = {"JobWorkingDir": (system.job_working_dir or "", f"jobWorkingDir of system {system.id}")}
    for macro, (field, name) in _FIELDS.items():
        given[macro] = (chosen[field], name)
    given["ArchiveSystemDir"] = (_archive_dir(chosen, archive_system_id == system.id), "archiveSystemDir")
    for (macro, name), text in zip(_LOG_FIELDS.items(), logs, strict=True):
        given[macro] = (text, name)
    if system.dtn_system_id:
        for macro, (field, name) in _DTN_FIELDS.items():
            if chosen[field] != NOT_SET:
                given[macro] = (chosen[field], name)
    derive(given, values, host_env)
    for macro, (text, name) in given.items():
        if ".." in text:
            normalise(text, name)
        values[macro] = (
            _file_name(values[macro], name) if macro in _LOG_FIELDS else normalise(values[macro], name)
        )


def host_variables_of(frame: Frame, request: SubmitRequest) -> set[str]:
    """Return the host variables that the directories of a job need."""
    texts = {name: frame.values[name] for name in DIRECTORIES}
    texts |= {name: text for name, text in request.given.items() if name in DIRECTORIES}
    return host_variables([frame.system.job_working_dir, *texts.values()])


def _archive_dir(chosen: Mapping[str, Any], is_same_system: bool) -> str:
    """On the execution system outputs stay where they are."""
    said: str | None = chosen["archive_system_dir"]
    if said:
        return said
    stays: str = chosen["exec_system_output_dir"]
    return stays if is_same_system else DEFAULT_ARCHIVE_DIR


def _file_name(text: str, field: str) -> str:
    name = relative(text, field)
    if not name:
        raise InvalidInputError(
            f"{field} {shown(text)} names no file. Give a name such as tapisjob.out.", field=field, value=text
        )
    return name
