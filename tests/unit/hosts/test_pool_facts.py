"""What HTCondor tells of its machines becomes a queue."""

from __future__ import annotations

from jupyter_tapis_jobs.engine.pool_facts import pool_facts

MACHINES = '8\t8192\t"here.org"\n64\t250000\t"there.org"\nundefined\terror\t"here.org"\n'


def test_the_largest_machine_is_the_limit_of_the_queue() -> None:
    found = pool_facts("23.9.6", MACHINES, "here.org\n")
    assert found.queue() == {
        "name": "pool",
        "hpcQueueName": "pool",
        "maxNodeCount": 1,
        "maxCoresPerNode": 64,
        "maxMemoryMB": 250000,
    }


def test_a_pool_without_machines_has_no_limits_but_one_node() -> None:
    found = pool_facts("23.9.6", "", "here.org")
    assert found.queue() == {"name": "pool", "hpcQueueName": "pool", "maxNodeCount": 1}


def test_files_travel_where_no_machine_shows_them() -> None:
    found = pool_facts("23.9.6", MACHINES, "submit.org")
    assert not found.shares_files
    assert found.queue()["schedulerOptions"] == [{"name": "files", "arg": "should_transfer_files=YES"}]
