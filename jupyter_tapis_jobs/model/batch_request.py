"""What a batch script says becomes the request's: its fields, log files and scheduler options.

What the request says itself goes before the script, and the script before the app.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .batch_script import BatchScript, Directive
from .errors import did_you_mean
from .paths import relative
from .request import SubmitRequest
from .scheduler_options import read_option
from .slurm_values import megabytes_of, minutes_of, number_of
from .system import LogicalQueue, System

#: Options that are told as fields of the job, not as schedulerOptions.
_FIELDS = frozenset(
    {"--nodes", "--ntasks", "--ntasks-per-node", "--cpus-per-task", "--time", "--mem", "--mem-per-cpu"}
    | {"--partition", "--output", "--error"}
)
_LOGS = {"--output": "stdoutFilename", "--error": "stderrFilename"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedRequest:
    """A request with what its batch script says."""

    raw: dict[str, Any]
    #: Wire names of the fields whose value comes from the script.
    fields: frozenset[str] = frozenset()
    #: The number of tasks, where it is not nodeCount x coresPerNode.
    task_count: int | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Shape:
    """How many nodes, tasks and cores for each task."""

    nodes: int
    cores: int
    tasks: int
    tasks_per_node: int
    cores_per_task: int


def with_batch_script(
    raw: Mapping[str, Any], request: SubmitRequest, script: BatchScript, system: System
) -> ScriptedRequest:
    """Lay *script* under *request*, which *raw* says in Tapis's words.

    Raises ``InvalidInputError``, naming the line, for a value that the job cannot have.
    """
    said, fields = request.given, dict[str, Any]()
    queue = _queue(said, script, system, fields)
    shape = _shape(said, script, queue)
    if shape is not None:
        fields |= {"nodeCount": shape.nodes, "coresPerNode": shape.cores}
    fields |= dict(_time(script, queue))
    fields |= dict(_memory(script, queue, shape.cores if shape else 1))
    own = {name: value for name, value in fields.items() if not _is_said(said, name)}
    parameters = dict(raw.get("parameterSet") or {})
    logs = _logs(script) if not parameters.get("logConfig") else {}
    if logs:
        parameters["logConfig"] = logs
    options = [*_options(parameters, script, shape, has_logs=bool(logs or parameters.get("logConfig")))]
    parameters["schedulerOptions"] = [*options, *(parameters.get("schedulerOptions") or ())]
    is_plain = shape is None or shape.tasks == shape.nodes * shape.cores
    return ScriptedRequest(
        raw={**raw, **own, "parameterSet": parameters},
        fields=frozenset(own),
        task_count=None if is_plain or shape is None else shape.tasks,
        warnings=(*script.warnings, *_warnings(said, own, system)),
    )


#: wire name -> the request's own name of the field.
_NAMES = {
    "nodeCount": "node_count",
    "coresPerNode": "cores_per_node",
    "memoryMB": "memory_mb",
    "maxMinutes": "max_minutes",
    "execSystemLogicalQueue": "exec_system_logical_queue",
}


def _is_said(said: Mapping[str, Any], wire_name: str) -> bool:
    value = said.get(_NAMES[wire_name])
    return value is not None and (isinstance(value, str) or value > 0)


def _warnings(said: Mapping[str, Any], own: Mapping[str, Any], system: System) -> Iterator[str]:
    """What sbatch would have taken from the site is the app's here."""
    for name, what in (("maxMinutes", "time limit"), ("memoryMB", "memory")):
        if name not in own and not _is_said(said, name) and not (what == "memory" and _has_profile(system)):
            yield f"the script asks for no {what}: {name} is that of the app."


def _has_profile(system: System) -> bool:
    return bool(system.batch_scheduler_profile)


def _queue(
    said: Mapping[str, Any], script: BatchScript, system: System, fields: dict[str, Any]
) -> LogicalQueue | None:
    """Return the queue the job will have, for its limits; enter it where the script names it."""
    asked = said.get("exec_system_logical_queue")
    partition = script.directives.get("--partition")
    if asked or partition is None:
        return system.queues.get(asked or system.batch_default_logical_queue or "")
    queue = _queue_of(partition, system)
    fields["execSystemLogicalQueue"] = queue.name
    return queue


def _queue_of(partition: Directive, system: System) -> LogicalQueue:
    if "," in partition.value:
        raise partition.wrong("names several partitions. Choose one of them.")
    default = system.queues.get(system.batch_default_logical_queue or "")
    for queue in (*filter(None, [default]), *system.queues.values()):
        if queue.hpc_queue_name == partition.value:
            return queue
    known = [queue.hpc_queue_name for queue in system.queues.values()]
    raise partition.wrong(
        f"is no partition of a queue of {system.id}.{did_you_mean(partition.value, known)} "
        f"Partitions: {', '.join(dict.fromkeys(known)) or 'none'}."
    )


