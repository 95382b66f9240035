"""The Files API (Tapis Files, "REST API")."""

from __future__ import annotations

from ..engine.files import file_to_wire
from ..model.errors import InvalidInputError
from . import queries
from .call import Call
from .download import attachment
from .reply import Reply, Rows, Stream
from .route import Answers, Route, Takes
from .wire_files import MoveCopy, NewFolder, Operation
from .wire_jobs import FileRow


async def list_files(call: Call) -> Reply:
    """List a directory, or the one file at the path."""
    system, query = call.path["systemId"], call.query
    found = await call.door.files(
        lambda files: files.list(
            call.user,
            system,
            call.path.get("path", ""),
            limit=query.limit,
            offset=query.offset,
            recurse=query.recurse,
            pattern=query.pattern,
        )
    )
    rows = Rows(found, lambda info: file_to_wire(info, system))
    return Reply(rows, f"FILES_FOUND {len(found)} entries found.")


async def get_contents(call: Call) -> Stream:
    """Send a file, a range of it, a page of its text, or a directory as a zip file."""
    system, path = call.path["systemId"], call.path["path"]
    found = await call.door.files(
        lambda files: files.open(
            call.user,
            system,
            path,
            as_zip=call.query.zip,
            byte_range=call.headers.get("Range"),
            more=_more(call.headers.get("More")),
        )
    )
    part = None if found.size is None or found.total in (None, found.size) else (found.offset, found.total)
    return attachment(found.name, await call.door.bridged(found.chunks), found.size, part=part)


def _more(header: str | None) -> int | None:
    """Return the page that the header ``more`` asks for."""
    if header is None:
        return None
    if not header.strip().isdecimal() or len(header) > 15:
        raise InvalidInputError(f"more '{header}' is not the number of a page.", field="more", value=header)
    return int(header)


async def insert(call: Call) -> Reply:
    """Write the file that arrives."""
    system, path, upload = call.path["systemId"], call.path["path"], call.upload
    if upload is None:
        raise InvalidInputError("An upload needs a body with a part named 'file'.", field="file")
    size = await call.door.files(lambda files: files.insert(call.user, system, path, upload.chunks()))
    return Reply(path, f"FILES_INSERTED {path} has {size:,} bytes.")


async def mkdir(call: Call) -> Reply:
    """Make a directory and its parents."""
    system, path = call.path["systemId"], call.body.path
    await call.door.files(lambda files: files.mkdir(call.user, system, path))
    return Reply(path, f"FILES_MADE {path} is there.")


async def move_copy(call: Call) -> Reply:
    """Move or copy a file or directory within its system."""
    system, path, target = call.path["systemId"], call.path["path"], call.body.new_path
    if call.body.operation is Operation.MOVE:
        await call.door.files(lambda files: files.move(call.user, system, path, target))
    else:
        await call.door.files(lambda files: files.copy(call.user, system, path, target))
    done = call.body.operation.lower()
    return Reply(target, f"FILES_DONE {done} of {path} to {target}.")


async def delete(call: Call) -> Reply:
    """Delete a file, or a directory with all in it."""
    system, path = call.path["systemId"], call.path["path"]
    await call.door.files(lambda files: files.delete(call.user, system, path))
    return Reply(path, f"FILES_DELETED {path} is deleted.")


_OPS = "/v3/files/ops/{systemId}"
ROUTES = (
    Route("GET", f"{_OPS}/{{path}}", "listFiles", list_files, queries.FileList, result=list[FileRow]),
    Route("POST", _OPS, "mkdir", mkdir, body=NewFolder, takes=Takes.MODEL, result=str),
    Route("POST", f"{_OPS}/{{path}}", "insert", insert, takes=Takes.FILE, result=str),
    Route("PUT", f"{_OPS}/{{path}}", "moveCopy", move_copy, body=MoveCopy, takes=Takes.MODEL,
          result=str),
    Route("DELETE", f"{_OPS}/{{path}}", "delete", delete, result=str),
    Route("GET", "/v3/files/content/{systemId}/{path}", "getContents", get_contents, queries.FileContent,
          answers=Answers.BYTES),
)  # fmt: skip
