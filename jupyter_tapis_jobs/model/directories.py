"""The directories of a job and the names of its log files, macros resolved (Tapis Jobs, "Directories").

A host that cannot be asked for its variables keeps nobody from submitting: the texts then stay as they
are written, macros and all, until PROCESSING_INPUTS asks again (``settling``).
"""

from __future__ import annotations

from collections.abc import Mapping

from .choices import Choice
from .errors import InvalidInputError
from .fields import NOT_SET
from .inheritance import DIRECTORIES, Frame
from .macros import HostEnv, derive, host_variables
from .paths import normalise, relative
from .request import SubmitRequest
from .texts import shown

#: Where another system keeps the archive and nobody says where.
DEFAULT_ARCHIVE_DIR = "/jobs/${JobUUID}/archive"
#: macro -> the job field it comes from, and that field's name for users.
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
ARCHIVE = "ArchiveSystemDir"
#: macro -> the field of a job's definition.
DIRECTORY_FIELDS = {
    "JobWorkingDir": "job_working_dir",
    "ExecSystemInputDir": "exec_system_input_dir",
    "ExecSystemExecDir": "exec_system_exec_dir",
    "ExecSystemOutputDir": "exec_system_output_dir",
    ARCHIVE: "archive_system_dir",
    "StdoutFilename": "stdout_filename",
    "StderrFilename": "stderr_filename",
    "DtnSystemInputDir": "dtn_system_input_dir",
    "DtnSystemOutputDir": "dtn_system_output_dir",
}
#: What stands for a host's value while it is not known.
_STAND_IN = "/unknown"

#: macro -> the text that is written, and the field it comes from.
Texts = Mapping[str, tuple[str, str]]


def directory_texts(choice: Choice, logs: tuple[str, str]) -> Texts:
    """Return the texts of all directories of a job, and of its log names *logs* (stdout, stderr)."""
    chosen, system = choice.values, choice.frame.system
    texts = {"JobWorkingDir": (system.job_working_dir or "", f"jobWorkingDir of system {system.id}")}
    for macro, (field, name) in _FIELDS.items():
        texts[macro] = (chosen[field], name)
    texts[ARCHIVE] = (_archive_dir(choice), "archiveSystemDir")
    for (macro, name), text in zip(_LOG_FIELDS.items(), logs, strict=True):
        texts[macro] = (text, name)
    if system.dtn_system_id:
        for macro, (field, name) in _DTN_FIELDS.items():
            if chosen[field] != NOT_SET:
                texts[macro] = (chosen[field], name)
    return texts


def resolve_directories(
    texts: Texts, values: dict[str, str], host_env: HostEnv, archive_env: HostEnv | None = None
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Return macro -> directory (absolute below rootDir) or log name (relative), and open host variables.

    They are entered into the macros *values*, too. Where a host could not be asked (see ``HostEnv``) the
    result is the texts as they are written, *values* stay as they are, and the variables are named.
    *archive_env* is that of the archive's host where it is another. Raises ``InvalidInputError`` for ``..``
    before or after macros, and for what macros cannot be resolved.
    """
    elsewhere = {} if archive_env is None else {ARCHIVE: archive_env}
    unknown = _unknown(texts, host_env, elsewhere)
    if unknown:
        # What is wrong whatever the host says is said now.
        known = _with_stand_ins(host_env)
        _enter(texts, dict(values), known, {macro: _with_stand_ins(env) for macro, env in elsewhere.items()})
        return {macro: text for macro, (text, _) in texts.items()}, unknown
    _enter(texts, values, host_env, elsewhere)
    return values, ()


def _unknown(texts: Texts, host_env: HostEnv, elsewhere: Mapping[str, HostEnv]) -> tuple[str, ...]:
    """Return the variables that are needed and that nobody could ask for."""
    if None not in host_env.values() and not any(None in env.values() for env in elsewhere.values()):
        return ()
    needed = {
        name
        for macro, (text, _) in texts.items()
        for name in host_variables([text])
        if elsewhere.get(macro, host_env).get(name, "") is None
    }
    return tuple(sorted(needed))


def _with_stand_ins(env: HostEnv) -> HostEnv:
    return {name: _STAND_IN if value is None else value for name, value in env.items()}


def _enter(texts: Texts, values: dict[str, str], host_env: HostEnv, elsewhere: Mapping[str, HostEnv]) -> None:
    derive(texts, values, host_env, elsewhere)
    for macro, (text, name) in texts.items():
        if ".." in text:
            normalise(text, name)
        values[macro] = (
            _file_name(values[macro], name) if macro in _LOG_FIELDS else normalise(values[macro], name)
        )


def host_variables_of(frame: Frame, request: SubmitRequest, *, leave_out: str = "") -> set[str]:
    """Return the host variables that the directories of a job need, those of the field *leave_out* not."""
    texts = {name: frame.values[name] for name in DIRECTORIES}
    texts |= {name: text for name, text in request.given.items() if name in DIRECTORIES}
    texts.pop(leave_out, None)
    return host_variables([frame.system.job_working_dir, *texts.values()])


def _archive_dir(choice: Choice) -> str:
    """On the execution system outputs stay where they are."""
    said: str | None = choice.values["archive_system_dir"]
    if said:
        return said
    stays: str = choice.values["exec_system_output_dir"]
    return DEFAULT_ARCHIVE_DIR if choice.is_archived_elsewhere else stays


def _file_name(text: str, field: str) -> str:
    name = relative(text, field)
    if not name:
        raise InvalidInputError(
            f"{field} {shown(text)} names no file. Give a name such as tapisjob.out.", field=field, value=text
        )
    return name
