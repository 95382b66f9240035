"""The rig itself: what the other tests rest on is as they believe it is."""

from __future__ import annotations

import subprocess

import pytest
from rig.rig import Rig
from rig.totp import totp


@pytest.fixture(scope="module")
def breakable(rig_variant) -> Rig:
    return rig_variant("breakable")


def test_jobs_run_on_the_nodes_and_are_accounted_for(rig):
    said = rig.ssh("cd /tmp && srun --partition=development hostname")
    assert said.strip() in {f"node{number}" for number in range(1, 5)}
    assert rig.ssh("id -un", "login2").strip() == "riguser2"
    assert rig.partitions == ("development", "normal")
    assert rig.slurm("sacctmgr", "-nP", "list", "cluster", "format=cluster").strip() == "rig"


def test_codes_are_those_of_the_standard():
    secret = b"12345678901234567890".hex()
    assert [totp(secret, step) for step in (1, 37037036, 66666666)] == ["287082", "081804", "279037"]


def test_no_code_is_given_twice_and_each_opens_the_door(rig_variant):
    rig = rig_variant("sign-in")
    assert len({rig.code() for _ in range(3)}) == 3
    assert "code" in rig.hosts["otp"].user
    assert rig.hosts["password"].password


def test_the_inner_host_is_reached_only_through_the_outer_one(rig_variant):
    rig = rig_variant("sign-in")
    assert rig.ssh("id -un", "inner").strip() == rig.hosts["inner"].user
    straight = ["ssh", "-F", str(rig.ssh_config), "-o", "ProxyJump=none", "inner", "true"]
    assert subprocess.run(straight, capture_output=True).returncode == 255


def test_odd_shells_talk(rig_variant):
    rig = rig_variant("sign-in")
    assert rig.ssh("echo here", "noisy") == "Welcome to the noisy host\nhere\n"
    assert rig.ssh("echo $version", "csh").startswith("Welcome to the csh host\ntcsh ")


def test_connections_drop_and_freeze_and_are_refused(breakable, until):
    rig = breakable
    options = ["ssh", "-F", str(rig.ssh_config), "-o", "ConnectionAttempts=1", "login1"]
    open_one = subprocess.Popen([*options, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert open_one.stdin
    assert open_one.stdout

    def echo() -> bytes:
        open_one.stdin.write(b"x\n")
        open_one.stdin.flush()
        return open_one.stdout.readline()

    with open_one:
        assert echo() == b"x\n"
        with rig.frozen_connections():
            open_one.stdin.write(b"later\n")
            open_one.stdin.flush()
            assert rig.ssh("echo new ones work") == "new ones work\n"
        assert open_one.stdout.readline() == b"later\n"
        assert rig.drop_connections() > 0
        assert open_one.wait(10) == 255
    with rig.refused_connections():
        assert subprocess.run([*options, "true"], capture_output=True).returncode == 255
    assert rig.ssh("echo back") == "back\n"


def test_daemons_stop_freeze_and_come_back(breakable):
    rig = breakable
    for daemon in ("slurmdbd", "slurmctld"):
        rig.stop(daemon)
        assert not rig.runs(daemon)
    rig.freeze("slurmd.node1")
    rig.revive()
    rig.kill("slurmctld")
    rig.revive()
    assert "ok" not in rig.slurm("squeue", "-h")
    assert rig.ssh("srun -w node1 hostname").strip() == "node1"


def test_a_node_loses_its_power_with_all_that_runs_there(breakable, until):
    rig = breakable
    rig.ssh("sbatch -w node2 --output=/dev/null --wrap 'exec sleep 7777'")
    until(lambda: "R" in rig.slurm("squeue", "-h", "-o", "%t"))
    until(lambda: subprocess.run(["pgrep", "-xf", "sleep 7777"], capture_output=True).returncode == 0)
    rig.kill_node("node2")
    assert subprocess.run(["pgrep", "-xf", "sleep 7777"], capture_output=True).returncode == 1
    rig.slurm("scancel", "--user=riguser1")
    rig.revive()
    assert rig.ssh("srun -w node2 hostname").strip() == "node2"


@pytest.mark.parametrize(
    ("name", "command", "answer"),
    [
        ("no-arrays", "sbatch --array=1-2 --wrap true", "rray"),
        ("small-arrays", "sbatch --array=1-11 --wrap true", "rray"),
        ("few-jobs", "for i in 1 2 3 4 5 6; do sbatch -H --wrap true; done; scancel -u $USER", "limit"),
        ("no-accounting", "sacct", "disabled"),
    ],
)
def test_variants_refuse_what_they_are_for(rig_variant, name, command, answer):
    assert answer in rig_variant(name).ssh(f"({command}) 2>&1; true")


def test_a_job_of_the_urgent_partition_drives_out_another(rig_variant, until):
    rig = rig_variant("preemption")
    long = "sbatch --parsable --no-requeue --exclusive --output=/dev/null --wrap 'sleep 600'"
    first = rig.ssh(long).strip()
    until(lambda: rig.slurm("squeue", "-h", "-o", "%t").strip() == "R")
    rig.ssh("srun --partition=urgent true", seconds=30)
    until(lambda: "PREEMPTED" in rig.slurm("sacct", "-nXP", "-j", first, "-o", "state"))


def test_a_job_over_its_memory_is_ended_as_such(rig_variant, until):
    rig = rig_variant("memory")
    greedy = "python3 -c 'x = bytearray(300_000_000)'"
    first = rig.ssh(f'sbatch --parsable --mem=50 --output=/dev/null --wrap "{greedy}"').strip()
    until(lambda: "OUT_OF_MEMORY" in rig.slurm("sacct", "-nXP", "-j", first, "-o", "state"))


def test_comments_are_kept_unless_the_variant_keeps_none(rig, rig_variant, until):
    for cluster, kept in ((rig, "told"), (rig_variant("no-comments"), "")):
        first = cluster.ssh("sbatch --parsable --comment=told --output=/dev/null --wrap true").strip()
        shown = ["sacct", "-nXP", "-j", first, "-o", "state,comment"]
        until(lambda shown=shown, cluster=cluster: "COMPLETED" in cluster.slurm(*shown))
        assert cluster.slurm(*shown).strip() == f"COMPLETED|{kept}"
