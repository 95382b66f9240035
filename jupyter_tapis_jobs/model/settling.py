"""A job whose host could not be asked for its variables, once it could: its directories are settled.

Everything else was resolved when the job was accepted; only what those directories stand in is done again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .arguments import insert
from .directories import DIRECTORY_FIELDS, Texts, resolve_directories
from .job import Argument, Job, JobDefinition
from .macros import HostEnv, ground_values_of, simply
from .names import wire_name
from .patterns import with_macros


def settled(
    job: Job, definition: JobDefinition, host_env: HostEnv, archive_env: HostEnv | None
) -> tuple[str, JobDefinition]:
    """Return the job's description and its definition with every directory resolved.

    *archive_env* is that of the archive's host where it is another. Raises ``InvalidInputError`` when a
    variable is not set on its host and has no default.
    """
    values = ground_values_of(job, definition)
    places, still_open = resolve_directories(_texts(definition), values, host_env, archive_env)
    directories: dict[str, Any] = {
        field: places[macro] for macro, field in DIRECTORY_FIELDS.items() if macro in places
    }
    changed = replace(
        definition,
        **directories,
        open_variables=still_open,
        app_args=tuple(_inserted(argument, values) for argument in definition.app_args),
        container_args=tuple(_replaced(argument, values) for argument in definition.container_args),
        scheduler_options=tuple(_replaced(argument, values) for argument in definition.scheduler_options),
        archive_filter=with_macros(definition.archive_filter, values),
    )
    return simply(job.description, values), changed


def archive_texts(definition: JobDefinition) -> list[str]:
    """Return what the archive's host is asked for; nothing when that is the execution host."""
    is_elsewhere = definition.archive_system_id != definition.exec_system_id
    return [definition.archive_system_dir] if is_elsewhere else []


def host_texts(definition: JobDefinition) -> list[str]:
    """Return what the execution host is asked for."""
    elsewhere = "archive_system_dir" if archive_texts(definition) else None
    texts = (getattr(definition, field) for field in DIRECTORY_FIELDS.values() if field != elsewhere)
    return [text for text in texts if text]


def _texts(definition: JobDefinition) -> Texts:
    given = {
        macro: (getattr(definition, field), wire_name(field)) for macro, field in DIRECTORY_FIELDS.items()
    }
    return {macro: (text, field) for macro, (text, field) in given.items() if text}


def _inserted(argument: Argument, values: dict[str, str]) -> Argument:
    return replace(argument, arg=insert(argument.arg, values.get)) if "${" in argument.arg else argument


def _replaced(argument: Argument, values: dict[str, str]) -> Argument:
    return replace(argument, arg=simply(argument.arg, values)) if "${" in argument.arg else argument
