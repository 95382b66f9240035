"""What a host refused, told as one of our errors with a sentence for the user."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from ..model.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    TapisJobsError,
    TooLargeError,
    UnavailableError,
)

#: errno -> kind of error, and what happened to the path.
_TABLE: Mapping[int, tuple[type[TapisJobsError], str]] = MappingProxyType(
    {
        errno.ENOENT: (NotFoundError, "does not exist"),
        errno.ENOTDIR: (NotFoundError, "does not exist: what stands above it is not a directory"),
        errno.EACCES: (NotAllowedError, "is closed to the host user; change its permissions on the host"),
        errno.EPERM: (NotAllowedError, "may not be changed by the host user"),
        errno.EROFS: (NotAllowedError, "lies on a read-only file system"),
        errno.EISDIR: (ConflictError, "is a directory"),
        errno.EEXIST: (ConflictError, "exists already"),
        errno.ENOTEMPTY: (ConflictError, "is a directory that is not empty"),
        errno.ELOOP: (InvalidInputError, "is a link that leads back to itself"),
        errno.ENAMETOOLONG: (InvalidInputError, "has a longer name than the host allows"),
        errno.E2BIG: (TooLargeError, "holds too much for one answer; ask for a part of it"),
        errno.ENOSPC: (UnavailableError, "does not fit: the disk is full; make room and try again"),
        errno.EDQUOT: (UnavailableError, "does not fit: the disk quota is used up; make room and try again"),
    }
)


def refusal(error: OSError, path: str) -> TapisJobsError:
    """Return what the host said about *path* (as the user wrote it) as an error of ours."""
    kind, words = _TABLE.get(
        error.errno or 0, (UnavailableError, f"cannot be used: {error.strerror or error}")
    )
    return kind(f"{path} {words}.")


@contextmanager
def told(path: str) -> Iterator[None]:
    """Turn an ``OSError``, or a depth that Python does not reach, into a sentence about *path*."""
    try:
        yield
    except OSError as error:
        raise refusal(error, path) from error
    except RecursionError as error:
        raise InvalidInputError(f"{path} is nested too deeply.", field="path", value=path) from error
