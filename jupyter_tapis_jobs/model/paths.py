"""Paths on a host: canonical text, joined and compared by components."""

from __future__ import annotations

from .errors import InvalidInputError
from .texts import refuse_control, shown


def normalise(path: str, field: str = "path") -> str:
    """Return *path* with single slashes, a leading one and no trailing one; ``.`` segments go.

    Raises ``InvalidInputError`` for ``..`` segments and control characters; *field* names the path then.
    """
    if _is_canonical(path):
        return path
    return "/" + "/".join(_segments(path, field))


def relative(path: str, field: str = "path") -> str:
    """Return *path* in the same form without the leading slash; empty for the directory itself."""
    # Nearly always it is a plain name.
    if path.isprintable() and "/" not in path and path[:1] not in ("", "."):
        return path
    return "/".join(_segments(path, field))


def join(root: str, *parts: str) -> str:
    """Return *parts* below *root*, canonical; a leading slash of a part does not leave the root."""
    return normalise("/".join((root, *parts)))


def within(root: str, path: str) -> bool:
    """True when *path* is *root* or lies below it, by components: ``/work2`` is not within ``/work``.

    Both are texts: links are resolved by the host (``Transport.real_path``) before.
    """
    try:
        above, below = _segments(root, "path"), _segments(path, "path")
    except InvalidInputError:
        return False
    return below[: len(above)] == above


def _is_canonical(path: str) -> bool:
    """True when nothing has to be done; nearly all paths are so."""
    is_plain = path.isprintable() and "//" not in path and "/." not in path
    return is_plain and path[:1] == "/" and path[-1] != "/"


def _segments(path: str, field: str) -> list[str]:
    refuse_control(path, field)
    segments = [segment for segment in path.split("/") if segment not in ("", ".")]
    if ".." in segments:
        raise InvalidInputError(
            f"{field} {shown(path)} holds '..'. Write the path without it.", field=field, value=path
        )
    return segments
