"""How each batch scheduler is told of a job: one row a scheduler, so that nobody else asks which it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from . import directives, submit_description
from .job import Job, JobDefinition
from .scheduler_options import refuse_option_of_dask, refuse_unusable_option
from .submit_commands import refuse_unusable_command
from .system import SchedulerType


def _refuse_nothing(job: Job, definition: JobDefinition) -> None:
    """Slurm itself says what it does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLanguage:
    """The words of one scheduler, and where the launch script says them."""

    #: What the scheduler is told of a job, as a table of words that can be compared.
    directives: Callable[[Job, JobDefinition], tuple[str, ...]]
    #: The comment lines of the launch script that say it.
    as_lines: Callable[[Iterable[str]], str]
    #: Raises ``InvalidInputError`` for an entry of schedulerOptions that cannot be.
    refuse_option: Callable[[str], None]
    #: Raises ``InvalidInputError`` for a job that the scheduler cannot run.
    refuse_job: Callable[[Job, JobDefinition], None]
    #: What the launch script adds to its claim: the scheduler's number, how often the job began before.
    claim_word: str
    #: What is said of jobs that start as one array, named so: from the words for one of them.
    of_array: Callable[[tuple[str, ...], str], tuple[str, ...]] = lambda directives, name: directives
    #: Whether an allocation can be shared; HTCondor gives a claimed slot to the next job of a cluster itself.
    can_pack: bool = False
    #: Whether jobs wait for nodes of their own: Dask's workers are there already.
    has_allocations: bool = True
    #: Whether the launch script ends with the exit code of the job, for the scheduler's own books.
    tells_exit: bool = True
    #: Lines before the application.
    prelude: str = ""


LANGUAGES: dict[str, BatchLanguage] = {
    SchedulerType.SLURM: BatchLanguage(
        directives=directives.directives_of,
        as_lines=directives.as_lines,
        refuse_option=refuse_unusable_option,
        refuse_job=_refuse_nothing,
        of_array=directives.array_options,
        can_pack=True,
        claim_word=" slurm:${SLURM_JOB_ID:-0}:${SLURM_RESTART_COUNT:-0}",
        # An srun of its own gets the environment of the job.
        prelude="export SLURM_EXPORT_ENV=ALL\n",
    ),
    SchedulerType.CONDOR: BatchLanguage(
        directives=submit_description.commands_of,
        as_lines=submit_description.as_lines,
        refuse_option=refuse_unusable_command,
        refuse_job=submit_description.refuse_unfit,
        claim_word=" condor:${CONDOR_JOB_ID:-0}:0",
    ),
    # A task is told nothing, and counts nothing of its own.
    SchedulerType.DASK: BatchLanguage(
        directives=lambda job, definition: (),
        as_lines=lambda words: "",
        refuse_option=refuse_option_of_dask,
        refuse_job=_refuse_nothing,
        claim_word="",
        has_allocations=False,
        tells_exit=False,
    ),
}


def language_of(definition: JobDefinition) -> BatchLanguage:
    """Return the language of a BATCH job; one that is only looked at without a scheduler has Slurm's."""
    return LANGUAGES.get(definition.batch_scheduler or "", LANGUAGES[SchedulerType.SLURM])
