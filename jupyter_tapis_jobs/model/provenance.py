"""Where each value of a job comes from: its request, batch script, app, queue, system, or a default.

Told of a job that is resolved, for people who check a request before they submit it. Nothing here is
needed to run a job, so accepting thousands costs nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from .app import App
from .errors import InvalidInputError
from .fields import NOT_SET
from .inheritance import COUNTS, DEFAULTS, DIRECTORIES, chosen_values, frame_of
from .job import Job, JobDefinition
from .names import inner_name, wire_name
from .origin import APP, DEFAULT, QUEUE, REQUEST, SYSTEM, Origin, as_written, label_of, mode_of
from .parameter_origins import parameter_origins
from .request import SubmitRequest
from .system import System

P = ParamSpec("P")
T = TypeVar("T")
#: Makes something of a request, its app and its system.
_Resolving = Callable[Concatenate[SubmitRequest, App, System, P], T]


def origins_of(
    job: Job, definition: JobDefinition, request: SubmitRequest, app: App, system: System
) -> list[Origin]:
    """Return every value of a resolved job with its origin, in the order of a request."""
    return [
        *_head(job, definition, request, app),
        *_fields(job, definition, request, app, system),
        *_inputs(definition, request, app),
        *parameter_origins(definition, request, app, system),
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
    yield Origin(field="name", value=job.name, source=REQUEST, why=as_written(request.name, job.name))
    description = request.description or app.job_attributes.description
    source = REQUEST if request.description else APP if description else DEFAULT
    yield Origin(
        field="description",
        value=job.description,
        source=source,
        why=as_written(description, job.description),
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
        why=as_written(system.job_working_dir, definition.job_working_dir),
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
        why = as_written(said if source in (REQUEST, APP) else DEFAULTS[name], value)
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
            field=f"fileInputs {label_of(item.name, number)}",
            value=f"{item.source_url} → {item.target_path}",
            source=source,
            why=mode_of(getattr(offered, "input_mode", None) or ("OPTIONAL" if offered else None)),
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
