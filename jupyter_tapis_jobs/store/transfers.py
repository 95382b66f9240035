"""Transfers as rows: what was asked for, and how far each element of it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from ..model.transfer import Element, TransferStatus, TransferTask
from .tables import transfer_elements as elements
from .tables import transfers


def add(conn: Connection, task: TransferTask) -> TransferTask:
    """Store a new transfer; return it with its ids."""
    values = {name: value for name, value in _columns(task).items() if name != "id"}
    number = conn.execute(insert(transfers).values(values).returning(transfers.c.id)).scalar_one()
    rows = [
        {name: value for name, value in asdict(element).items() if name != "id"} | {"transfer_id": number}
        for element in task.elements
    ]
    conn.execute(insert(elements), rows)
    return _required(conn, task.uuid)


def get(conn: Connection, uuid: str) -> TransferTask | None:
    """Return a transfer, or None."""
    row = conn.execute(select(transfers).where(transfers.c.uuid == uuid)).one_or_none()
    return _with_elements(conn, [row])[0] if row else None


def recent(conn: Connection, owner: str, limit: int, offset: int) -> list[TransferTask]:
    """Return a user's transfers, newest first."""
    wanted = select(transfers).where(transfers.c.owner == owner).order_by(transfers.c.id.desc())
    return _with_elements(conn, conn.execute(wanted.limit(limit).offset(offset)).all())


def unfinished(conn: Connection) -> list[TransferTask]:
    """Return the transfers with something still to do, oldest first."""
    wanted = select(transfers).where(transfers.c.ended.is_(None)).order_by(transfers.c.id)
    return _with_elements(conn, conn.execute(wanted).all())


def change(conn: Connection, uuid: str, **columns: Any) -> bool:
    """Change columns of a transfer that has not ended; False when it has, or is not there."""
    wanted = update(transfers).where(transfers.c.uuid == uuid, transfers.c.ended.is_(None))
    return conn.execute(wanted.values(columns)).rowcount == 1


def change_element(conn: Connection, element_id: int, **columns: Any) -> bool:
    """Change columns of an element that has not ended; False when it has."""
    wanted = update(elements).where(elements.c.id == element_id, elements.c.ended.is_(None))
    return conn.execute(wanted.values(columns)).rowcount == 1


def cancel(conn: Connection, uuid: str, now: str) -> TransferTask | None:
    """End a transfer and what is left of it; return it, None when it had ended or is not there."""
    ended = {"status": TransferStatus.CANCELLED, "ended": now}
    if not change(conn, uuid, **ended):
        return None
    task = _required(conn, uuid)
    left = update(elements).where(elements.c.transfer_id == task.id, elements.c.ended.is_(None))
    conn.execute(left.values(ended))
    return _required(conn, uuid)


def remove_ended(conn: Connection, before: str) -> int:
    """Delete the transfers that ended before the moment *before*; return how many."""
    return conn.execute(delete(transfers).where(transfers.c.ended < before)).rowcount


def _required(conn: Connection, uuid: str) -> TransferTask:
    task = get(conn, uuid)
    assert task is not None  # noqa: S101 - read in the transaction that wrote it
    return task


def _with_elements(conn: Connection, rows: Sequence[Row[Any]]) -> list[TransferTask]:
    ids = [row.id for row in rows]
    wanted = select(elements).where(elements.c.transfer_id.in_(ids)).order_by(elements.c.transfer_id)
    found = conn.execute(wanted.order_by(elements.c.id))
    of_task = {number: tuple(map(_element, some)) for number, some in _by_transfer(found)}
    return [
        TransferTask(
            **dict(row._mapping) | {"status": TransferStatus(row.status)}, elements=of_task.get(row.id, ())
        )
        for row in rows
    ]


def _by_transfer(rows: Iterable[Row[Any]]) -> Iterable[tuple[int, Iterable[Row[Any]]]]:
    return groupby(rows, key=lambda row: int(row.transfer_id))


def _element(row: Row[Any]) -> Element:
    fields = dict(row._mapping)
    return Element(
        **fields
        | {
            "optional": bool(row.optional),
            "is_directory": bool(row.is_directory),
            "status": TransferStatus(row.status),
        }
    )


def _columns(task: TransferTask) -> dict[str, Any]:
    return {name: value for name, value in asdict(task).items() if name != "elements"}
