"""The arguments of a job's application, container and scheduler: merged, with macros, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .app import AppArgument
from .arguments import insert, refuse_bad_option, shell_words, unexpanded
from .container_options import FIELD as CONTAINER_FIELD
from .container_options import container_option
from .fields import InputMode, JobType
from .inheritance import Frame
from .job import Argument
from .macros import simply
from .merge import merge_arguments
from .request import ParameterSetRequest
from .scheduler_options import FIELD as SCHEDULER_FIELD
from .scheduler_options import PROFILE, read_option, refuse_option_of_dask, refuse_unusable_option
from .system import LogicalQueue, SchedulerType, System
from .texts import refuse_control, shown


@dataclass(frozen=True, slots=True)
class Commands:
    """What is said to the application, to the container and to the scheduler."""

    app_args: tuple[Argument, ...]
    container_args: tuple[Argument, ...]
    scheduler_options: tuple[Argument, ...]


def commands_of(
    asked: ParameterSetRequest,
    frame: Frame,
    queue: LogicalQueue | None,
    job_type: JobType,
    values: dict[str, str],
    warnings: list[str],
) -> Commands:
    """Return the arguments of a job; *values* are the macros, *warnings* grows by what is worth knowing."""
    of_app = frame.parameters
    app_args = merge_arguments(of_app.app_args or (), asked.app_args or (), "parameterSet.appArgs")
    merged = merge_arguments(of_app.container_args or (), asked.container_args or (), CONTAINER_FIELD)
    containers = tuple([_with_macros(argument, values, _inserted) for argument in merged])
    for argument in containers:
        container_option(argument.arg, frame.app.runtime)
    options = _scheduler_options(asked, frame, queue, job_type, warnings)
    return Commands(
        tuple([_app_argument(argument, values, warnings) for argument in app_args]),
        containers,
        tuple([_with_macros(argument, values, simply) for argument in options]),
    )


def _app_argument(argument: Argument, values: dict[str, str], warnings: list[str]) -> Argument:
    """Put macros in, and read the words once, so that what is wrong is said now."""
    final = _with_macros(argument, values, _inserted)
    shell_words(final.arg)
    if "$" in final.arg and (mark := unexpanded(final.arg)):
        warnings.append(
            f"the argument {shown(final.arg)} holds {mark}, which no shell acts on: "
            "it reaches the application as text."
        )
    return final


def _with_macros(
    argument: Argument, values: dict[str, str], put: Callable[[str, dict[str, str]], str]
) -> Argument:
    if "${" not in argument.arg:
        return argument
    return Argument(
        arg=put(argument.arg, values),
        name=argument.name,
        description=argument.description,
        include=argument.include,
        notes=argument.notes,
    )


def _inserted(text: str, values: dict[str, str]) -> str:
    return insert(text, values.get)


def _scheduler_options(
    asked: ParameterSetRequest,
    frame: Frame,
    queue: LogicalQueue | None,
    job_type: JobType,
    warnings: list[str],
) -> tuple[Argument, ...]:
    """Merge the options of queue, app and request; those of a FORK job are kept but mean nothing."""
    is_batch = job_type is JobType.BATCH
    merged = merge_arguments(
        [*_queue_options(queue), *(frame.parameters.scheduler_options or ())],
        asked.scheduler_options or (),
        SCHEDULER_FIELD,
        blanks_are_errors=is_batch,
    )
    if is_batch:
        for option in merged:
            _refuse_bad_scheduler_option(option.arg, frame.system)
        return (*merged, *_profile_option(merged, frame.system))
    if asked.scheduler_options:
        warnings.append("schedulerOptions are ignored: a FORK job does not go through a scheduler.")
    for option in merged:
        refuse_control(option.arg, SCHEDULER_FIELD)
    return merged


def _queue_options(queue: LogicalQueue | None) -> list[AppArgument]:
    """Return the queue's own options; unlike an app's they are there by default."""
    options = (queue.scheduler_options if queue else None) or []
    by_default = {"input_mode": InputMode.INCLUDE_BY_DEFAULT}
    return [option if option.input_mode else option.model_copy(update=by_default) for option in options]


def _profile_option(merged: tuple[Argument, ...], system: System) -> tuple[Argument, ...]:
    """The system's profile is used unless an option names one."""
    profile = system.batch_scheduler_profile
    if not profile or any(read_option(option.arg)[0] == PROFILE for option in merged):
        return ()
    refuse_control(profile, f"batchSchedulerProfile of system {system.id}")
    return (Argument(arg=f"{PROFILE} {profile}"),)


def _refuse_bad_scheduler_option(option: str, system: System) -> None:
    if system.batch_scheduler is SchedulerType.DASK:
        refuse_option_of_dask(option, system.id)
    elif system.batch_scheduler is SchedulerType.SLURM:
        refuse_unusable_option(option)
    else:
        refuse_bad_option(option, SCHEDULER_FIELD)
