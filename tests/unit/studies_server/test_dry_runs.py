"""A dry run looks at what differs: like cases are checked once, and every bad one is still told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from simulation.lives import USER
from simulation.world import Behaviour, World

from jupyter_tapis_jobs.engine import submission
from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.study import Case, CasesError
from jupyter_tapis_jobs.store import studies as study_rows


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the jobs that were resolved, in order."""
    names: list[str] = []
    resolve = submission.resolve

    def counted(request: Any, *args: Any, **given: Any) -> Any:
        names.append(request.name)
        return resolve(request, *args, **given)

    monkeypatch.setattr(submission, "resolve", counted)
    return names


def of_env(cases: list[Case], value: Callable[[int], str]) -> list[Case]:
    """Give each case a variable of its own."""
    return [
        replace(case, request={**(case.request or {}), "parameterSet": _variable(value(k))})
        for k, case in enumerate(cases)
    ]


def _variable(value: str) -> dict[str, Any]:
    return {"envVariables": [{"key": "K", "value": value}]}


def test_like_cases_are_checked_once(
    run: Callable[..., None], cases: Callable[..., list[Case]], resolved: list[str]
) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        given = of_env(cases(500), str)
        looked = await engine.studies.add(USER, "s", given, dry_run=True)
        assert len(looked.submitted) == 500
        assert resolved == ["case-0"]

    run(scene)


def test_each_bad_case_among_like_ones_is_told_as_when_it_is_submitted(
    run: Callable[..., None], cases: Callable[..., list[Case]]
) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await engine.studies.create(USER, "s", {})
        given = of_env(cases(20), lambda k: "a\nb" if k % 7 == 3 else str(k))
        looked = await engine.studies.add(USER, "s", given, dry_run=True)
        assert [error.row for error in looked.errors] == [3, 10, 17]
        assert len(looked.submitted) == 17
        with pytest.raises(CasesError) as caught:
            await engine.studies.add(USER, "s", given)
        assert caught.value.added.errors == looked.errors

    run(scene)


def test_cases_that_are_submitted_are_resolved_each(
    run: Callable[..., None], cases: Callable[..., list[Case]], resolved: list[str]
) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await engine.studies.create(USER, "s", {})
        added = await engine.studies.add(USER, "s", cases(5))
        assert len({uuid for _, uuid in added.submitted}) == 5
        assert resolved == [f"case-{k}" for k in range(5)]

    run(scene)


def test_of_cases_given_by_their_ids_only_those_to_run_are_read(
    run: Callable[..., None], cases: Callable[..., list[Case]], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    requests = study_rows.requests

    def counted(connection: Any, study: int, positions: Any) -> Any:
        read.extend(positions)
        return requests(connection, study, positions)

    monkeypatch.setattr(study_rows, "requests", counted)

    async def scene(life: Any, engine: Engine, world: World) -> None:
        await engine.studies.create(USER, "s", {})
        added = await engine.studies.add(USER, "s", cases(5))
        uuid = added.submitted[3][1]
        assert uuid is not None
        world.behaviours[uuid] = Behaviour(10.0, 3)
        async with asyncio.timeout(3600.0):
            while (await engine.studies.told(USER, "s"))[0][1] != {"FINISHED": 4, "FAILED": 1}:
                await asyncio.sleep(0.5)
        bare = [Case(case_id=case.case_id) for case in cases(5)]
        looked = await engine.studies.add(USER, "s", bare, dry_run=True)
        assert (looked.done, looked.failed, looked.submitted) == (4, 1, (("id0003", None),))
        assert read == [4]
        fresh = await engine.studies.add(USER, "s", bare, fresh=True)
        assert len(fresh.submitted) == 5
        assert read == [4, 1, 2, 3, 4, 5]

    run(scene)
