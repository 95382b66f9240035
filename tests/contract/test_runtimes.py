"""One contract for all runtimes: the same application in every form, wherever Tapis lets it run.

Real docker, podman and Apptainer: on this machine, over SSH as ordinary users, and on the nodes of a Slurm.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rig.containers import Containers
from runtime_stage import (
    ALLOWED,
    SSH_DOCKER,
    SSH_SINGULARITY,
    Combination,
    containers_of,
    ended,
    needs,
    processes_of,
    request,
    said_so_far,
    start_all,
    user_of,
    whole,
)

from jupyter_tapis_jobs import Job, Tapis

#: Holds what shells, CSV and env files take for their own.
HARD = 'it\'s "x, y" $HOME ${HOME} $(id) `id` \\ = # end'
#: Several wait for a minute of the host's, and the first one for all that starts.
pytestmark = pytest.mark.timeout(300)
every = pytest.mark.parametrize("where", ALLOWED, ids=str)
#: Under Slurm it is the scheduler that ends what a killed script leaves, as far as it follows processes.
FORKED = [where for where in ALLOWED if where.job_type == "FORK"]
forked = pytest.mark.parametrize("where", FORKED, ids=str)


# --- an application that ends well ------------------------------------------------------------
@pytest.fixture(scope="module")
def good(tapis: Tapis, containers: Containers) -> Mapping[str, Job]:
    """One job each that shows what it was given."""

    def made(where: Combination) -> dict[str, Any]:
        args = (
            f"'two words' $HOME \"${{HOME}}/x y\" '$(id)' '*' --cat {where.inputs}/k.txt --env ^HARD --id "
            f"--write {where.outputs}/made.txt written --err complaint"
        )
        return request(
            where,
            args,
            fileInputs=[{"name": "k", "sourceUrl": "data:,stiff%0A", "targetPath": "k.txt"}],
            parameters={"envVariables": [{"key": "HARD", "value": HARD}, {"key": "HARD_EMPTY", "value": ""}]},
        )

    return start_all(tapis, containers, made)


@pytest.fixture(scope="module")
def bad(tapis: Tapis, containers: Containers) -> Mapping[str, Job]:
    """One job each that fails by itself."""
    return start_all(tapis, containers, lambda where: request(where, "--err 'cannot converge' --exit 7"))


@pytest.fixture(scope="module")
def sleepers(tapis: Tapis, containers: Containers, good: object, bad: object) -> Mapping[str, Job]:
    """One job each that would run for long, and hears of its end."""
    return start_all(tapis, containers, lambda where: request(where, "--trap 9 begun --sleep 600"))


@every
def test_an_application_gets_words_variables_and_inputs_as_they_were_given(
    late, good, bad, orphans, sleepers, containers: Containers, where: Combination
) -> None:
    job = ended(good, containers, where)
    assert job.status == "FINISHED", job.row["lastMessage"]
    said = job.read("tapisjob.out").splitlines()
    # docker carries the two streams apart: which comes first is not said.
    said.remove("complaint")
    user = user_of(where)
    assert said == [
        "arg: two words",
        f"arg: {user.pw_dir}",
        f"arg: {user.pw_dir}/x y",
        "arg: $(id)",
        "arg: *",
        "stiff",
        f"HARD={HARD}",
        "HARD_EMPTY=",
        f"{user.pw_uid}:{user.pw_gid}",
    ]


@every
def test_what_it_writes_is_output_and_belongs_to_the_jobs_user(
    good, tapis: Tapis, containers: Containers, where: Combination
) -> None:
    job = ended(good, containers, where)
    assert job.read("made.txt") == "written\n"
    user = user_of(where)
    written = Path(whole(tapis, job)["execSystemOutputDir"]) / "made.txt"
    assert (written.stat().st_uid, written.stat().st_gid) == (user.pw_uid, user.pw_gid)


@every
def test_it_is_known_by_the_number_that_its_engine_gave_it(
    good, tapis: Tapis, containers: Containers, where: Combination
) -> None:
    number = whole(tapis, ended(good, containers, where))["remoteJobId"]
    assert re.fullmatch(r"[0-9a-f]{64}" if where.runtime == "DOCKER" else r"[0-9]{1,9}", number)


@every
def test_its_secrets_are_in_no_command_line_and_the_env_file_is_its_users_alone(
    good, tapis: Tapis, containers: Containers, where: Combination
) -> None:
    folder = Path(whole(tapis, ended(good, containers, where))["execSystemExecDir"])
    assert "it's" not in (folder / "tapisjob.sh").read_text()
    assert (folder / "tapisjob.env").stat().st_mode & 0o007 == 0


# --- one that does not ------------------------------------------------------------------------
@every
def test_an_application_that_fails_keeps_its_exit_code_and_last_line(
    bad, tapis: Tapis, containers: Containers, where: Combination
) -> None:
    job = ended(bad, containers, where)
    assert (job.status, job.row["condition"]) == ("FAILED", "JOB_REMOTE_OUTCOME_ERROR")
    assert job.row["lastMessage"].endswith("exit code 7: cannot converge")
    assert whole(tapis, job)["remoteResultInfo"] == "7"


@every
def test_when_it_has_ended_nothing_of_it_is_left(bad, containers: Containers, where: Combination) -> None:
    job = ended(bad, containers, where)
    assert containers_of(job, where) == []
    assert list(processes_of(job.uuid)) == []


# --- one that is ended ------------------------------------------------------------------------
@pytest.fixture(scope="module")
def cancelled(sleepers: Mapping[str, Job], until) -> Mapping[str, Job]:
    """The long ones, each cancelled as soon as it has said something: others wait for its cores."""
    for job in sleepers.values():
        until(lambda job=job: "begun" in said_so_far(job), 60)
        job.cancel()
    return sleepers


@every
def test_a_cancelled_application_is_asked_first_and_leaves_nothing_behind(
    cancelled, containers: Containers, until, where: Combination
) -> None:
    job = ended(cancelled, containers, where)
    assert job.status == "CANCELLED"
    assert containers_of(job, where) == []
    assert list(processes_of(job.uuid)) == []
    assert "terminated" in said_so_far(job)


@pytest.mark.parametrize("where", [w for w in ALLOWED if w.runtime == "DOCKER"], ids=str)
def test_a_container_that_does_not_listen_is_killed_at_once(
    tapis: Tapis, containers: Containers, until, where: Combination
) -> None:
    needs(containers, where)
    job = tapis.submit(request(where, "begun --sleep 600"))
    until(lambda: "begun" in said_so_far(job))
    job.cancel()
    job.wait(timeout=25, progress=False)
    assert job.status == "CANCELLED"
    assert containers_of(job, where) == []


# --- one whose launch script is killed ----------------------------------------------------------
@pytest.fixture(scope="module")
def orphans(tapis: Tapis, containers: Containers, until) -> Mapping[str, Job]:
    """The long ones again, each without its launch script by now."""
    return orphaned(tapis, containers, until, "--trap 9 begun --sleep 600")


@pytest.fixture(scope="module")
def deaf_orphans(tapis: Tapis, containers: Containers, until, full: bool) -> Mapping[str, Job]:
    """And those that hear of no end."""
    if not full:
        pytest.skip("takes a minute and more: --full")
    return orphaned(tapis, containers, until, "begun --sleep 600")


def orphaned(
    tapis: Tapis, containers: Containers, until: Callable[..., object], args: str
) -> Mapping[str, Job]:
    """Start jobs that say so, and kill their launch scripts."""
    jobs = start_all(tapis, containers, lambda where: request(where, args), FORKED)
    for job in jobs.values():
        kill_launch_script(tapis, job, until)
    return jobs


def kill_launch_script(tapis: Tapis, job: Job, until: Callable[..., object]) -> None:
    """Kill what would have told of its end."""
    until(lambda: "begun" in said_so_far(job), 60)
    folder = Path(whole(tapis, job)["execSystemExecDir"])
    os.kill(int((folder / "tapisjob.pid").read_text()), signal.SIGKILL)


@forked
def test_when_the_launch_script_is_killed_its_application_ends_too(
    orphans, containers: Containers, until, where: Combination
) -> None:
    job = ended(orphans, containers, where)
    assert job.status == "FAILED"
    assert containers_of(job, where) == []
    until(lambda: not list(processes_of(job.uuid)))


@forked
def test_one_that_does_not_listen_ends_too_when_its_launch_script_is_killed(
    deaf_orphans, containers: Containers, until, where: Combination
) -> None:
    job = ended(deaf_orphans, containers, where, seconds=200)
    assert job.status == "FAILED"
    assert containers_of(job, where) == []
    until(lambda: not list(processes_of(job.uuid)))


# --- one over its time --------------------------------------------------------------------------
@pytest.fixture(scope="module")
def late(tapis: Tapis, containers: Containers, full: bool) -> Mapping[str, Job]:
    """One job each with a minute to run; they take that minute while other tests run."""
    return start_all(
        tapis,
        containers,
        lambda where: request(where, "'step 3' --trap 9 --sleep 600", maxMinutes=1),
        ALLOWED if full else (SSH_DOCKER, SSH_SINGULARITY),
    )


@every
def test_one_over_its_time_is_ended_and_leaves_nothing_behind(
    late, containers: Containers, where: Combination
) -> None:
    if where.engine in containers.working | {"zip"} and str(where) not in late:
        pytest.skip("takes a minute and more: --full")
    job = ended(late, containers, where, seconds=220)
    assert job.row["condition"] in ("JOB_EXECUTION_MONITORING_TIMEOUT", "SCHEDULER_TIMEOUT")
    assert "step 3" in job.read("tapisjob.out")
    assert containers_of(job, where) == []
    assert list(processes_of(job.uuid)) == []
