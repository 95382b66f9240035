"""What a look at Slurm brought back: marks, rows of its list, rows of its books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..transports.base import Answer
from .job_marks import Seen

#: Between the cells of a row: what stands in no name of a directory.
MARK = "\x1f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of Slurm's list or books."""

    #: ``4711``, or ``4711_17`` for a task of an array.
    number: str
    #: The number of the job itself; a task of an array that has begun has one of its own.
    raw: str
    #: Slurm's word, upper case, without what follows it (``CANCELLED by 1000``).
    state: str
    #: The user id that cancelled it; empty for another end, and in the list, which does not tell.
    cancelled_by: str
    reason: str
    nodes: str
    #: Seconds since the epoch; None while it is not over, or where Slurm writes times in another way.
    ended: int | None
    comment: str
    work_dir: str
    #: ``code:signal``; only the books have it.
    exit_code: str = ""


@dataclass(slots=True, kw_only=True)
class Look(Seen):
    """All that one look brought back."""

    lane_dir: str = ""
    #: The user id of the lane on the host.
    user: str = ""
    #: Packs whose runner had begun.
    ran: set[str] = field(default_factory=set)
    queue: list[Entry] = field(default_factory=list)
    books: list[Entry] = field(default_factory=list)
    #: What sacct complained of; empty when it answered.
    trouble: str = ""
    #: True when Slurm's list and all that follows it came back.
    complete: bool = False


def parse(answer: Answer) -> Look:
    """Read what the script of ``look_script`` printed; nothing of it counts when its end is missing.

    A name of somebody's directory may hold a line break, so a line that fits nothing is passed over.
    """
    look = Look(complete=answer.stdout.endswith("looked\n"))
    for line in answer.stdout.split("\n") if look.complete else ():
        cells = line.split(MARK)
        if len(cells) > 1:
            _read_row(look, cells)
        else:
            _read_line(look, line)
    return look


def _read_line(look: Look, line: str) -> None:
    """Read a line of the script's own."""
    match words := line.split():
        case ["lane", *_]:
            look.lane_dir = line.partition(" ")[2]
        case ["user", number]:
            look.user = number
        case ["ran", submission]:
            look.ran.add(submission)
        case ["squeue", code]:
            look.complete = look.complete and code == "0"
        case _:
            look.read(words)


def _read_row(look: Look, cells: list[str]) -> None:
    """Read a row of the list or of the books; what is neither is a complaint of sacct."""
    if cells[0] == "row" and len(cells) == 9:
        look.queue.append(_entry(cells[1:]))
    elif cells[0] == "book" and len(cells) == 10:
        look.books.append(_entry(cells[1:]))
    elif cells[0] == "book":
        look.trouble = look.trouble or " ".join(cells[1:])


def _entry(cells: Sequence[str]) -> Entry:
    number, raw, state, reason, nodes, ended, comment, work_dir, *rest = cells
    word, _, by = state.strip().partition(" by ")
    return Entry(
        number=number,
        raw=raw,
        state=(word.split() or [""])[0].rstrip("+").upper(),
        cancelled_by=by.strip(),
        reason="" if reason in ("None", "(null)") else reason,
        nodes="" if nodes == "None assigned" else nodes,
        ended=int(ended) if ended.isdigit() else None,
        comment=comment,
        work_dir=work_dir,
        exit_code=rest[0] if rest else "",
    )


def by_number(entries: Sequence[Entry]) -> Mapping[str, Entry]:
    """Return rows by both their numbers; the later row wins."""
    return {entry.raw: entry for entry in entries} | {entry.number: entry for entry in entries}
