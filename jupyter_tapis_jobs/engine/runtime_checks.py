"""Can this app's image run on that system? Said at submission, as far as it is known then."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from ..model.app import App
from ..model.errors import InvalidInputError
from ..model.fields import JobType, RuntimeType
from ..model.job import JobDefinition
from ..model.system import System
from ..model.texts import shown
from .discovery import NOTES
from .systems import LOCAL

#: The programs by which each runtime is had, the one that Tapis itself calls first.
TOOLS: Mapping[RuntimeType, tuple[str, ...]] = {
    RuntimeType.DOCKER: ("docker", "podman"),
    RuntimeType.SINGULARITY: ("singularity", "apptainer"),
    RuntimeType.ZIP: (),
}
#: What a shell keeps for itself (bash(1), "Shell Variables"): a file that sets one is an error there.
_SHELLS_OWN = frozenset({"BASHOPTS", "BASH_VERSINFO", "EUID", "PPID", "SHELLOPTS", "UID", "GID"})


#: How the images of other runtimes begin.
_NO_DOCKER = ("/", "tapis:", "http:", "https:", "library:", "oras:")


def here() -> list[dict[str, Any]]:
    """Return the ``jobRuntimes`` of this machine: ZIP needs nothing, containers their program."""
    found = [
        {"runtimeType": kind.value, "version": tool}
        for kind, tools in TOOLS.items()
        for tool in tools
        if shutil.which(tool)
    ]
    return [{"runtimeType": RuntimeType.ZIP.value}, *found]


def with_runtime(definition: JobDefinition, app: App, system: System) -> JobDefinition:
    """Return *definition* with the tool that app or system names, and with what is worth knowing.

    Raises ``InvalidInputError`` for what cannot run.
    """
    _refuse_bad_image(definition, app)
    _refuse_shells_own(definition)
    if app.runtime is RuntimeType.ZIP:
        return definition
    offered = [kind for kind in system.job_runtimes or () if kind.runtime_type is app.runtime]
    words = [app.runtime_version, *(kind.version for kind in offered)]
    tool = next(_tools_in(words, app.runtime), None)
    warnings = definition.warnings if offered else (*definition.warnings, _missing(definition, app, system))
    return dataclasses.replace(definition, runtime_tool=tool, warnings=warnings)


def _tools_in(words: list[str | None], runtime: RuntimeType) -> Iterator[str]:
    """Yield the tools that versions such as ``podman 4.9.4`` begin with."""
    firsts = ((word or "").split() for word in words)
    return (first[0].lower() for first in firsts if first and first[0].lower() in TOOLS[runtime])


def _missing(definition: JobDefinition, app: App, system: System) -> str:
    """Return what is said of a system that does not name the runtime; refuse where it was looked for."""
    names = ", ".join(dict.fromkeys(kind.runtime_type.value for kind in system.job_runtimes or ()))
    tools = " or ".join(TOOLS[app.runtime])
    was_looked_at = system.id == LOCAL or NOTES in (system.notes or {})
    if was_looked_at and definition.job_type == JobType.FORK:
        raise InvalidInputError(
            f"app {app.id} is a {app.runtime} app, and system {system.id} has no {tools}: its jobRuntimes "
            f"are {names}. Choose another system; once {tools} is there, have the host looked at again "
            "(or name the runtime in jobRuntimes).",
            field="execSystemId",
            value=system.id,
        )
    return (
        f"system {system.id} does not name {app.runtime} among its jobRuntimes ({names}); the job is started "
        f"all the same, and needs {tools} there."
    )


def _refuse_bad_image(definition: JobDefinition, app: App) -> None:
    image = definition.container_image
    if image.startswith("-") or (" " in image and not image.startswith("/")):
        why = "is no image: it begins like an option or holds a blank"
    elif app.runtime is RuntimeType.DOCKER and image.startswith(_NO_DOCKER):
        why = (
            "is no image of Docker's. Write it as [registry/]name[:tag]; files and library:// are images of "
            "SINGULARITY or ZIP apps"
        )
    else:
        return
    raise InvalidInputError(
        f"containerImage {shown(image)} of app {app.id} {why}.", field="containerImage", value=image
    )


def _refuse_shells_own(definition: JobDefinition) -> None:
    """Docker takes any name; the other env files are read by a shell."""
    if definition.app_runtime == RuntimeType.DOCKER:
        return
    for variable in definition.env_variables:
        if variable.key in _SHELLS_OWN:
            raise InvalidInputError(
                f"parameterSet.envVariables '{variable.key}' is a variable that a shell keeps for itself and "
                "nobody can set. Give it another name.",
                field="parameterSet.envVariables",
                value=variable.key,
            )