def _shape(said: Mapping[str, Any], script: BatchScript, queue: LogicalQueue | None) -> _Shape | None:
    """Return nodes, cores and tasks as sbatch would count them; None where the script names none."""
    nodes, tasks, each, cores_per_task = (
        _number(script, name) for name in ("--nodes", "--ntasks", "--ntasks-per-node", "--cpus-per-task")
    )
    if nodes is tasks is each is cores_per_task is None:
        return None
    per_task = cores_per_task or 1
    base = nodes or _needed_nodes(tasks, each, per_task, queue)
    per_node = each or _ceil(tasks or base, base)
    total = tasks or base * per_node
    if _is_said(said, "nodeCount"):
        base = said["node_count"]
        total = base * per_node
    cores = per_node * per_task
    if _is_said(said, "coresPerNode"):
        cores = said["cores_per_node"]
        per_task = min(per_task, cores)
        per_node = cores // per_task
        total = base * per_node
    return _Shape(base, cores, total, per_node, per_task)


def _needed_nodes(tasks: int | None, each: int | None, per_task: int, queue: LogicalQueue | None) -> int:
    """Where the script leaves the number of nodes to Slurm: as few as hold the tasks."""
    if tasks is None:
        return 1
    most = (queue.max_cores_per_node if queue else None) or 0
    fit = each or (max(1, most // per_task) if most > 0 else tasks)
    return _ceil(tasks, fit)


def _ceil(number: int, by: int) -> int:
    return -(-number // by)


def _number(script: BatchScript, name: str) -> int | None:
    directive = script.directives.get(name)
    if directive is None:
        return None
    number = number_of(directive.value)
    if number is None:
        raise directive.wrong("is not one number. Write a whole number, from 1 on.")
    return number


def _time(script: BatchScript, queue: LogicalQueue | None) -> Iterator[tuple[str, int]]:
    directive = script.directives.get("--time")
    if directive is None:
        return
    minutes = minutes_of(directive.value)
    if minutes is None:
        raise directive.wrong("is no time. Write minutes, h:mm:ss, or days-hours.")
    most = (queue.max_minutes if queue else None) or 0
    if not minutes and most <= 0:
        raise directive.wrong("sets no time limit, and a job has one. Write a time, or give maxMinutes.")
    yield "maxMinutes", minutes or most


def _memory(script: BatchScript, queue: LogicalQueue | None, cores: int) -> Iterator[tuple[str, int]]:
    whole, per_core = script.directives.get("--mem"), script.directives.get("--mem-per-cpu")
    if whole and per_core:
        raise per_core.wrong(f"and --mem in line {whole.line} exclude each other. Keep one of them.")
    directive = whole or per_core
    if directive is None:
        return
    amount = megabytes_of(directive.value)
    if amount is None:
        raise directive.wrong("is no amount of memory. Write for example 4000, 4000M or 4G.")
    most = (queue.max_memory_mb if queue else None) or 0
    if not amount and most <= 0:
        raise directive.wrong("asks for all memory of a node, which is not known here. Give memoryMB.")
    yield "memoryMB", (amount * (cores if per_core else 1)) or most


def _logs(script: BatchScript) -> dict[str, str]:
    """Return the log files where they are names within the job's own directory; Slurm writes the others."""
    names = {key: _file_name(script.value(option)) for option, key in _LOGS.items() if script.value(option)}
    if not names or None in names.values():
        return {}
    # Without --error both streams go to the one file.
    output = names.get("stdoutFilename") or "tapisjob.out"
    return {"stdoutFilename": output, "stderrFilename": names.get("stderrFilename") or output}


def _file_name(text: str | None) -> str | None:
    """Return a file name that says the same to Tapis; None where Slurm would put something in."""
    if not text or text.startswith("/") or "%" in text.replace("%%", "") or "\\" in text or "${" in text:
        return None
    name = text.replace("%%", "%")
    return None if ".." in name.split("/") else relative(name) or None


def _options(
    parameters: Mapping[str, Any], script: BatchScript, shape: _Shape | None, *, has_logs: bool
) -> Iterator[dict[str, Any]]:
    """Yield what stays an option, unless the request has one of the same name."""
    asked = {read_option(o.get("arg") or "")[0] for o in parameters.get("schedulerOptions") or ()}
    for name, directive in script.directives.items():
        value = _value(directive, shape)
        is_ours = name in _FIELDS and value is None and not (name in _LOGS and not has_logs)
        if is_ours or name in asked or (name == "--export" and directive.value == "ALL"):
            continue
        final = directive.value if value is None else value
        yield {
            "arg": f"{name}={_quoted(final)}" if final else name,
            "description": f"line {directive.line} of the script",
        }


def _quoted(value: str) -> str:
    """A value with blanks comes in quotes, lest it look like several options."""
    return value if " " not in value else f"'{value}'" if "'" not in value else f'"{value}"'


def _value(directive: Directive, shape: _Shape | None) -> str | None:
    """Return the value of an option that srun reads as well, None for the others."""
    if shape is None:
        return None
    return {
        "--ntasks-per-node": str(shape.tasks_per_node),
        "--cpus-per-task": str(shape.cores_per_task),
    }.get(directive.name)
