"""A file that is written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..model.errors import InvalidInputError


@contextmanager
def whole_file(place: Path, field: str) -> Iterator[Path]:
    """Give a path to write to; what was written takes the place of *place* in one step, if nothing fails.

    Raises ``InvalidInputError`` that names *field* where it cannot be written.
    """
    part = place.with_name(f".{place.name}.part")
    try:
        yield part
        part.replace(place)
    except OSError as cause:
        raise InvalidInputError(f"{place} cannot be written: {cause.strerror}.", field=field) from cause
    finally:
        part.unlink(missing_ok=True)
