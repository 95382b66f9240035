"""Where each value of a job comes from: its request, batch script, app, queue, system, or a default.

Told of a job that is resolved, for people who check a request before they submit it. Nothing here is
needed to run a job, so accepting thousands costs nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from .app import App, AppArgument, AppParameterSet, EnvVariable
from .errors import InvalidInputError
from .fields import NOT_SET, InputMode
from .inheritance import COUNTS, DEFAULTS, DIRECTORIES, chosen_values, frame_of
from .job import Argument, Job, JobDefinition
from .names import inner_name, wire_name
from .request import ArgumentRequest, ParameterSetRequest, SubmitRequest
from .system import System

REQUEST, SCRIPT, APP, QUEUE, SYSTEM, DEFAULT = "request", "script", "app", "queue", "system", "default"
_ENV = "parameterSet.envVariables"

P = ParamSpec("P")
T = TypeVar("T")
#: Makes something of a request, its app and its system.
_Resolving = Callable[Concatenate[SubmitRequest, App, System, P], T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One value of a job and where it comes from.

    ``field`` is its path in Tapis's words, with the name of a list's item: ``parameterSet.appArgs 'k'``.
    ``why`` says more where there is more: what was written before macros, or the rule that counted.
    """

    field: str
    #: None for what the app offers and the job does not take.
    value: Any
    #: "request", "script", "app", "queue", "system" or "default".
    source: str
    why: str = ""


def origins_of(
    job: Job, definition: JobDefinition, request: SubmitRequest, app: App, system: System
) -> list[Origin]:
    """Return every value of a resolved job with its origin, in the order of a request."""
    asked = request.parameter_set or ParameterSetRequest.model_validate({})
    of_app = app.job_attributes.parameter_set or AppParameterSet.model_validate({})
    return [
        *_head(job, definition, request, app),
        *_fields(job, definition, request, app, system),
        *_inputs(definition, request, app),
        *_arguments("appArgs", definition.app_args, asked.app_args, of_app.app_args),
        *_arguments("containerArgs", definition.container_args, asked.container_args, of_app.container_args),
        *_options(definition, asked, of_app, system),
        *_variables(definition, asked, of_app, system),
        *_logs_and_filter(definition, asked, of_app),
        *_rest(definition, request, app),
    ]


def telling_origins(work: _Resolving[P, T]) -> _Resolving[P, T]:
    """Let every refusal of *work* say whose the refused value is, where the request does not say it."""

    @wraps(work)
    def told(request: SubmitRequest, app: App, system: System, *args: P.args, **given: P.kwargs) -> T:
        try:
            return work(request, app, system, *args, **given)
        except InvalidInputError as fault:
            raise with_origin(fault, request, app, system) from None

    return cast(_Resolving[P, T], told)


def with_origin(
    fault: InvalidInputError, request: SubmitRequest, app: App, system: System
) -> InvalidInputError:
    """Return *fault* with a word on where the refused value comes from, unless the request says it itself."""
    source = _source_of(fault.field, request, app, system)
    if source in ("", REQUEST):
        return fault
    holder = {APP: f"app {app.id} {app.version}", SYSTEM: f"system {system.id}"}.get(source)
    told = f"It comes from {holder}" if holder else "It is the default"
    return InvalidInputError(
        f"{fault.message} ({told}; say {fault.field} in the request to change it.)",
        field=fault.field,
        value=fault.value,
        code=fault.code,
    )


def _source_of(field: str, request: SubmitRequest, app: App, system: System) -> str:
    """Return where the value of a field comes from; "" when it is not one that is inherited."""
    if field == "jobType" and request.job_type is None:
        return APP if app.job_type is not None else ""
    if inner_name(field) not in DEFAULTS:
        return ""
    try:
        values, sources = chosen_values(request, frame_of(app, system))
    except InvalidInputError:
        return ""
    return sources[field] if values[inner_name(field)] is not None else ""


# --- single fields ----------------------------------------------------------------------------
def _head(job: Job, definition: JobDefinition, request: SubmitRequest, app: App) -> Iterator[Origin]:
    yield Origin(field="name", value=job.name, source=REQUEST, why=_written(request.name, job.name))
    description = request.description or app.job_attributes.description
    source = REQUEST if request.description else APP if description else DEFAULT
    yield Origin(
        field="description", value=job.description, source=source, why=_written(description, job.description)
    )
    yield Origin(field="appId", value=job.app_id, source=REQUEST)
    yield Origin(field="appVersion", value=job.app_version, source=REQUEST)
    yield Origin(field="runtime", value=definition.app_runtime, source=APP)
    yield Origin(field="containerImage", value=definition.container_image, source=APP)


