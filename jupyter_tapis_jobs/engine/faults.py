"""What a fault that only some jobs of a cohort suffered means for them: wait, or end."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Mapping, Sequence

from ..model.errors import TapisJobsError
from ..model.job import Job
from .verdict import Block, Fail, Verdict

#: Seconds until a job on a full disk is tried again.
DISK_FULL_RETRY = 60.0
#: Seconds until a job is tried again that another host or the Web kept waiting.
PASSING_RETRY = 30.0

_FULL = (errno.ENOSPC, errno.EDQUOT)
#: What a host says that is short of something, or whose file server is away for a while.
_PASSING = (
    errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EBUSY, errno.ENOMEM, errno.EMFILE, errno.ENFILE,
    errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH, errno.ETXTBSY,
)  # fmt: skip


def is_full(fault: BaseException) -> bool:
    """Is there no room left, on a disk or under a quota?"""
    return isinstance(fault, OSError) and fault.errno in _FULL


def verdict_of(fault: TapisJobsError | OSError, what: str) -> Verdict:
    """Return the verdict; *what* begins the sentence when a host refused: "the job's files were refused"."""
    if isinstance(fault, TapisJobsError):
        return Block(fault.message, PASSING_RETRY) if fault.transient else Fail(fault.message)
    reason = f"{fault.filename or 'the host'}: {fault.strerror or fault}"
    if is_full(fault):
        return Block(f"no space is left ({reason}); it goes on when there is room.", DISK_FULL_RETRY)
    if fault.errno in _PASSING:
        return Block(f"{what}: {reason}; it is tried again.", PASSING_RETRY)
    return Fail(f"{what}: {reason}.")


async def told_of_one(
    cohort: Sequence[Job], what: str, work: Awaitable[Mapping[str, Verdict]]
) -> Mapping[str, Verdict]:
    """Return what *work* says; a host's refusal becomes the verdict of a cohort of one.

    Of a larger one it is raised: the conveyor finds the job that is refused by halving.
    """
    try:
        return await work
    except OSError as fault:
        if len(cohort) > 1:
            raise
        return {cohort[0].uuid: verdict_of(fault, what)}
