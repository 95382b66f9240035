"""Macros such as ``${JobUUID}``, and the ``_tapis*`` variables they become (Tapis Jobs, "Macros").

*Ground* macros are known at once; *derived* ones are directories and names that may use the ground
ones and those before them. Directories resolve strictly (an unknown name is an error); other texts
simply (an unknown name stays, for the host's shell to expand).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from .errors import InvalidInputError, did_you_mean
from .job import Job, JobDefinition
from .texts import refuse_control, shown

#: In this order; each may use those before it.
DERIVED = (
    "JobWorkingDir",
    "ExecSystemInputDir",
    "ExecSystemExecDir",
    "ExecSystemOutputDir",
    "ArchiveSystemDir",
    "StdoutFilename",
    "StderrFilename",
    "DtnSystemInputDir",
    "DtnSystemOutputDir",
)
#: A value may hold macros itself; more replacements than these in one text mean a cycle.
ROUNDS = 16

#: Host variable -> value; None where the host could not be asked. What is missing is not set there.
HostEnv = Mapping[str, str | None]

_MACRO = re.compile(r"\$\{([^{}]*)\}")
_HOST_EVAL = re.compile(r"HOST_EVAL\(\s*\$?([A-Za-z_][A-Za-z0-9_]*)\s*(?:,\s*([^()]*?)\s*)?\)", re.ASCII)


def ground_values(
    *,
    uuid: str,
    tenant: str,
    owner: str,
    effective_user: str,
    app_id: str,
    app_version: str,
    exec_system_id: str,
    archive_system_id: str,
    dynamic_exec_system: bool,
    archive_on_app_error: bool,
    archive_mode: str,
    root_dir: str,
    host: str,
    node_count: int,
    cores_per_node: int,
    memory_mb: int,
    max_minutes: int,
    created: str,
    dtn_system_id: str | None = None,
    bucket_name: str | None = None,
    batch_scheduler: str | None = None,
    logical_queue: str | None = None,
    hpc_queue: str | None = None,
) -> dict[str, str]:
    """Return the ground macros: name -> text. *created* is ISO-8601 UTC text."""
    date, _, time = created.partition("T")
    values = {
        "JobUUID": uuid,
        "Tenant": tenant,
        "JobOwner": owner,
        "EffectiveUserId": effective_user,
        "AppId": app_id,
        "AppVersion": app_version,
        "ExecSystemId": exec_system_id,
        "ArchiveSystemId": archive_system_id,
        "DynamicExecSystem": _truth(dynamic_exec_system),
        "ArchiveOnAppError": _truth(archive_on_app_error),
        "ArchiveMode": archive_mode,
        "SysRootDir": root_dir,
        "SysHost": host,
        "Nodes": str(node_count),
        "CoresPerNode": str(cores_per_node),
        "MemoryMB": str(memory_mb),
        "MaxMinutes": str(max_minutes),
        "JobCreateTimestamp": created,
        "JobCreateDate": f"{date}Z",
        "JobCreateTime": time,
    }
    for name, value in (
        ("DtnSystemId", dtn_system_id),
        ("SysBucketName", bucket_name),
        ("SysBatchScheduler", batch_scheduler),
        ("ExecSystemLogicalQueue", logical_queue),
        ("ExecSystemHPCQueue", hpc_queue),
    ):
        if value:
            values[name] = value
    return values


def ground_values_of(job: Job, definition: JobDefinition) -> dict[str, str]:
    """Return the ground macros of a job that is accepted, and its name."""
    values = ground_values(
        uuid=job.uuid,
        tenant=job.tenant,
        owner=job.owner,
        effective_user=job.effective_user_id,
        app_id=job.app_id,
        app_version=job.app_version,
        exec_system_id=definition.exec_system_id,
        archive_system_id=definition.archive_system_id,
        dynamic_exec_system=definition.dynamic_exec_system,
        archive_on_app_error=definition.archive_on_app_error,
        archive_mode=definition.archive_mode,
        root_dir=definition.root_dir,
        host=definition.host,
        node_count=definition.node_count,
        cores_per_node=definition.cores_per_node,
        memory_mb=definition.memory_mb,
        max_minutes=definition.max_minutes,
        created=job.created,
        dtn_system_id=definition.dtn_system_id,
        bucket_name=definition.bucket_name,
        batch_scheduler=definition.batch_scheduler,
        logical_queue=definition.exec_system_logical_queue,
        hpc_queue=definition.hpc_queue_name,
    )
    return values | {"JobName": job.name}


def macro_values(job: Job, definition: JobDefinition) -> dict[str, str]:
    """Return every macro of a resolved job that has a value: name -> text."""
    values = ground_values_of(job, definition)
    for name, value in (
        ("JobWorkingDir", definition.job_working_dir),
        ("ExecSystemInputDir", definition.exec_system_input_dir),
        ("ExecSystemExecDir", definition.exec_system_exec_dir),
        ("ExecSystemOutputDir", definition.exec_system_output_dir),
        ("ArchiveSystemDir", definition.archive_system_dir),
        ("StdoutFilename", definition.stdout_filename),
        ("StderrFilename", definition.stderr_filename),
        ("DtnSystemInputDir", definition.dtn_system_input_dir),
        ("DtnSystemOutputDir", definition.dtn_system_output_dir),
    ):
        if value:
            values[name] = value
    return values


def tapis_environment(job: Job, definition: JobDefinition) -> dict[str, str]:
    """Return the ``_tapis*`` variables of a job, sorted by name; directories are relative to rootDir."""
    return {
        f"_tapis{name}": value for name, value in sorted(macro_values(job, definition).items(), key=_by_name)
    }


def simply(text: str, values: Mapping[str, str]) -> str:
    """Return *text* with known macros replaced, once; unknown ones stay as they are."""
    if "${" not in text:
        return text
    return _MACRO.sub(lambda found: values.get(found[1], found[0]), text)


def strictly(text: str, values: Mapping[str, str], field: str, host_env: HostEnv) -> str:
    """Return *text*, the value of *field*, with all macros and a leading ``HOST_EVAL`` replaced.

    The leftmost macro goes first, and its value may hold macros. *host_env* has the variables of the
    host. Raises ``InvalidInputError`` for an unknown, empty or unclosed macro, for a cycle, and for a
    host variable that is not set and has no default.
    """
    for _ in range(ROUNDS):
        start = text.find("${")
        if start < 0:
            break
        end = text.find("}", start)
        if end < 0:
            raise _wrong(text, field, "opens a macro '${' and does not close it")
        name = text[start + 2 : end]
        if name not in values:
            raise _unknown(name, text, field, values)
        text = text[:start] + values[name] + text[end + 1 :]
    if "${" in text:
        raise _wrong(
            text,
            field,
            f"still holds a macro after {ROUNDS} replacements; a macro must not lead back to itself",
        )
    return host_evaluated(text, field, host_env)


def derive(
    given: Mapping[str, tuple[str, str]],
    values: dict[str, str],
    host_env: HostEnv,
    elsewhere: Mapping[str, HostEnv] = MappingProxyType({}),
) -> None:
    """Resolve the derived macros and enter them into *values*.

    *given*: name -> (text, the field it comes from). Texts without macros are entered first, so that
    they can be used anywhere; the others in Tapis's order. *elsewhere*: the variables of another host, by
    the macro that they are for.
    """
    later = []
    for name, (text, field) in given.items():
        if "${" in text:
            later.append(name)
        else:
            values[name] = host_evaluated(text, field, elsewhere.get(name, host_env))
    done: dict[str, str] = {}
    for name in sorted(later, key=DERIVED.index):
        text, field = given[name]
        if name in elsewhere:
            values[name] = strictly(text, values, field, elsewhere[name])
            continue
        # The directories of a job are often one and the same.
        if text not in done:
            done[text] = strictly(text, values, field, host_env)
        values[name] = done[text]


def host_variables(texts: Iterable[str | None]) -> set[str]:
    """Return the host variables that the ``HOST_EVAL`` of *texts* need."""
    return {found[1] for text in texts if text for found in _HOST_EVAL.finditer(text)}


def host_evaluated(text: str, field: str, host_env: HostEnv) -> str:
    """Return *text*, the value of *field*, with the ``HOST_EVAL`` at its start replaced, if there is one."""
    if "HOST_EVAL(" not in text:
        return text
    found = _HOST_EVAL.match(text)
    if found is None or "HOST_EVAL(" in text[found.end() :]:
        raise _wrong(
            text,
            field,
            "must have HOST_EVAL at its start, written HOST_EVAL($NAME) or HOST_EVAL($NAME, /default)",
        )
    name, default = found[1], found[2]
    value = (host_env.get(name) or "").strip() or default
    if not value:
        raise InvalidInputError(
            f"{field} {shown(text)} needs the variable {name}, which is not set on the host. "
            f"Write a default, HOST_EVAL(${name}, /some/directory), or name a directory.",
            field=field,
            value=text,
        )
    refuse_control(value, f"{name} on the host")
    if "${" in value:
        raise _wrong(text, field, f"cannot use {name}: its value on the host, {shown(value)}, holds a macro")
    return value + text[found.end() :]


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _by_name(item: tuple[str, str]) -> str:
    return item[0].lower()


def _wrong(text: str, field: str, why: str) -> InvalidInputError:
    return InvalidInputError(f"{field} {shown(text)} {why}.", field=field, value=text)


def _unknown(name: str, text: str, field: str, values: Mapping[str, str]) -> InvalidInputError:
    if not name:
        return _wrong(text, field, "holds an empty macro '${}'")
    if name in DERIVED or name == "JobName":
        return _wrong(
            text, field, f"uses ${{{name}}}, which is only known later; use macros that come before it"
        )
    hint = did_you_mean(name, values)
    return InvalidInputError(
        f"{field} {shown(text)} uses an unknown macro ${{{name}}}.{hint}", field=field, value=text
    )