def _fields(
    job: Job, definition: JobDefinition, request: SubmitRequest, app: App, system: System
) -> Iterator[Origin]:
    """The fields that a request, else its app, else the system says."""
    attributes, sources = app.job_attributes, definition.sources
    kind_why = "neither request nor app says one" if sources["jobType"] == SYSTEM else ""
    yield Origin(field="jobType", value=definition.job_type, source=sources["jobType"], why=kind_why)
    yield _inherited("execSystemId", definition.exec_system_id, request, attributes, SYSTEM, "chosen for it")
    if definition.exec_system_logical_queue is not None:
        field, source = "execSystemLogicalQueue", sources["execSystemLogicalQueue"]
        why = f"the default queue of {system.id}" if source == SYSTEM else ""
        yield Origin(field=field, value=definition.exec_system_logical_queue, source=source, why=why)
        yield Origin(field="hpcQueueName", value=definition.hpc_queue_name, source=QUEUE)
    for name in DEFAULTS:
        if name not in _OF_THEIR_OWN and getattr(definition, name, None) not in (None, NOT_SET):
            yield _default_field(name, definition, request, app)
    yield Origin(
        field="jobWorkingDir",
        value=definition.job_working_dir,
        source=SYSTEM,
        why=_written(system.job_working_dir, definition.job_working_dir),
    )
    yield _inherited(
        "archiveSystemId",
        definition.archive_system_id,
        request,
        attributes,
        DEFAULT,
        "outputs stay where the job runs",
    )
    yield Origin(field="archiveMode", value=definition.archive_mode, source=sources["archiveMode"])
    if definition.dtn_system_id:
        yield Origin(field="dtnSystemId", value=definition.dtn_system_id, source=SYSTEM)


#: What is told in its own way.
_OF_THEIR_OWN = frozenset({"description", "exec_system_logical_queue"})


def _default_field(name: str, definition: JobDefinition, request: SubmitRequest, app: App) -> Origin:
    field, value = wire_name(name), getattr(definition, name)
    source = definition.sources[field]
    why = ""
    if name in DIRECTORIES:
        said = request.given.get(name) if source == REQUEST else getattr(app.job_attributes, name, None)
        why = _written(said if source in (REQUEST, APP) else DEFAULTS[name], value)
        if name == "archive_system_dir" and source == DEFAULT:
            stays = value == definition.exec_system_output_dir
            why = "the output directory: nothing is moved" if stays else why
    elif name in COUNTS and source == DEFAULT:
        why = "neither request nor app says one"
    return Origin(field=field, value=value, source=source, why=why)


def _inherited(
    field: str, value: Any, request: SubmitRequest, attributes: Any, otherwise: str, why: str
) -> Origin:
    """A field of request or app that is no part of ``DEFAULTS``."""
    name = inner_name(field)
    if getattr(request, name) == value:
        return Origin(field=field, value=value, source=REQUEST)
    if getattr(attributes, name) == value:
        return Origin(field=field, value=value, source=APP)
    return Origin(field=field, value=value, source=otherwise, why=why)


def _written(said: str | None, value: str | None) -> str:
    """Tell what was written where macros have made something else of it."""
    macros = said is not None and said != value and ("${" in said or "HOST_EVAL(" in said)
    return f"written {said}" if macros else ""


# --- inputs -----------------------------------------------------------------------------------
def _inputs(definition: JobDefinition, request: SubmitRequest, app: App) -> Iterator[Origin]:
    attributes = app.job_attributes
    named = {i.name: i for i in [*(attributes.file_inputs or ()), *(attributes.file_input_arrays or ())]}
    asked = {i.name: i for i in [*(request.file_inputs or ()), *(request.file_input_arrays or ())]}
    targets = {i.target_path: i for i in attributes.file_inputs or () if not i.name}
    unnamed = [i for i in request.file_inputs or () if not i.name]
    taken: set[str | None] = set()
    for number, item in enumerate(definition.file_inputs):
        slot = item.name if item.name in named else _array_of(item.name, named)
        taken.add(slot)
        wanted, offered = asked.get(slot if slot is not None else item.name), named.get(slot)
        if slot is None:
            # One without a name is meant by its target.
            offered = targets.get(item.target_path)
            wanted = next((i for i in unnamed if i.target_path == item.target_path), wanted)
        source = APP if offered is not None and (wanted is None or not _says_source(wanted)) else REQUEST
        yield Origin(
            field=f"fileInputs {_label(item.name, number)}",
            value=f"{item.source_url} → {item.target_path}",
            source=source,
            why=_mode(getattr(offered, "input_mode", None) or ("OPTIONAL" if offered else None)),
        )
    for name, left in named.items():
        if name and name not in taken:
            yield Origin(
                field=f"fileInputs '{name}'",
                value=None,
                source=APP,
                why=f"{left.input_mode or 'OPTIONAL'}, and nobody says a sourceUrl: left out",
            )


