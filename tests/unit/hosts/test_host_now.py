"""What a host tells of this moment: asked once in a while, whoever looks, and only where it may be asked."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from in_place import InPlace

from jupyter_tapis_jobs.engine.host_now import HostNow
from jupyter_tapis_jobs.engine.host_variables import HostVariables
from jupyter_tapis_jobs.engine.queue_load import queue_loads
from jupyter_tapis_jobs.model.errors import NotFoundError, TransportError
from jupyter_tapis_jobs.server.wire_hosts import HostLoad
from jupyter_tapis_jobs.transports.base import Answer

SAID = """\
development|up|1/3/0/4|3/29/0/32
normal|drain|10/0/2/12|560/0/112/672
@@jobs
      2 development,normal|PENDING
    997 normal|PENDING
      3 normal|RUNNING
"""
CLUSTER = {
    "canExec": True, "canRunBatch": True, "batchScheduler": "SLURM", "batchDefaultLogicalQueue": "normal",
    "batchLogicalQueues": [{"name": "normal", "hpcQueueName": "normal"}], "jobWorkingDir": "/scratch",
    "jobRuntimes": [{"runtimeType": "ZIP"}],
}  # fmt: skip


class Login:
    """A login host; ``state`` as a list of hosts has it."""

    def __init__(self):
        self.state, self.runs, self.is_away, self.answer = "connected", [], False, Answer(0, SAID, "")

    @property
    def transport(self):
        return self

    async def run(self, script, *, timeout=60.0, live=False):
        self.runs.append(script)
        await asyncio.sleep(0)
        if self.is_away:
            raise TransportError("login1 does not answer")
        return self.answer

    async def environment(self, names):
        told = {"HOME": "/home1/train301", "SCRATCH": "/scratch/train301"}
        return {name: told[name] for name in names if name in told}


class Pool:
    """Hosts of which one is known."""

    def __init__(self, login):
        self.login = login

    def known(self, system_id, user):
        return self.login if self.login.state == "connected" else None

    async def transport(self, system_id, user):
        return self.login


@pytest.fixture
def login():
    return Login()


@pytest.fixture
def now(login, database, clock, systems):
    ports = SimpleNamespace(hosts=Pool(login), database=database, clock=clock, workers=InPlace())
    return HostNow(ports, systems, ports.hosts, HostVariables(ports))


def test_nodes_and_jobs_are_told_by_partition_and_one_that_waits_for_two_waits_in_each():
    development, normal = queue_loads(SAID)
    assert (development.idle_nodes, development.nodes, development.pending) == (3, 4, 2)
    assert (normal.state, normal.idle_cores, normal.cores) == ("drain", 0, 672)
    assert (normal.running, normal.pending) == (3, 999)


def test_what_is_no_partition_is_passed_over():
    said = "Welcome!\nnormal|up|1/3/0/4|3/29/0/32\nodd|up|1K/2K/0/3K|1/2/0/3\n@@jobs\n      1 \n"
    assert [each.name for each in queue_loads(said)] == ["normal"]


async def test_however_many_look_a_host_is_asked_once_in_thirty_seconds(now, login, clock, owner, add_system):
    add_system("one", **CLUSTER)
    first, again = await asyncio.gather(now.load(owner, "one"), now.load(owner, "one"))
    assert first is again
    assert [queue["pending"] for queue in first["queues"]] == [2, 999]
    # In the words of the route's model, which refuses others.
    assert HostLoad.model_validate(first).queues[1].idle_cores == 0
    clock.seconds += 29
    await now.load(owner, "one")
    assert len(login.runs) == 1
    clock.seconds += 2
    await now.load(owner, "one")
    assert len(login.runs) == 2


async def test_no_connection_is_made_for_a_look(now, login, owner, add_system):
    add_system("one", **CLUSTER)
    login.state = "idle"
    assert await now.load(owner, "one") == {
        "asked": None, "message": "There is no connection now.", "queues": []
    }  # fmt: skip
    assert not login.runs


async def test_a_scheduler_that_is_away_says_so_and_is_not_asked_again_at_once(now, login, owner, add_system):
    add_system("one", **CLUSTER)
    login.answer = Answer(1, "", "slurm_load_partitions: Unable to contact slurm controller\n")
    told = [await now.load(owner, "one") for _ in range(2)]
    assert "Unable to contact slurm controller" in told[1]["message"]
    assert len(login.runs) == 1


async def test_accounts_are_asked_once_an_hour_and_again_after_a_look_at_the_host(
    now, login, clock, owner, systems, add_system
):
    add_system("one", **CLUSTER)
    login.answer = Answer(0, "TG-1\nTG-2\nTG-1\n\n", "")
    for _ in range(2):
        assert await now.allocations(owner, "one") == ["TG-1", "TG-2"]
        clock.seconds += 1799
    assert len(login.runs) == 1
    systems.patch(owner, "one", {"description": "looked at again"})
    await now.allocations(owner, "one")
    assert len(login.runs) == 2


async def test_a_host_that_was_away_is_asked_for_accounts_again_soon(now, login, clock, owner, add_system):
    add_system("one", **CLUSTER)
    login.is_away = True
    with pytest.raises(TransportError):
        await now.allocations(owner, "one")
    login.is_away, login.answer = False, Answer(0, "TG-1\n", "")
    clock.seconds += 31
    assert await now.allocations(owner, "one") == ["TG-1"]


async def test_a_cluster_without_accounting_and_a_host_without_scheduler_have_no_accounts(
    now, login, owner, add_system
):
    add_system("one", **CLUSTER)
    add_system("plain")
    login.answer = Answer(1, "", "You are not running a supported accounting_storage plugin\n")
    assert await now.allocations(owner, "one") == []
    assert await now.allocations(owner, "plain") == []
    assert (await now.load(owner, "plain"))["message"] == "It has no scheduler."
    assert len(login.runs) == 1


async def test_places_are_below_the_root_and_the_home_comes_first(now, owner, add_system):
    add_system("all")
    add_system("part", rootDir="/scratch")
    home, scratch = await now.places(owner, "all")
    assert (home, scratch) == (
        {"name": "HOME", "path": "/home1/train301"},
        {"name": "SCRATCH", "path": "/scratch/train301"},
    )
    assert await now.places(owner, "part") == [{"name": "SCRATCH", "path": "/train301"}]


async def test_others_are_told_nothing_of_a_system(now, login, owner, other, add_system):
    add_system("one", **CLUSTER)
    for ask in (now.load, now.allocations, now.places):
        with pytest.raises(NotFoundError):
            await ask(other, "one")
    assert not login.runs
