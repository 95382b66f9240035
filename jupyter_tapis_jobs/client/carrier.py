"""How local text and files reach a job: small ones inside the request, big ones uploaded once."""

from __future__ import annotations

import base64
import hashlib
import io
import posixpath
import threading
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from ..model.errors import InvalidInputError, NotFoundError, TapisJobsError
from .connection import Connection, path_text, segment

#: Bytes that one file, and all files of one call, may add to a request; more is uploaded.
INLINE_FILE, INLINE_CALL = 64 * 1024, 2 * 1024 * 1024


class Carrier:
    """Turns local content into the ``fileInputs`` of requests; made anew for each call.

    ``place`` gives ``(system, folder)`` for uploads, asked only when something must be uploaded.
    ``inline`` allows ``data:`` inputs, which only our own server knows.
    """

    def __init__(
        self, connection: Connection, place: Callable[[], tuple[str, str]], *, inline: bool, known: set[str]
    ) -> None:
        self._connection = connection
        self._place = place
        self._inline_left = INLINE_CALL if inline else 0
        self._known = known
        self._digests: dict[Path, str] = {}

    def content(self, target: str, content: str | bytes) -> dict[str, Any]:
        """Return the file input that puts *content* at *target* in the job's input directory."""
        data = content.encode() if isinstance(content, str) else bytes(content)
        return {"sourceUrl": self._source(target, data), "targetPath": target}

    def file(self, path: Path, target: str) -> list[dict[str, Any]]:
        """Return the file inputs that put the local file, or the folder with all below it, at *target*."""
        if path.is_dir():
            members = sorted(item for item in path.rglob("*") if item.is_file())
            return [
                found
                for item in members
                for found in self.file(item, f"{target}/{item.relative_to(path).as_posix()}")
            ]
        size = path.stat().st_size
        if size <= INLINE_FILE:
            return [self.content(target, path.read_bytes())]
        url = self._uploaded(self._digest(path), _last(target), size, lambda: path.open("rb"))
        return [{"sourceUrl": url, "targetPath": target}]

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            with path.open("rb") as stream:
                self._digests[path] = hashlib.file_digest(stream, "sha256").hexdigest()
        return self._digests[path]

    def _source(self, target: str, data: bytes) -> str:
        if len(data) <= min(INLINE_FILE, self._inline_left):
            self._inline_left -= len(data)
            return inlined(data)
        return self._uploaded_data(hashlib.sha256(data).hexdigest(), target, data)

    def _uploaded_data(self, digest: str, target: str, data: bytes) -> str:
        return self._uploaded(digest, _last(target), len(data), lambda: io.BytesIO(data))

    def _uploaded(self, digest: str, name: str, size: int, opened: Callable[[], Any]) -> str:
        """Upload what is not there yet, at a path made of its content, and return its address."""
        system, folder = self._place()
        path = f"{folder.rstrip('/')}/{digest[:2]}/{digest}/{name}"
        url = f"tapis://{system}/{quote(path.lstrip('/'), safe='/@:+,=~')}"
        if url not in self._known:
            if not self._is_there(system, path, size):
                self._connection.call("POST", _ops(system, path), upload=opened, seconds=3600.0)
            self._known.add(url)
        return url

    def _is_there(self, system: str, path: str, size: int) -> bool:
        """An upload that broke off has another size and is done again."""
        try:
            rows = self._connection.get(_ops(system, path))
        except (NotFoundError, InvalidInputError):
            return False
        return bool(rows) and rows[0].get("size") == size


def inlined(data: bytes) -> str:
    """Return *data* as an address that holds it."""
    return "data:application/octet-stream;base64," + base64.b64encode(data).decode()


class UploadPlace:
    """Where uploads go: what the person said, our server's own folder, or the home on a tenant's system."""

    def __init__(
        self, connection: Connection, chosen: str | None, server: Callable[[], dict[str, Any] | None]
    ) -> None:
        self._connection = connection
        self._chosen = chosen
        self._server = server
        self._found: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()

    def on(self, system: str | None) -> tuple[str, str]:
        """Return ``(system id, folder)`` for the inputs of a job on *system*."""
        with self._lock:
            key = system or ""
            if key not in self._found:
                self._found[key] = self._chosen_place() or self._own_place() or self._home_on(system)
            return self._found[key]

    def _chosen_place(self) -> tuple[str, str] | None:
        if not self._chosen:
            return None
        scheme, _, rest = self._chosen.partition("://")
        system, _, folder = rest.partition("/")
        if scheme != "tapis" or not system:
            raise InvalidInputError(
                f"uploads '{self._chosen}' is not a place. Expected tapis://SYSTEM/FOLDER.",
                field="uploads",
                value=self._chosen,
            )
        return system, "/" + folder

    def _own_place(self) -> tuple[str, str] | None:
        server = self._server()
        if server is None:
            return None
        uploads = server.get("uploads")
        if isinstance(uploads, dict) and uploads.get("path"):
            return str(uploads.get("system", "local")), str(uploads["path"])
        if isinstance(uploads, str) and uploads:
            return "local", uploads
        local = self._connection.get("/v3/systems/local")
        return "local", posixpath.join(posixpath.dirname(local["jobWorkingDir"].rstrip("/")), "uploads")

    def _home_on(self, system: str | None) -> tuple[str, str]:
        if not system:
            raise InvalidInputError(
                "It is not known where to upload files: name the system (execSystemId=…), or give a place: "
                "connect(url, token=…, uploads='tapis://SYSTEM/FOLDER').",
                field="execSystemId",
            )
        try:
            answer = self._connection.get(f"/v3/systems/{segment(system)}/hostEval/HOME")
        except TapisJobsError as cause:
            raise InvalidInputError(
                f"The home directory on {system} is not known ({cause.message}). Give a place for uploads: "
                "connect(url, token=…, uploads='tapis://SYSTEM/FOLDER')."
            ) from cause
        home = str(answer.get("name", "") if isinstance(answer, dict) else answer)
        root = self._connection.get(f"/v3/systems/{segment(system)}").get("rootDir") or "/"
        return system, posixpath.join("/", _below(home, root), ".tapisjobs-uploads")


def local_path(text: str | Path, folder: Path | None = None) -> Path:
    """Return the file or folder beside the notebook; ``InvalidInputError`` lists what is there instead."""
    folder = Path.cwd() if folder is None else folder
    path = folder / Path(text).expanduser()
    if path.exists():
        return path
    parent = path.parent
    if not parent.is_dir():
        raise _not_there(text, f"{text} is not there: there is no folder {parent}.")
    names = _names(parent.iterdir())
    if parent == folder:
        raise _not_there(text, f"{text} is not beside this notebook. Files here: {names}.")
    raise _not_there(text, f"{text} is not there. Files in {parent}: {names}.")


def _not_there(text: str | Path, message: str) -> InvalidInputError:
    return InvalidInputError(message, field="inputs", value=str(text))


def _names(paths: Iterable[Path]) -> str:
    names = sorted(path.name for path in paths if not path.name.startswith("."))
    shown = ", ".join(names[:12]) or "none"
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown


def _below(path: str, root: str) -> str:
    inside = PurePosixPath(path)
    return str(inside.relative_to(root)) if inside.is_relative_to(root) else path.lstrip("/")


def _last(target: str) -> str:
    return target.rstrip("/").rsplit("/", 1)[-1]


def _ops(system: str, path: str) -> str:
    return f"/v3/files/ops/{segment(system)}/{path_text(path)}"