def _array_of(name: str | None, named: Mapping[str | None, Any]) -> str | None:
    """Return the array that an input called ``<array>_<i>.<j>`` comes from."""
    array = (name or "").rpartition("_")[0]
    return array if array in named else None


def _says_source(item: Any) -> bool:
    return bool(getattr(item, "source_url", None) or getattr(item, "source_urls", None))


# --- arguments and variables ------------------------------------------------------------------
def _arguments(
    field: str,
    found: Sequence[Argument],
    asked: Sequence[ArgumentRequest] | None,
    of_app: Sequence[AppArgument] | None,
    of_queue: Sequence[AppArgument] = (),
    otherwise: tuple[str, str] = (SCRIPT, ""),
) -> Iterator[Origin]:
    """The merged arguments in order; the definition's come first, so that unnamed ones are told by place."""
    path = f"parameterSet.{field}"
    offered: list[tuple[AppArgument, str]] = [(i, QUEUE) for i in of_queue]
    offered += [(i, APP) for i in of_app or ()]
    by_name = {item.name: (item, source) for item, source in offered if item.name}
    wanted = {item.name: item for item in asked or () if item.name}
    unnamed_of_app = [item.arg for item, _ in offered if not item.name]
    unnamed_asked = [item.arg for item in asked or () if not item.name]
    for number, item in enumerate(found):
        label = f"{path} {_label(item.name, number)}"
        if item.name in by_name:
            definition, source = by_name[item.name]
            changed = item.name in wanted and wanted[item.name].arg is not None
            mode = _mode(definition.input_mode)
            written = _written(wanted[item.name].arg if changed else definition.arg, item.arg)
            why = ", ".join(filter(None, (mode, written)))
            yield Origin(field=label, value=item.arg, source=REQUEST if changed else source, why=why)
        elif item.name in wanted:
            why = _written(wanted[item.name].arg, item.arg)
            yield Origin(field=label, value=item.arg, source=REQUEST, why=why)
        elif unnamed_of_app and number < len(offered):
            yield Origin(field=label, value=item.arg, source=APP)
        elif unnamed_asked:
            written = _written(unnamed_asked.pop(0), item.arg)
            yield Origin(field=label, value=item.arg, source=REQUEST, why=written)
        else:
            yield Origin(field=label, value=item.arg, source=otherwise[0], why=otherwise[1])
    yield from _left_out(path, offered, found)


def _left_out(
    path: str, offered: Sequence[tuple[AppArgument, str]], found: Sequence[Argument]
) -> Iterator[Origin]:
    taken = {item.name for item in found}
    for item, source in offered:
        if item.name and item.name not in taken:
            mode = item.input_mode or InputMode.INCLUDE_ON_DEMAND
            yield Origin(field=f"{path} '{item.name}'", value=None, source=source, why=f"{mode}: left out")


def _options(
    definition: JobDefinition, asked: ParameterSetRequest, of_app: AppParameterSet, system: System
) -> Iterator[Origin]:
    queue = system.queues.get(definition.exec_system_logical_queue or "")
    of_queue = (queue.scheduler_options if queue else None) or ()
    profile = system.batch_scheduler_profile
    last = definition.scheduler_options[-1:]
    by_system = bool(profile and last and last[0].arg == f"--tapis-profile {profile}" and not last[0].name)
    otherwise = (SYSTEM, "its batchSchedulerProfile") if by_system else (SCRIPT, "")
    yield from _arguments(
        "schedulerOptions",
        definition.scheduler_options,
        asked.scheduler_options,
        of_app.scheduler_options,
        of_queue,
        otherwise,
    )
    if definition.scheduler_profile is not None:
        loaded = definition.scheduler_profile
        hidden = f"without {', '.join(loaded.hidden_options)}" if loaded.hidden_options else ""
        value = "; ".join(loaded.module_lines) or "loads nothing"
        yield Origin(field=f"scheduler profile {loaded.name}", value=value, source="profile", why=hidden)


