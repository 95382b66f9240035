"""Jobs that their owners let others look at (Tapis Jobs, "Job sharing")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from ..model.errors import InvalidInputError, NotFoundError, did_you_mean
from ..model.job import Job, JobEvent
from ..model.status import EventType
from ..model.texts import shown
from ..model.times import iso
from ..model.user import User
from ..store import jobs as job_rows
from ..store import shares
from ..store.shares import ShareRow
from .ports import Ports
from .rights import Resource
from .sharing import named_users

T = TypeVar("T")

_KIND = "job"
#: The one permission there is.
READ = "READ"


class JobSharing:
    """Shares of jobs. *owned* and *seen* find a job for its owner, and for whom any of it is shared with.

    *announce* tells listeners of a stored event.
    """

    def __init__(
        self,
        ports: Ports,
        *,
        epoch: int,
        owned: Callable[[User, str], Awaitable[Job]],
        seen: Callable[[User, str], Awaitable[Job]],
        announce: Callable[[Sequence[JobEvent], Sequence[Job]], None],
    ) -> None:
        self._ports = ports
        self._epoch = epoch
        self._owned = owned
        self._seen = seen
        self._announce = announce
        #: Job -> who beside its owner hears of it while it runs. Replaced as a whole: others read it.
        self.hearers: Mapping[str, frozenset[str]] = {}

    async def start(self) -> None:
        """Learn who hears of which job."""
        rows = await self._ports.read(lambda c: shares.of_kind(c, _KIND, Resource.JOB_HISTORY))
        found: dict[str, frozenset[str]] = {}
        for row in rows:
            found[row.item_id] = found.get(row.item_id, frozenset()) | {row.grantee}
        self.hearers = found

    async def add(
        self, user: User, uuid: str, grantee: str, resources: Sequence[str], permission: str = READ
    ) -> tuple[Resource, ...]:
        """Let *grantee* read parts of a job; return which they could not read before."""
        job = await self._owned(user, uuid)
        (grantee,) = named_users([grantee], "grantee")
        wanted = _resources(resources)
        if permission != READ:
            raise InvalidInputError(
                f"jobPermission {shown(permission)} is not READ: nobody can change another's job.",
                field="jobPermission",
                value=permission,
            )
        if grantee == job.owner:
            raise InvalidInputError(
                f"{grantee} owns the job; share it with others.", field="grantee", value=grantee
            )

        def work(connection: Connection) -> list[ShareRow]:
            had = {row.privilege for row in shares.of_item(connection, _KIND, uuid) if row.grantee == grantee}
            made = [
                ShareRow(
                    kind=_KIND,
                    item_id=uuid,
                    grantee=grantee,
                    privilege=resource,
                    grantor=user.name,
                    created=self._now(),
                )
                for resource in wanted
                if resource not in had
            ]
            shares.share(connection, made)
            return made

        new = await self._change(job, "SHARE", work)
        return tuple(Resource(row.privilege) for row in new)

    async def remove(self, user: User, uuid: str, grantee: str) -> int:
        """Take back what *grantee* was given of a job; return how many parts.

        Raises ``NotFoundError`` when the job is not shared with them.
        """
        job = await self._owned(user, uuid)

        def work(connection: Connection) -> list[ShareRow]:
            rows = shares.of_item(connection, _KIND, uuid)
            shares.unshare(connection, _KIND, uuid, [grantee])
            going = [row for row in rows if row.grantee == grantee]
            if not going:
                names = sorted({row.grantee for row in rows})
                raise NotFoundError(
                    f"job {job.name} is not shared with {shown(grantee)}.{did_you_mean(grantee, names)} "
                    f"It is shared with {', '.join(names) or 'nobody'}."
                )
            return going

        return len(await self._change(job, "UNSHARE", work))

    async def of_job(self, user: User, uuid: str, limit: int = -1, skip: int = 0) -> list[ShareRow]:
        """Return the shares of a job; others than its owner are told of their own."""
        job = await self._seen(user, uuid)
        is_owner = (job.owner, job.tenant) == (user.name, user.tenant)
        rows = await self._ports.read(lambda c: shares.of_item(c, _KIND, uuid))
        found = [row for row in rows if is_owner or row.grantee == user.name][max(skip, 0) :]
        return found[:limit] if limit > 0 else found

    async def _change(
        self, job: Job, how: str, work: Callable[[Connection], list[ShareRow]]
    ) -> list[ShareRow]:
        """Change shares and write it into the job's history, in one step."""

        def whole(connection: Connection) -> tuple[Job, list[ShareRow], list[JobEvent]]:
            present = job_rows.get(connection, job.uuid)
            rows = work(connection)
            events = [job_rows.add_event(connection, present, self._event(present, how, row)) for row in rows]
            return present, rows, events

        present, rows, events = await self._ports.write(whole, epoch=self._epoch)
        await self._hear_again(job.uuid)
        if events:
            self._announce(events, [present])
        return rows

    async def _hear_again(self, uuid: str) -> None:
        rows = await self._ports.read(lambda c: shares.of_item(c, _KIND, uuid))
        names = frozenset(row.grantee for row in rows if row.privilege == Resource.JOB_HISTORY)
        others = {name: known for name, known in self.hearers.items() if name != uuid}
        self.hearers = {**others, uuid: names} if names else others

    def _event(self, job: Job, how: str, row: ShareRow) -> JobEvent:
        verb = "is shared with" if how == "SHARE" else "is no more shared with"
        return JobEvent(
            job_uuid=job.uuid,
            owner=job.owner,
            event=EventType.JOB_SHARE_EVENT,
            event_detail=f"{how}_{row.privilege}",
            created=self._now(),
            description=f"{row.privilege} {verb} {row.grantee}.",
            data={
                "resourceType": row.privilege,
                "shareType": how,
                "grantee": row.grantee,
                "grantor": row.grantor,
            },
        )

    def _now(self) -> str:
        return iso(self._ports.clock.now())


def _resources(names: Sequence[str]) -> list[Resource]:
    if not names:
        raise InvalidInputError(
            f"jobResource is empty. Name what may be read: {', '.join(Resource)}.", field="jobResource"
        )
    for name in names:
        if name not in Resource.__members__:
            raise InvalidInputError(
                f"jobResource {shown(name)} is not one of: {', '.join(Resource)}."
                f"{did_you_mean(name.upper(), Resource)}",
                field="jobResource",
                value=name,
            )
    return list(dict.fromkeys(map(Resource, names)))
