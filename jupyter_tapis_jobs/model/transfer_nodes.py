"""Data transfer nodes: hosts that share the storage of a system and carry the bytes of its jobs.

Source: Tapis Jobs, "DTN". A system names its node (``dtnSystemId``), a job the directories on the shared
storage where bytes arrive and from where they leave; without them the execution host carries them itself.
"""

from __future__ import annotations

from .errors import InvalidInputError
from .job import Job, JobDefinition
from .paths import join, within
from .system import System


def node_of(definition: JobDefinition) -> str | None:
    """Return the system that carries the bytes of a job; None where none does."""
    is_used = definition.dtn_system_input_dir or definition.dtn_system_output_dir
    return definition.dtn_system_id if is_used else None


def refuse_bad_node(definition: JobDefinition, node: System) -> None:
    """Raise ``InvalidInputError`` unless *node* can carry the bytes of a job."""
    here = definition.exec_system_id
    if node.id == here:
        why = "is the execution system itself"
    elif not node.enabled:
        why = "is disabled"
    elif (node.root_dir or "/") != definition.root_dir:
        why = f"has rootDir {node.root_dir}, and {here} has {definition.root_dir}: they must be the same"
    else:
        return
    raise InvalidInputError(
        f"dtnSystemId {node.id} of system {here} {why}. Set dtnSystemInputDir and dtnSystemOutputDir to "
        "'!tapis_not_set' to do without it, or have the system's owner correct it.",
        field="dtnSystemId",
        value=node.id,
    )


def inputs_arrive(job: Job, definition: JobDefinition) -> str | None:
    """Return the absolute path where inputs arrive that a node carries; None where none does.

    It is the input directory itself where the node's directory is not apart from the job's own.
    """
    return _own_place(job, definition, definition.dtn_system_input_dir, definition.exec_system_input_dir)


def outputs_leave(job: Job, definition: JobDefinition) -> str | None:
    """Return the absolute path from where a node carries outputs; None where none does.

    It is the output directory itself where the node's directory is not apart from the job's own.
    """
    return _own_place(job, definition, definition.dtn_system_output_dir, definition.exec_system_output_dir)


def _own_place(job: Job, definition: JobDefinition, directory: str | None, own: str) -> str | None:
    """A directory that names its job is the job's own; in any other it gets one of its own."""
    if not directory or not definition.dtn_system_id:
        return None
    place = join(definition.root_dir, directory)
    if job.uuid not in place.split("/"):
        place = f"{place}/{job.uuid}"
    here = (
        definition.exec_system_exec_dir,
        definition.exec_system_input_dir,
        definition.exec_system_output_dir,
    )
    folders = [join(definition.root_dir, folder) for folder in here]
    if any(within(folder, place) or within(place, folder) for folder in folders):
        return join(definition.root_dir, own)
    return place