def _variables(
    definition: JobDefinition, asked: ParameterSetRequest, of_app: AppParameterSet, system: System
) -> Iterator[Origin]:
    wanted = {item.key: item for item in asked.env_variables or ()}
    layers = ((APP, of_app.env_variables), (SYSTEM, system.job_env_variables))
    offered = [(source, {item.key: item for item in items or ()}) for source, items in layers]
    keys = _input_keys(definition)
    for item in definition.env_variables:
        field = f"{_ENV} {item.key}"
        if item.key in keys:
            why = f"envKey of fileInputs {keys[item.key]}"
            yield Origin(field=field, value=item.value, source=APP if _is_apps(item.key, of_app) else "input",
                         why=why)  # fmt: skip
            continue
        asked_value = wanted[item.key].value if item.key in wanted else None
        if asked_value not in (None, NOT_SET):
            source, mode = REQUEST, next((m[item.key].input_mode for _, m in offered if item.key in m), None)
        else:
            source, mode = _layer(item.key, offered)
        yield Origin(field=field, value=item.value, source=source, why=_mode(mode))
    yield from _variables_left_out(definition, offered)


def _layer(
    key: str, offered: Sequence[tuple[str, Mapping[str, EnvVariable]]]
) -> tuple[str, InputMode | None]:
    """Return the uppermost layer that gives the variable a value."""
    for source, items in offered:
        if key in items and items[key].value not in (None, NOT_SET):
            return source, items[key].input_mode
    return REQUEST, None


def _variables_left_out(
    definition: JobDefinition, offered: Sequence[tuple[str, Mapping[str, EnvVariable]]]
) -> Iterator[Origin]:
    seen = {item.key for item in definition.env_variables}
    for source, items in offered:
        for key, item in items.items():
            if key not in seen:
                seen.add(key)
                mode = item.input_mode or InputMode.INCLUDE_BY_DEFAULT
                why = "nobody gives it a value" if item.value in (None, NOT_SET) else str(mode)
                yield Origin(field=f"{_ENV} {key}", value=None, source=source, why=f"{why}: left out")


def _input_keys(definition: JobDefinition) -> dict[str, str]:
    inputs = enumerate(definition.file_inputs)
    return {i.env_key: _label(i.name, number) for number, i in inputs if i.env_key}


def _is_apps(key: str, of_app: AppParameterSet) -> bool:
    return any(item.key == key for item in of_app.env_variables or ())


# --- the rest ---------------------------------------------------------------------------------
def _logs_and_filter(
    definition: JobDefinition, asked: ParameterSetRequest, of_app: AppParameterSet
) -> Iterator[Origin]:
    logs = (asked.log_config, of_app.log_config)
    said = [
        source for source, part in zip((REQUEST, APP), logs, strict=True) if part and part.stdout_filename
    ]
    for name in ("stdout_filename", "stderr_filename"):
        yield Origin(
            field=f"parameterSet.logConfig.{wire_name(name)}",
            value=getattr(definition, name),
            source=said[0] if said else DEFAULT,
        )
    chosen = definition.archive_filter
    filters = (asked.archive_filter, of_app.archive_filter)
    for name in ("includes", "excludes"):
        for pattern in getattr(chosen, name):
            own = (getattr(asked.archive_filter, name) or ()) if asked.archive_filter else ()
            source = REQUEST if pattern in own else APP
            yield Origin(field=f"parameterSet.archiveFilter.{name}", value=pattern, source=source)
    parts = zip((REQUEST, APP), filters, strict=True)
    flag = [source for source, part in parts if part and part.include_launch_files is not None]
    yield Origin(
        field="parameterSet.archiveFilter.includeLaunchFiles",
        value=chosen.include_launch_files,
        source=flag[0] if flag else DEFAULT,
    )


def _rest(definition: JobDefinition, request: SubmitRequest, app: App) -> Iterator[Origin]:
    for tag in definition.tags:
        yield Origin(field="tags", value=tag, source=REQUEST if tag in (request.tags or ()) else APP)
    own = len(request.subscriptions or ())
    for number, item in enumerate(definition.subscriptions):
        to = ", ".join(str(t.get("deliveryAddress")) for t in item.get("deliveryTargets") or ())
        value = f"{item.get('eventCategoryFilter')} → {to}"
        yield Origin(field=f"subscriptions [{number}]", value=value, source=REQUEST if number < own else APP)
    if definition.notes:
        source = REQUEST if request.notes is not None else APP
        yield Origin(field="notes", value=definition.notes, source=source)


def _label(name: str | None, number: int) -> str:
    return f"'{name}'" if name else f"[{number}]"


def _mode(mode: Any) -> str:
    return str(mode) if mode else ""
