"""A job's output files over HTTP: list, read, download, follow."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ..model import files
from ..model.errors import InvalidInputError, NotFoundError, TapisJobsError
from ..model.status import JobStatus
from .connection import Connection, path_text, segment

_Row = Mapping[str, Any]
#: Hears how many bytes have come.
Told = Callable[[int], None]
#: Rows of one plain listing: Tapis gives no more, and does not say that there are more.
_LISTED = 100
_PAGE = 1000


class Outputs:
    """The outputs of one job.

    ``direct`` reads by Tapis's Files service, as a tenant's own clients do: there the Jobs service
    zips files over a megabyte.
    """

    def __init__(self, connection: Connection, row: _Row, *, direct: bool) -> None:
        self._connection = connection
        self._row = row
        self._direct = direct
        self._base = f"/v3/jobs/{segment(str(row['uuid']))}/output"

    def rows(self) -> list[dict[str, Any]]:
        """Return ``path`` (below the output directory), ``size``, ``type``, ``lastModified`` of all files."""
        listed = self._list("", {})
        if len(listed) >= _LISTED:
            listed = list(self._walk(""))
        found = [self._relative(row) for row in listed if row.get("type") != "dir"]
        return sorted(found, key=lambda row: str(row["path"]))

    def read(self, path: str) -> bytes:
        """Return the content of one file; ``NotFoundError`` when it is not there."""
        if self._direct:
            system, folder = self._place()
            return self._connection.read(
                f"/v3/files/content/{segment(system)}/{path_text(folder + '/' + path)}"
            )
        return self._connection.read(f"{self._base}/download/{path_text(path)}", allowIfRunning=True)

    def save(self, path: str, to: Path, told: Told = lambda count: None) -> Path:
        """Write one file to *to*; what is written is whole or not there. *told* hears how far it is."""
        to.parent.mkdir(parents=True, exist_ok=True)
        with _beside(to) as part:
            self._stream_into(path, part, told)
            os.replace(part, to)  # noqa: PTH105 - one atomic step
        return to

    def save_all(self, folder: Path, told: Told = lambda count: None) -> Path:
        """Write all outputs below *folder*; *told* hears how many bytes of their archive have come."""
        folder.mkdir(parents=True, exist_ok=True)
        with _beside(folder / "outputs.zip") as part:
            self._stream_into("", part, told)
            _unpack(part, folder)
        return folder

    def follow(self, path: str, offset: int = 0) -> Iterator[bytes]:
        """Yield one file as it grows, until the job has ended (our server only)."""
        address = f"{self._base}/follow/{path_text(path)}"
        with self._connection.stream(address, patient=True, offset=offset) as body:
            yield from body.iter_bytes()

    # --- parts -------------------------------------------------------------------------------
    def _stream_into(self, path: str, part: Path, told: Told) -> None:
        address, params = self._address(path)
        count = 0
        with self._connection.stream(address, **params) as body, part.open("wb") as out:
            for piece in body.iter_bytes():
                out.write(piece)
                count += len(piece)
                told(count)

    def _address(self, path: str) -> tuple[str, dict[str, Any]]:
        zipped = {"zip": True} if self._direct else {"compress": True, "format": "zip"}
        params = {} if path else zipped
        if self._direct:
            system, folder = self._place()
            return f"/v3/files/content/{segment(system)}/{path_text(folder + '/' + path)}", params
        return f"{self._base}/download/{path_text(path)}", {**params, "allowIfRunning": True}

    def _place(self) -> tuple[str, str]:
        """Where the outputs lie, Tapis's own rule."""
        kept = self._row.get("status") == JobStatus.FINISHED or (
            self._row.get("status") == JobStatus.FAILED and self._row.get("remoteOutcome") == "FAILED"
        )
        which = ("archiveSystemId", "archiveSystemDir") if kept else ("execSystemId", "execSystemOutputDir")
        return str(self._row[which[0]]), str(self._row[which[1]]).rstrip("/")

    def _list(self, path: str, params: Mapping[str, Any]) -> list[_Row]:
        return (
            self._connection.get(f"{self._base}/list/{path_text(path)}", allowIfRunning=True, **params) or []
        )

    def _walk(self, folder: str) -> Iterator[_Row]:
        """List level by level: the only way to see more than Tapis's hundred rows."""
        skip = 0
        while True:
            page = self._list(folder, {"limit": _PAGE, "skip": skip})
            for row in page:
                if row.get("type") == "dir":
                    yield from self._walk(str(self._relative(row)["path"]))
                else:
                    yield row
            if len(page) < _PAGE:
                return
            skip += _PAGE

    def _relative(self, row: _Row) -> dict[str, Any]:
        path = PurePosixPath("/", str(row.get("path") or row.get("name") or "").lstrip("/"))
        for key in ("execSystemOutputDir", "archiveSystemDir"):
            root = PurePosixPath("/", str(self._row.get(key) or "/").lstrip("/"))
            if root != PurePosixPath("/") and path.is_relative_to(root):
                path = PurePosixPath("/", path.relative_to(root))
                break
        return {**row, "path": str(path).lstrip("/")}


class _beside:  # noqa: N801 - reads as a preposition where it is used
    """A temporary file in the target's folder, gone afterwards."""

    def __init__(self, target: Path) -> None:
        handle, name = tempfile.mkstemp(prefix=".tapisjobs-", dir=target.parent)
        os.close(handle)
        self._path = Path(name)
        # mkstemp makes it private; a result is as readable as any file of its owner.
        mask = os.umask(0)
        os.umask(mask)
        self._path.chmod(0o666 & ~mask)

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack the server's zip; a member that would land outside *folder* is refused."""
    try:
        with zipfile.ZipFile(archive) as packed:
            inside = folder.resolve()
            for member in packed.infolist():
                if not (inside / member.filename).resolve().is_relative_to(inside):
                    raise InvalidInputError(
                        f"The archive holds '{member.filename}', which lies outside; nothing was unpacked."
                    )
            packed.extractall(inside)
    except zipfile.BadZipFile as cause:
        raise TapisJobsError(
            "The server's archive of the outputs is damaged. Try the download again."
        ) from cause


def results(rows: list[dict[str, Any]], job: _Row) -> list[dict[str, Any]]:
    """Return the *rows* that the program of *job* wrote: inputs and launch files may lie beside them."""
    inputs = {str(item.get("targetPath")) for item in _items(job.get("fileInputs"))}
    image = str(job.get("containerImage") or "").rsplit("/", 1)[-1]
    ours = {*files.LAUNCH_FILES, files.PID, files.APP_SCRIPT, files.MANIFEST, files.EXIT_CODE, image}
    return [
        row
        for row in rows
        if row["path"] not in ours | inputs and not any(row["path"].startswith(f"{name}/") for name in inputs)
    ]


def _items(value: Any) -> list[Mapping[str, Any]]:
    """Tapis gives the lists of a job as JSON texts."""
    return json.loads(value or "[]") if isinstance(value, str) else list(value or [])


def missing(name: str, path: str, rows: list[dict[str, Any]], suggestion: str) -> NotFoundError:
    """Return the error for an output that is not there."""
    there = ", ".join(str(row["path"]) for row in rows[:12]) or "none"
    more = f" and {len(rows) - 12} more" if len(rows) > 12 else ""
    return NotFoundError(f"{path} is not among the outputs of {name}.{suggestion} Files: {there}{more}.")
