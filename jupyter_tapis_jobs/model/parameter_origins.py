"""Where the parts of a job's ``parameterSet`` come from: arguments, options, variables, logs, filter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .app import App, AppArgument, AppParameterSet, EnvVariable
from .fields import NOT_SET, InputMode
from .job import Argument, JobDefinition
from .names import wire_name
from .origin import APP, DEFAULT, QUEUE, REQUEST, SCRIPT, SYSTEM, Origin, as_written, label_of, mode_of
from .request import ArgumentRequest, ParameterSetRequest, SubmitRequest
from .system import System

_ENV = "parameterSet.envVariables"


def parameter_origins(
    definition: JobDefinition, request: SubmitRequest, app: App, system: System
) -> Iterator[Origin]:
    """Yield every value of a resolved job's ``parameterSet`` with its origin, in the order of a request."""
    asked = request.parameter_set or ParameterSetRequest.model_validate({})
    of_app = app.job_attributes.parameter_set or AppParameterSet.model_validate({})
    yield from _arguments("appArgs", definition.app_args, asked.app_args, of_app.app_args)
    yield from _arguments(
        "containerArgs", definition.container_args, asked.container_args, of_app.container_args
    )
    yield from _options(definition, asked, of_app, system)
    yield from _variables(definition, asked, of_app, system)
    yield from _logs_and_filter(definition, asked, of_app)


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
        label = f"{path} {label_of(item.name, number)}"
        if item.name in by_name:
            definition, source = by_name[item.name]
            changed = item.name in wanted and wanted[item.name].arg is not None
            mode = mode_of(definition.input_mode)
            written = as_written(wanted[item.name].arg if changed else definition.arg, item.arg)
            why = ", ".join(filter(None, (mode, written)))
            yield Origin(field=label, value=item.arg, source=REQUEST if changed else source, why=why)
        elif item.name in wanted:
            why = as_written(wanted[item.name].arg, item.arg)
            yield Origin(field=label, value=item.arg, source=REQUEST, why=why)
        elif unnamed_of_app and number < len(offered):
            yield Origin(field=label, value=item.arg, source=APP)
        elif unnamed_asked:
            written = as_written(unnamed_asked.pop(0), item.arg)
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
        yield Origin(field=field, value=item.value, source=source, why=mode_of(mode))
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
    return {i.env_key: label_of(i.name, number) for number, i in inputs if i.env_key}


def _is_apps(key: str, of_app: AppParameterSet) -> bool:
    return any(item.key == key for item in of_app.env_variables or ())


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
