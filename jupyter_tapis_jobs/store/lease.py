"""Which engine works on this store: one row with a fencing epoch that only grows.

A holder that slept past its time finds a higher epoch when it comes back, and every transaction and
every remote script that carries the old one is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from ..model.errors import UnavailableError
from ..model.times import iso
from .tables import lease

#: How long a lease holds unless it is renewed.
SECONDS = 30.0

_ROW = 1
_held = select(lease.c.epoch, lease.c.holder, lease.c.expires).where(lease.c.id == _ROW)
_change = update(lease).where(lease.c.id == _ROW)


class LeaseLostError(UnavailableError):
    """Another engine works on the store; this one must stop."""

    code = "JOBS_LEASE_LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on the store until ``expires`` (ISO time). ``holder`` is JSON: pid, url, started."""

    epoch: int
    holder: str
    expires: str


def current(conn: Connection) -> Lease | None:
    """Return the lease as it stands, run out or not; None when nobody holds it."""
    row = conn.execute(_held).one_or_none()
    if row is None or row.holder is None:
        return None
    return Lease(epoch=row.epoch, holder=row.holder, expires=row.expires)


def acquire(conn: Connection, holder: str, now: float, ttl: float = SECONDS) -> Lease | None:
    """Take the lease for *holder* at *now* (seconds since the epoch) for *ttl* seconds.

    Returns None while somebody else's lease runs. Every taking has a new, higher epoch, also the
    holder's own: what an earlier life of it still does is refused.
    """
    held = current(conn)
    if held is not None and held.holder != holder and held.expires > iso(now):
        return None
    epoch = (conn.execute(_held).scalar() or 0) + 1
    taken = Lease(epoch=epoch, holder=holder, expires=iso(now + ttl))
    _store(conn, taken)
    return taken


def _store(conn: Connection, taken: Lease) -> None:
    values = {"epoch": taken.epoch, "holder": taken.holder, "expires": taken.expires}
    if conn.execute(_change.values(values)).rowcount == 0:
        conn.execute(insert(lease).values(id=_ROW, **values))


def renew(conn: Connection, epoch: int, now: float, ttl: float = SECONDS) -> Lease:
    """Hold the lease of *epoch* for *ttl* seconds more; raises ``LeaseLostError`` when it is not held.

    A lease that ran out is renewed all the same as long as nobody else took it.
    """
    held = check(conn, epoch)
    taken = Lease(epoch=epoch, holder=held.holder, expires=iso(now + ttl))
    _store(conn, taken)
    return taken


def check(conn: Connection, epoch: int) -> Lease:
    """Return the lease if *epoch* is the one that holds the store; raises ``LeaseLostError`` if not.

    To be called in the same transaction as what it guards.
    """
    held = current(conn)
    if held is None or held.epoch != epoch:
        who = f"another server has taken over ({held.holder})" if held else "the lease was given back"
        raise LeaseLostError(f"This server no longer works on the jobs: {who}.")
    return held


def release(conn: Connection, epoch: int) -> None:
    """Give the lease of *epoch* back, if it is still held; the epoch is remembered."""
    conn.execute(_change.where(lease.c.epoch == epoch).values(holder=None, expires=None))
