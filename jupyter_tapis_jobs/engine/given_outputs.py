"""What a job is given of jobs before it: their outputs as inputs, and a table of them."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from ..model.user import User
from .ports import Ports
from .systems import LOCAL
from .uploads import FOLDER as UPLOADS
from .uploads import kept

#: What stands in the place of an input before it is known.
EMPTY = "data:,"
#: Bytes of a table that travel inside the request.
INLINE = 64 * 1024


def given_output(place: tuple[str, str], path: str, target: str) -> dict[str, str]:
    """Return the file input that brings the output *path* of a job.

    Its outputs lie at *place* (system, directory).
    """
    system, directory = place
    address = quote(f"{directory.strip('/')}/{path}", safe="/@:+,=~")
    return {"sourceUrl": f"tapis://{system}/{address}", "targetPath": target}


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


async def table_address(ports: Ports, owner: User, name: str, text: str) -> str:
    """Return the address of a table; a large one is a file *name*, where its owner may read it."""
    data = text.encode()
    if len(data) <= INLINE or not owner.is_server_user:
        return "data:text/csv;base64," + base64.b64encode(data).decode()
    uploads = ports.database.path.parent / UPLOADS
    path = await ports.workers.read(lambda: kept(uploads, name, data))
    return f"tapis://{LOCAL}{quote(path.as_posix(), safe='/@:+,=~')}"
