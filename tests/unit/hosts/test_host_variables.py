"""Host variables: asked once an hour, remembered, and believed while the host is away."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from in_place import InPlace

from jupyter_tapis_jobs.engine.host_variables import HostVariables
from jupyter_tapis_jobs.engine.systems import LOCAL
from jupyter_tapis_jobs.model.errors import TransportError


class OneHost:
    """Answers what it is asked about variables; counts how often."""

    def __init__(self, **variables):
        self.variables, self.asked, self.is_away = variables, 0, False

    async def transport(self, system_id, user):
        return self

    async def environment(self, names):
        self.asked += 1
        if self.is_away:
            raise TransportError("login1 does not answer")
        return {name: self.variables[name] for name in names if name in self.variables}


@pytest.fixture
def host():
    return OneHost(SCRATCH="/scratch/train301")


@pytest.fixture
def ports(host, database, clock):
    return SimpleNamespace(hosts=host, database=database, clock=clock, workers=InPlace())


async def test_a_host_is_asked_once_an_hour(ports, host, clock, add_system):
    variables, system = HostVariables(ports), add_system("one")
    for _ in range(3):
        told = await variables.of(system, "train301", {"SCRATCH", "WORK"})
        assert told == {"SCRATCH": "/scratch/train301"}
    assert host.asked == 1
    clock.seconds += 3601
    await variables.of(system, "train301", {"SCRATCH"})
    assert host.asked == 2


async def test_what_was_heard_outlives_the_engine_and_serves_while_the_host_is_away(
    ports, host, clock, add_system
):
    system = add_system("one")
    await HostVariables(ports).of(system, "train301", {"SCRATCH"})
    host.is_away = True
    clock.seconds += 1800
    assert await HostVariables(ports).of(system, "train301", {"SCRATCH"}) == {"SCRATCH": "/scratch/train301"}
    clock.seconds += 7 * 24 * 3600
    assert await HostVariables(ports).of(system, "train301", {"SCRATCH"}) == {"SCRATCH": "/scratch/train301"}
    with pytest.raises(TransportError, match="does not answer"):
        await HostVariables(ports).of(system, "train301", {"SCRATCH", "NEVER_HEARD"})


async def test_that_a_host_was_away_is_not_remembered_as_an_answer(ports, host, add_system):
    variables, system = HostVariables(ports), add_system("one")
    host.is_away = True
    with pytest.raises(TransportError):
        await variables.of(system, "train301", {"SCRATCH"})
    host.is_away = False
    assert await variables.of(system, "train301", {"SCRATCH"}) == {"SCRATCH": "/scratch/train301"}


async def test_a_system_that_points_elsewhere_is_asked_anew(ports, host, systems, owner, add_system):
    variables = HostVariables(ports)
    await variables.of(add_system("one"), "train301", {"SCRATCH"})
    host.variables["SCRATCH"] = "/elsewhere"
    moved = systems.patch(owner, "one", {"host": "login2.example.org"})
    assert await variables.of(moved, "train301", {"SCRATCH"}) == {"SCRATCH": "/elsewhere"}


async def test_this_machine_is_asked_again_by_each_engine(ports, host, add_system):
    system = add_system("other").model_copy(update={"id": LOCAL})
    for _ in range(2):
        await HostVariables(ports).of(system, "train301", {"SCRATCH"})
    assert host.asked == 2
