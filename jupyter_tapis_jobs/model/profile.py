"""A scheduler profile: what a site's Slurm needs or does not take (Tapis Systems, "Scheduler Profiles")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from pydantic import Field

from .arguments import shell_words
from .fields import StoredModel
from .job import JobProfile
from .stored import parse_stored, to_wire

_COMMAND = "moduleLoads.moduleLoadCommand"
_MODULES = "moduleLoads.modulesToLoad"
#: Commands that do no more than to load modules, and names of modules that are no paths.
_LOADERS = frozenset({"module load", "module add", "module purge", "ml", "ml load"})
_MODULE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+-]*([./][A-Za-z0-9_+-]+)*")


class HiddenOption(StrEnum):
    """An option of sbatch that Tapis would write and the site refuses."""

    MEM = "MEM"
    PARTITION = "PARTITION"


class ModuleLoad(StoredModel):
    """One command that makes software available, and what it is to load."""

    module_load_command: str = Field(min_length=1, max_length=1024, description="For example 'module load'.")
    modules_to_load: list[str] | None = Field(None, description="None or empty: the command stands alone.")


class SchedulerProfile(StoredModel):
    """What is different at one site."""

    name: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9\-._~]*$")
    tenant: str | None = None
    description: str | None = Field(None, max_length=2048)
    owner: str | None = Field(None, max_length=64, description="Default: the caller.")
    module_loads: list[ModuleLoad] | None = None
    hidden_options: list[HiddenOption] | None = None
    uuid: str | None = None
    created: str | None = None
    updated: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return every attribute in Tapis's words, null when unset."""
        return to_wire(self)

    @property
    def is_harmless(self) -> bool:
        """True when it loads nothing but modules of the site, by name: no command and no path of its own."""
        return all(
            load.module_load_command.strip() in _LOADERS
            and all(_MODULE.fullmatch(module) for module in load.modules_to_load or ())
            for load in self.module_loads or ()
        )

    def for_job(self) -> JobProfile:
        """Return what a job keeps of the profile: later changes do not reach it."""
        return JobProfile(
            name=self.name, module_lines=tuple(self._lines()), hidden_options=tuple(self.hidden_options or ())
        )

    def _lines(self) -> Iterator[str]:
        """Yield ``module load apptainer`` for each module; ``$NAME`` expands on the host, nothing else."""
        for load in self.module_loads or ():
            command = shell_words(load.module_load_command, _COMMAND)
            for module in load.modules_to_load or ("",):
                yield f"{command} {shell_words(module, _MODULES)}".rstrip()


def parse_profile(raw: Mapping[str, Any]) -> tuple[SchedulerProfile, list[str]]:
    """Read a profile; returns it and what to tell its owner. Raises ``InvalidInputError``."""
    profile, warnings = parse_stored(SchedulerProfile, raw, "scheduler profile")
    profile.for_job()
    return profile, warnings
