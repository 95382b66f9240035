"""What is run: a runtime turns a job's definition into the lines of its launch script."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ..model.arguments import shell_words
from ..model.job import Job, JobDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchLines:
    """What a runtime contributes to ``tapisjob.sh``, and the text of ``tapisjob.env``.

    All but *environment* is text of a POSIX shell whose directory is the job's execution directory.
    """

    #: Shell line that runs the application in the foreground, without redirections.
    command: str
    environment: str
    #: What stands before it, in the same subshell and with the application's own output.
    before: tuple[str, ...] = ()
    #: Functions that the lines below use, ended by a newline.
    helpers: str = ""
    #: What the launch script does between starting that subshell (``$app``) and telling of the start.
    until_started: tuple[str, ...] = ()
    #: What it does besides, when it is asked to end.
    when_asked_to_end: str = ""
    #: What it does once the application has ended, with ``$code``.
    after: tuple[str, ...] = ()


class Runtime(Protocol):
    """One kind of app: ZIP, DOCKER or SINGULARITY."""

    name: str

    def launch_lines(self, job: Job, definition: JobDefinition, executable: str | None) -> LaunchLines:
        """Return the launch lines of *job*.

        *executable* is what its image became on the host: the program that an unpacked archive starts, or
        the path of an image that was brought there; None where it stays as the definition names it.
        """
        ...

    def leftover(self, uuid: str) -> str:
        """Return the shell text that ends what a job may run outside its own processes; '' for nothing.

        It runs in the job's execution directory, more than once if need be; nothing is left when it succeeds.
        """
        ...

    def trouble(self, definition: JobDefinition, code: int, text: str) -> str | None:
        """Return why the application never began, in a sentence that ends with the way out.

        *code* is the exit code, *text* the end of what was written. None: it was the application's own end.
        """
        ...


def prefix_words(definition: JobDefinition) -> str:
    """Return what stands before the program: whoever signals the job reaches it, or its mpirun.

    With a cmdPrefix the shell has to stay, for it may be a word of the shell's own ("time"); so it has
    with a mpiCmd that begins by setting a variable.
    """
    if definition.is_mpi and definition.mpi_cmd:
        words = shell_words(definition.mpi_cmd, "mpiCmd")
        return words if _ASSIGNMENT.match(words) else f"exec {words}"
    return shell_words(definition.cmd_prefix, "cmdPrefix") if definition.cmd_prefix else "exec"


_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=", re.ASCII)


def why(meanings: Iterable[tuple[str, str]], line: str, image: str) -> str:
    """Return what a tool's last *line* means: the sentence of the first pattern that is in it."""
    said = line if line.endswith(".") else f"{line}."
    return next(
        sentence.format(line=said, image=image)
        for pattern, sentence in meanings
        if re.search(pattern, line, re.IGNORECASE)
    )
