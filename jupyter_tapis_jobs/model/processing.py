"""What is done once with the outputs of a job that has ended: ``notes.tapisjobs.process``, and how it stands.

A package offers functions to the server by entry points of the group ``GROUP``::

    [project.entry-points."jupyter_tapis_jobs.process"]
    peaks = "my_package:peaks"

A request names one, or says that a function of the kernel that waits for the job does it. What such a
function returns is kept with the job. (Tethys calls it ``process_results``.)
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .errors import InvalidInputError, did_you_mean
from .note_values import is_number
from .status import TERMINAL, JobStatus
from .texts import refuse_control, shown

#: Where it stands in a request's notes, and the entry points of packages.
SECTION, KEY, GROUP = "tapisjobs", "process", "jupyter_tapis_jobs.process"
_FIELD = f"notes.{SECTION}.{KEY}"
#: Bytes of a result as JSON, and characters of what went wrong.
MOST_BYTES, MOST_TOLD = 256 * 1024, 16 * 1024
#: What is taken where nothing is said.
MINUTES, RETRIES = 10.0, 2
_LONGEST_NAME, _MOST_MINUTES, _MOST_RETRIES = 128, 1440.0, 10


class Runs(StrEnum):
    """Who runs the function."""

    #: A worker process of the server.
    SERVER = "server"
    #: A kernel whose ``job.wait()`` has the function.
    KERNEL = "kernel"


class ProcessingStatus(StrEnum):
    """How the processing of a job stands."""

    #: The job has not ended, or its turn has not come.
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    #: ``result`` is what the function returned.
    FINISHED = "FINISHED"
    #: ``problem`` tells why, and nobody tries again by himself.
    FAILED = "FAILED"
    #: The job ended in a way that is not to be processed.
    SKIPPED = "SKIPPED"

    @property
    def is_over(self) -> bool:
        """True when nothing happens by itself any more."""
        return self in (ProcessingStatus.FINISHED, ProcessingStatus.FAILED, ProcessingStatus.SKIPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessWish:
    """What a request wants done: a function by name, for how long at most, how often, after which ends."""

    name: str
    runs: Runs = Runs.SERVER
    max_minutes: float = MINUTES
    #: Further attempts after the first.
    retries: int = RETRIES
    on: tuple[JobStatus, ...] = (JobStatus.FINISHED,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an attempt has come to: ``result`` is JSON text, or None where ``problem`` tells what is wrong."""

    result: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """How the processing of one job stands. ``due`` is when the server looks at it next."""

    job_id: int
    job_uuid: str
    owner: str
    wish: ProcessWish
    status: ProcessingStatus
    attempts: int
    due: str | None
    #: The attempt of a kernel that may tell its outcome.
    claim: str | None
    result: str | None
    problem: str | None
    created: str
    updated: str

    @property
    def may_try_again(self) -> bool:
        """True while attempts are left."""
        return self.attempts <= self.wish.retries


def process_wish(notes: Mapping[str, Any] | None) -> ProcessWish | None:
    """Return what *notes* want done with the job's outputs; None where they say nothing.

    Raises ``InvalidInputError`` that names what is wrong in ``notes.tapisjobs.process``.
    """
    section = (notes or {}).get(SECTION)
    value = section.get(KEY) if isinstance(section, Mapping) else None
    if value is None:
        return None
    given = {"name": value} if isinstance(value, str) else value
    if not isinstance(given, Mapping):
        raise _wrong("", value, "give the name of a function, or {'name': …, 'maxMinutes': 5}")
    unknown = next((str(key) for key in given if key not in _KEYS), None)
    if unknown is not None:
        hint = did_you_mean(unknown, _KEYS)
        raise _wrong(f".{unknown}", given[unknown], f"there is no such key.{hint} Keys: {', '.join(_KEYS)}")
    name = given.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_NAME:
        raise _wrong(".name", name, f"give the name of a function, 1 to {_LONGEST_NAME} characters")
    refuse_control(name, f"{_FIELD}.name")
    return ProcessWish(
        name=name,
        runs=_runs(given.get("runs")),
        max_minutes=_minutes(given.get("maxMinutes")),
        retries=_retries(given.get("retries")),
        on=_ends(given.get("on")),
    )


def refuse_not_offered(name: str, offered: Collection[str]) -> None:
    """Raise ``InvalidInputError`` unless *name* is one of the functions that packages offer."""
    if name in offered:
        return
    listed = ", ".join(sorted(offered)[:20])
    known = (
        f"Functions that are offered: {listed}"
        if offered
        else f'no installed package offers one (entry points of the group "{GROUP}" in the server\'s Python)'
    )
    raise InvalidInputError(
        f"{_FIELD}.name {shown(name)} is no function of this server.{did_you_mean(name, offered)} {known}.",
        field=f"{_FIELD}.name",
        value=name,
    )


def with_process(notes: Mapping[str, Any] | None, value: Any) -> dict[str, Any]:
    """Return *notes* that also want *value* done; of a function of the kernel only its name is told."""
    if callable(value):
        value = {"name": getattr(value, "__name__", "function")[:_LONGEST_NAME], "runs": Runs.KERNEL.value}
    section = (notes or {}).get(SECTION)
    return {**(notes or {}), SECTION: {**(section if isinstance(section, Mapping) else {}), KEY: value}}


def result_text(value: Any) -> str:
    """Return a result as JSON text; raises ``InvalidInputError`` for what JSON cannot say, or too much."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as fault:
        raise InvalidInputError(
            f"The function returned what JSON cannot say ({fault}). Return numbers, texts, lists and "
            "mappings with texts as keys: float(x) of a number of numpy, None for NaN.",
            field="result",
        ) from fault
    if size > MOST_BYTES:
        raise InvalidInputError(
            f"The result has {size:,} bytes as JSON; at most {MOST_BYTES:,} are kept with a job. "
            "Return less, and leave the rest in a file.",
            field="result",
        )
    return text


def _runs(value: Any) -> Runs:
    if value is None:
        return Runs.SERVER
    if not isinstance(value, str) or value not in tuple(Runs):
        raise _wrong(".runs", value, f"it is one of: {', '.join(Runs)}")
    return Runs(value)


def _minutes(value: Any) -> float:
    if value is None:
        return MINUTES
    if not is_number(value) or not 0 < value <= _MOST_MINUTES:
        raise _wrong(".maxMinutes", value, f"give minutes, more than 0 and at most {_MOST_MINUTES:,.0f}")
    return float(value)


def _retries(value: Any) -> int:
    if value is None:
        return RETRIES
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_RETRIES:
        raise _wrong(".retries", value, f"give a whole number from 0 to {_MOST_RETRIES}")
    return value


def _ends(value: Any) -> tuple[JobStatus, ...]:
    if value is None:
        return (JobStatus.FINISHED,)
    many = [value] if isinstance(value, str) else value
    if (
        not isinstance(many, list | tuple)
        or not many
        or not all(isinstance(item, str) and item in _ENDS for item in many)
    ):
        raise _wrong(".on", value, f"give a list with some of: {', '.join(_ENDS)}")
    return tuple(JobStatus(item) for item in dict.fromkeys(many))


def _wrong(key: str, value: Any, way_out: str) -> InvalidInputError:
    field = f"{_FIELD}{key}"
    return InvalidInputError(f"{field} is {shown(value)}: {way_out}.", field=field, value=value)


_KEYS = ("name", "maxMinutes", "retries", "on", "runs")
_ENDS = tuple(sorted(status.value for status in TERMINAL))
