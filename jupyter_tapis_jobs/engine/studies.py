"""Studies: many cases kept in order; what is new of them is submitted, what is done or on its way is not."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from ..model.errors import ConflictError, NotFoundError, TapisJobsError, did_you_mean
from ..model.given_names import refuse_bad_name
from ..model.job import Job, JobDefinition, JobEvent
from ..model.status import CONVEYOR, JobStatus
from ..model.study import Added, Case, CaseError, CasesError, Standing, Study, studies_of
from ..model.study_chain import Chain
from ..model.system import System
from ..model.texts import shown
from ..model.times import iso
from ..model.user import User
from ..store import studies as rows
from .one_at_a_time import OneAtATime
from .ports import Ports
from .starter import forecast
from .steering import Steering
from .study_attempts import NOTHING, as_of, keep
from .study_chains import Store, StudyChains
from .study_rules import StudyRules
from .study_wishes import Wish, counted, refused, retried, wished
from .submission import Accepted, Submission

#: Where a job stands that is on its way but has not begun.
NOT_BEGUN = frozenset(CONVEYOR[1 : CONVEYOR.index(JobStatus.RUNNING)])
#: What is said of a case that a stop rule ended.
_STOPPED = (
    "not begun: study {} had as many failed cases as it allows (maxFailures). "
    "It is submitted anew when the study is run again."
)


class Studies:
    """Keeps studies for their owners. Lives on the engine's loop only.

    *active* gives the jobs that have not ended; *let_in* lets those go on that no quota holds any more;
    *system* finds systems, *person* the user of a name; *reasons* takes why a job is ended.
    Another user's study is a ``NotFoundError``.
    """

    def __init__(
        self,
        ports: Ports,
        *,
        epoch: int,
        submission: Submission,
        store: Store,
        steering: Steering,
        active: Callable[[], Mapping[str, Job]],
        let_in: Callable[[], None],
        system: Callable[[str], Awaitable[System]],
        reasons: MutableMapping[str, str],
        person: Callable[[str], User],
    ) -> None:
        self._ports = ports
        self._epoch = epoch
        self._submission = submission
        self._store = store
        self._steering = steering
        self._active = active
        self._let_in = let_in
        self._system = system
        self._reasons = reasons
        self._rules = StudyRules(ports)
        self._one_at_a_time = OneAtATime()
        self._chains = StudyChains(
            ports,
            epoch=epoch,
            submission=submission,
            store=store,
            active=active,
            lock=self._one_at_a_time.lock,
            person=person,
        )

    async def start(self, active: Iterable[Job]) -> None:
        """Take up what was left: stop rules of the studies of *active* jobs, and chained requests."""
        self.look(active)
        await self._chains.start()

    # -- studies

    async def create(self, user: User, name: str, asked: Mapping[str, Any]) -> Study:
        """Make a study, or change the settings *asked* (fields of ``Study``) of the one that is there."""
        refuse_bad_name(name)

        def work(connection: Connection) -> Study:
            found = rows.find(connection, user.name, name)
            if found is None:
                fields = {"template": NOTHING, "launch_mode": "auto", **asked}
                return rows.add(
                    connection, Study(owner=user.name, name=name, created=now, updated=now, **fields)
                )
            return _changed(connection, found, asked, now)

        now = self._now()
        study = await self._ports.write(work, epoch=self._epoch)
        self._settle(study)
        return study

    async def get(self, user: User, name: str) -> Study:
        """Return a study."""
        found = await self._find(user, name)
        if found is None:
            others = [study.name for study in await self._ports.read(lambda c: rows.owned(c, user.name))]
            raise NotFoundError(f"there is no study {shown(name)}.{did_you_mean(name, others)}")
        return found

    async def _find(self, user: User, name: str) -> Study | None:
        return await self._ports.read(lambda c: rows.find(c, user.name, name))

    async def told(
        self, user: User, name: str | None = None, *, archived: bool | None = None
    ) -> list[tuple[Study, dict[str, int]]]:
        """Return studies with the number of their cases by status: the one of *name*, or all, newest first.

        *archived* selects those that are, or are not.
        """
        found = [await self.get(user, name)] if name is not None else await self._owned(user)
        found = [study for study in found if archived in (None, study.archived)]
        counts = await self._ports.read(lambda c: rows.counts(c, [study.id for study in found]))
        return [(study, counts[study.id]) for study in found]

    async def _owned(self, user: User) -> list[Study]:
        return await self._ports.read(lambda c: rows.owned(c, user.name))

    async def change(self, user: User, name: str, asked: Mapping[str, Any]) -> Study:
        """Change fields of a study; ``ConflictError`` for a name that is taken."""
        if "name" in asked:
            refuse_bad_name(asked["name"])
        async with self._held(user, name) as study:

            def work(connection: Connection) -> Study:
                return _changed(connection, rows.by_ids(connection, [study.id])[study.id], asked, now)

            now = self._now()
            after = await self._ports.write(work, epoch=self._epoch)
        self._settle(after)
        return after

    async def remove(self, user: User, name: str) -> None:
        """Forget a study; its jobs stay. ``ConflictError`` while any of them is on its way."""
        async with self._held(user, name) as study:
            if left := len(self._under_way(study)):
                raise ConflictError(
                    f"{left:,} cases of study {study.name} are still on their way. "
                    "Cancel the study first, or wait for its end."
                )
            await self._ports.write(lambda connection: rows.remove(connection, study.id), epoch=self._epoch)

    async def cancel(self, user: User, name: str) -> int:
        """Ask all cases that are on their way to end; return how many."""
        async with self._held(user, name) as study:
            left = [job.uuid for job in self._under_way(study)]
            if left:
                await self._chains.hold(
                    study, f"study {study.name} was cancelled before its cases had ended."
                )
            results = await self._steering.cancel(user, left)
        return sum(isinstance(result, Job) for result in results)

    def _under_way(self, study: Study) -> list[Job]:
        return [job for job in self._active().values() if job.cohort_id == study.cohort]

    def _held(self, user: User, name: str) -> AbstractAsyncContextManager[Study]:
        return self._one_at_a_time.held(lambda: self.get(user, name))

    def _now(self) -> str:
        return iso(self._ports.clock.now())

    # -- cases

    async def add(
        self,
        user: User,
        name: str,
        cases: Sequence[Case],
        *,
        fresh: bool = False,
        dry_run: bool = False,
        launch_mode: str = "auto",
    ) -> Added:
        """Submit those of *cases* that are new or ended badly, all or none; with *fresh* those done as well.

        What is on its way is joined, never doubled. Raises ``CasesError`` when any cannot be accepted; a
        dry run stores nothing and tells the same errors. Its study need not be there yet: *launch_mode*
        is then that of the study to be.
        """
        if dry_run and await self._find(user, name) is None:
            refuse_bad_name(name)
            now = self._now()
            study = Study(
                owner=user.name,
                name=name,
                template=NOTHING,
                launch_mode=launch_mode,
                created=now,
                updated=now,
            )
            wishes, errors = wished(cases, {}, {}, fresh=fresh)
            return await self._submit(user, study, wishes, counted(cases, {}), errors, dry_run=True)
        async with self._held(user, name) as study:
            if study.archived and not dry_run:
                raise _archived(study)
            known = await self._standings(study, [case.case_id for case in cases])
            before = await self._requests(study, cases, known, fresh=fresh)
            wishes, errors = wished(cases, known, before, fresh=fresh)
            so_far = counted(cases, known)
            return await self._submit(user, study, wishes, so_far, errors, dry_run=dry_run)

    async def retry(
        self, user: User, name: str, case_ids: Sequence[str], changes: Mapping[str, Any]
    ) -> Added:
        """Make a new attempt of each case that is not on its way, with *changes* over its last request."""
        async with self._held(user, name) as study:
            if study.archived:
                raise _archived(study)
            cases = [Case(case_id=case_id) for case_id in dict.fromkeys(case_ids)]
            known = await self._standings(study, [case.case_id for case in cases])
            before = await self._requests(study, cases, known, fresh=True)
            wishes, errors = retried(cases, known, before, study, changes)
            return await self._submit(user, study, wishes, counted(cases, known), errors)

    async def _standings(self, study: Study, case_ids: Sequence[str]) -> dict[str, Standing]:
        return await self._ports.read(lambda c: rows.standings(c, study.id, case_ids))

    async def _requests(
        self, study: Study, cases: Sequence[Case], known: Mapping[str, Standing], *, fresh: bool
    ) -> dict[int, dict[str, Any]]:
        """Return position -> stored request of the known cases that are to run and come without one."""
        bare = (known[c.case_id] for c in cases if c.request is None and c.case_id in known)
        places = [s.position for s in bare if not s.is_in_flight and (fresh or not s.is_done)]
        if not places:
            return {}
        found = await self._ports.read(lambda c: rows.requests(c, study.id, places))
        return {place: json.loads(text) for place, text in found.items()}

    async def _submit(
        self,
        user: User,
        study: Study,
        wishes: Sequence[Wish],
        so_far: Added,
        errors: Sequence[CaseError],
        *,
        dry_run: bool = False,
    ) -> Added:
        """Submit what is wished, all or nothing."""
        raws = [wish.raw for wish in wishes]
        results = await self._submission.resolve_all(user, raws, only_check=dry_run)
        accepted = [result for result in results if isinstance(result, Accepted)]
        wrong = [
            refused(wish, result)
            for wish, result in zip(wishes, results, strict=True)
            if isinstance(result, TapisJobsError)
        ]
        told = replace(so_far, errors=tuple(sorted((*errors, *wrong), key=lambda error: error.row)))
        if dry_run:
            out = {error.row for error in wrong}
            would = tuple((wish.case.case_id, None) for wish in wishes if wish.row not in out)
            mode, reason = await self._forecast(study, accepted)
            return replace(told, submitted=would, launch_mode=mode, launch_reason=reason)
        if told.errors:
            raise CasesError(told)
        made = [as_of(study, one) for one in accepted]
        stored = await self._store(user, made, lambda c, jobs: keep(c, study, wishes, jobs))
        await self._chains.try_again(study)
        if not wishes:
            return told
        # Failures that are tried again are none any more.
        self._let_in()
        submitted = ((w.case.case_id, job.uuid) for w, (job, _) in zip(wishes, stored, strict=True))
        return replace(told, submitted=tuple(submitted))

    async def _forecast(self, study: Study, accepted: Sequence[Accepted]) -> tuple[str | None, str | None]:
        """Return how most of the jobs would be started, and why: those on the system that has the most."""
        if not accepted:
            return None, None
        # Cases that are alike share one job here.
        different = {id(one): as_of(study, one) for one in {id(one): one for one in accepted}.values()}
        by_system: dict[str, list[tuple[Job, JobDefinition]]] = {}
        for one in (different[id(shared)] for shared in accepted):
            by_system.setdefault(one.job.exec_system_id, []).append((one.job, one.definition))
        name, jobs = max(by_system.items(), key=lambda item: len(item[1]))
        system = await self._system(name)
        return await self._ports.workers.read(lambda: forecast(jobs, system))

    # -- chains

    async def then(self, user: User, name: str, raw: Mapping[str, Any], outputs: Sequence[str]) -> Chain:
        """Have one job submitted when no case is in flight, with *outputs* of all FINISHED cases as inputs.

        Returns at once. The same again is the same request, tried again. Raises what is wrong with *raw* now.
        """
        async with self._held(user, name) as study:
            if study.archived:
                raise _archived(study)
            return await self._chains.add(study, raw, outputs)

    async def chained(self, user: User, name: str) -> list[Chain]:
        """Return the chained requests of a study, oldest first."""
        return await self._chains.told(await self.get(user, name))

    async def unchain(self, user: User, name: str, chain_id: int) -> Chain:
        """Take back a chained request; ``ConflictError`` for one that is a job already."""
        async with self._held(user, name) as study:
            return await self._chains.remove(study, chain_id)

    # -- stop rule

    def hear(self, events: Sequence[JobEvent], jobs: Sequence[Job]) -> None:
        """Look after each failure whether its study has had enough, after each end what goes on with it."""
        self.look(job for job in jobs if job.status is JobStatus.FAILED)
        self._chains.hear(jobs)

    def look(self, jobs: Iterable[Job]) -> None:
        """Look, soon, whether the studies of *jobs* have had enough failures."""
        if found := studies_of(job.cohort_id for job in jobs):
            self._ports.spawn(self._stop(found), "stop rule of studies")

    def _settle(self, study: Study) -> None:
        """The limits of a study may be others now, and how many of its cases failed."""
        self.look(self._under_way(study)[:1])
        self._let_in()

    async def _stop(self, failed: Mapping[str, int]) -> None:
        """End the cases of stopped studies that have not begun; those that wait for a place go on waiting."""
        rules = await self._rules.of(failed.values())
        stopped = {c: rules[i]["study"] for c, i in failed.items() if i in rules and rules[i]["stopped"]}
        ending: dict[User, list[str]] = {}
        for job in self._active().values():
            if job.cohort_id in stopped and job.status in NOT_BEGUN and not job.cancel_requested:
                ending.setdefault(User(job.owner, job.tenant, False), []).append(job.uuid)
                self._reasons[job.uuid] = _STOPPED.format(stopped[job.cohort_id])
        for owner, uuids in ending.items():
            await self._steering.cancel(owner, uuids)


def _changed(connection: Connection, study: Study, asked: Mapping[str, Any], now: str) -> Study:
    """Store what of *asked* is different."""
    different = {name: value for name, value in asked.items() if getattr(study, name) != value}
    if not different:
        return study
    rows.change(connection, study.id, **different, updated=now)
    return replace(study, **different, updated=now)


def _archived(study: Study) -> ConflictError:
    return ConflictError(f"study {study.name} is archived. Take it out of the archive before you run it.")
