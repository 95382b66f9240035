"""One contract for all runtimes: the same application in every form, wherever Tapis lets it run.

Real docker, podman and Apptainer: on this machine, over SSH as ordinary users, and on the nodes of a Slurm.
"""

from __future__ import annotations

import os
import pwd
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rig.containers import Containers
from runtime_stage import (
    ALLOWED,
    Combination,
    containers_named,
    make_apps,
    processes_of,
    request,
)

from jupyter_tapis_jobs import Job, Tapis, TapisJobsError

#: Holds what shells, CSV and env files take for their own.
HARD = 'it\'s "x, y" $HOME ${HOME} $(id) `id` \\ = # end'
LOCAL_DOCKER, SSH_DOCKER = ALLOWED[1], ALLOWED[5]
SSH_SINGULARITY, BATCH_SINGULARITY = ALLOWED[7], ALLOWED[9]
every = pytest.mark.parametrize("where", ALLOWED, ids=str)


@pytest.fixture(scope="module")
def tapis(containers: Containers, rig, running_server, tmp_path_factory) -> Iterator[Tapis]:
    """A server that knows this machine and the rig's, and the application in all its forms."""
    folder = tmp_path_factory.mktemp("runtimes")
    with running_server(folder) as server:
        client = server.tapis()
        for name in ("login1", "login2"):
            it = rig.hosts[name]
            client.add_host(
                name, host=it.host, port=it.port, user=it.user, key=rig.key, knownHosts=rig.known_hosts
            )
        make_apps(client, containers, folder)
        yield client
        client.connection.close()


def needs(containers: Containers, where: Combination) -> None:
    """Skip where the engine cannot be had on this machine."""
    if where.engine != "zip" and where.engine not in containers.working:
        pytest.skip(f"{where.engine} does not work here: see tests/rig/containers-up")


def start_all(
    tapis: Tapis, there: Containers, made: Callable[[Combination], dict[str, Any]]
) -> dict[str, Job]:
    """Start one job for every combination that can be had, all at once."""
    possible = [w for w in ALLOWED if w.engine == "zip" or w.engine in there.working]
    return {str(where): tapis.submit(made(where)) for where in possible}


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
    return start_all(tapis, containers, lambda where: request(where, "begun --trap 9 --sleep 600"))


def ended(jobs: Mapping[str, Job], containers: Containers, where: Combination) -> Job:
    """Return the job of a combination at its end."""
    needs(containers, where)
    job = jobs[str(where)]
    job.wait(timeout=100, progress=False)
    return job.refresh()


@every
def test_an_application_gets_words_variables_and_inputs_as_they_were_given(
    good, bad, sleepers, containers: Containers, where: Combination
) -> None:
    job = ended(good, containers, where)
    assert job.status == "FINISHED", job.row["lastMessage"]
    user = pwd.getpwnam({"local": "root", "login1": "riguser1", "login2": "riguser2"}[where.system])
    assert job.read("tapisjob.out").splitlines() == [
        "arg: two words",
        f"arg: {user.pw_dir}",
        f"arg: {user.pw_dir}/x y",
        "arg: $(id)",
        "arg: *",
        "stiff",
        f"HARD={HARD}",
        "HARD_EMPTY=",
        f"{user.pw_uid}:{user.pw_gid}",
        "complaint",
    ]


@every
def test_what_it_writes_is_output_and_belongs_to_the_jobs_user(
    good, tapis: Tapis, containers: Containers, where: Combination
) -> None:
    job = ended(good, containers, where)
    assert job.read("made.txt") == "written\n"
    user = pwd.getpwnam({"local": "root", "login1": "riguser1", "login2": "riguser2"}[where.system])
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
    assert containers_named(job.uuid) == []
    assert list(processes_of(job.uuid)) == []


# --- one that is ended ------------------------------------------------------------------------
@pytest.fixture(scope="module")
def cancelled(sleepers: Mapping[str, Job], until) -> Mapping[str, Job]:
    """The long ones, each cancelled as soon as it has said something: others wait for its cores."""
    for job in sleepers.values():
        until(lambda job=job: "begun" in _said_so_far(job), 60)
        job.cancel()
    return sleepers


def _said_so_far(job: Job) -> str:
    try:
        return job.read("tapisjob.out")
    except TapisJobsError:
        return ""


@every
def test_a_cancelled_application_is_asked_first_and_leaves_nothing_behind(
    cancelled, containers: Containers, until, where: Combination
) -> None:
    job = ended(cancelled, containers, where)
    assert job.status == "CANCELLED"
    assert containers_named(job.uuid) == []
    assert list(processes_of(job.uuid)) == []
    assert "terminated" in _said_so_far(job)


@pytest.mark.parametrize("where", [w for w in ALLOWED if w.runtime == "DOCKER"], ids=str)
def test_a_container_that_does_not_listen_is_killed_at_once(
    tapis: Tapis, containers: Containers, until, where: Combination
) -> None:
    needs(containers, where)
    job = tapis.submit(request(where, "begun --sleep 600"))
    until(lambda: "begun" in _said_so_far(job))
    job.cancel()
    job.wait(timeout=25, progress=False)
    assert job.status == "CANCELLED"
    assert containers_named(job.uuid) == []


@every
def test_when_the_launch_script_is_killed_its_application_ends_too(
    tapis: Tapis, containers: Containers, until, where: Combination, request: pytest.FixtureRequest
) -> None:
    if where != SSH_DOCKER and not request.config.getoption("--full"):
        pytest.skip("each takes up to half a minute: --full")
    needs(containers, where)
    job = tapis.submit(_request(where, "begun --sleep 600"))
    until(lambda: "begun" in _said_so_far(job))
    folder = Path(whole(tapis, job)["execSystemExecDir"])
    os.kill(int((folder / "tapisjob.pid").read_text()), signal.SIGKILL)
    job.wait(timeout=120, progress=False)
    assert job.status == "FAILED"
    assert containers_named(job.uuid) == []
    until(lambda: not list(processes_of(job.uuid)))


@every
def test_one_over_its_time_is_ended_and_leaves_nothing_behind(
    tapis: Tapis, containers: Containers, where: Combination, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--full"):
        pytest.skip("takes a minute and more: --full")
    needs(containers, where)
    job = tapis.submit(_request(where, "step 3 --trap 9 --sleep 600", maxMinutes=1))
    job.wait(timeout=220, progress=False)
    assert job.refresh().row["condition"] in ("JOB_EXECUTION_MONITORING_TIMEOUT", "SCHEDULER_TIMEOUT")
    assert containers_named(job.uuid) == []
    assert list(processes_of(job.uuid)) == []


_request = request


# --- images -----------------------------------------------------------------------------------
@pytest.mark.parametrize("form", ["sandbox", "brought", "registry"])
def test_singularity_takes_an_image_in_every_form(tapis: Tapis, containers: Containers, form: str) -> None:
    needs(containers, SSH_SINGULARITY)
    options = {"containerArgs": [{"arg": "--no-https"}]} if form == "registry" else {}
    job = tapis.submit(request(SSH_SINGULARITY, "hello --exit 3", app=f"tiny-{form}", parameters=options))
    job.wait(timeout=100, progress=False)
    assert job.refresh().row["lastMessage"].endswith("exit code 3: arg: hello")


NO_IMAGES = {
    "no-image-docker": (
        SSH_DOCKER,
        "JOB_LAUNCH_FAILURE",
        "cannot be had: .*manifest unknown.*Check containerI",
    ),
    "no-image-podman": (LOCAL_DOCKER, "JOB_LAUNCH_FAILURE", "cannot be had: Error.*Check containerImage"),
    "no-image-at-all": (SSH_SINGULARITY, "JOB_LAUNCH_FAILURE", "cannot be had: .*format not recognized"),
    "no-image-singularity": (BATCH_SINGULARITY, "JOB_UNABLE_TO_STAGE_JOB", "does not exist on login1"),
    "library": (BATCH_SINGULARITY, "JOB_LAUNCH_FAILURE", "cannot be had: .*library client.*exit code 255"),
}


@pytest.mark.parametrize("form", NO_IMAGES)
def test_an_image_that_cannot_be_had_is_told_in_the_tools_own_words_with_a_way_out(
    tapis: Tapis, containers: Containers, form: str
) -> None:
    where, condition, words = NO_IMAGES[form]
    needs(containers, where)
    job = tapis.submit(request(where, "hello", app=f"tiny-{form}"))
    job.wait(timeout=100, progress=False)
    row = job.refresh().row
    assert (row["status"], row["condition"]) == ("FAILED", condition)
    assert re.search(words, row["lastMessage"])


# --- containerArgs ----------------------------------------------------------------------------
def test_a_mount_takes_variables_of_the_host_and_nothing_else(
    tapis: Tapis, containers: Containers, until
) -> None:
    for where in (SSH_DOCKER, SSH_SINGULARITY, BATCH_SINGULARITY):
        needs(containers, where)
    home = pwd.getpwnam("riguser1").pw_dir
    volume = {"arg": "--volume $HOME/.ssh:/opt/mine:ro"}
    bind = {"arg": "--bind $HOME/.ssh:/opt/mine,${HOME}:/mnt"}
    jobs = [
        tapis.submit(request(where, "--sh 'ls /opt/mine'", parameters={"containerArgs": [option]}))
        for where, option in ((SSH_DOCKER, volume), (SSH_SINGULARITY, bind), (BATCH_SINGULARITY, bind))
    ]
    for job in jobs:
        job.wait(timeout=100, progress=False)
        assert job.read("tapisjob.out").split() == sorted(os.listdir(f"{home}/.ssh"))


def test_an_input_that_lies_there_is_seen_by_docker_and_cannot_be_changed(
    tapis: Tapis, containers: Containers
) -> None:
    needs(containers, SSH_DOCKER)
    given = {
        "name": "k",
        "sourceUrl": "tapislocal://exec.tapis/etc/hostname",
        "targetPath": "data/name, of it",
    }
    read_it = "--cat '/data/name, of it' --sh 'echo x >> \"/data/name, of it\"'"
    job = tapis.submit(request(SSH_DOCKER, read_it, fileInputs=[given]))
    job.wait(timeout=100, progress=False)
    said = job.read("tapisjob.out")
    assert said.startswith(Path("/etc/hostname").read_text())
    assert "Read-only file system" in said


# --- what cannot be ---------------------------------------------------------------------------
def test_docker_is_refused_under_slurm_at_submission(tapis: Tapis) -> None:
    with pytest.raises(
        TapisJobsError, match=r"DOCKER app, and those cannot be BATCH jobs.*SINGULARITY or ZIP"
    ):
        tapis.submit(request(Combination(engine="docker", system="login1", job_type="BATCH"), "x"))


@pytest.mark.parametrize(
    ("engine", "option", "words"),
    [
        ("docker", "--env A=1", "Use envVariables instead"),
        ("docker", "--name mine", "finds the container again"),
        ("docker", "--user 0", "job's own user"),
        ("docker", "--privileged", "whole host"),
        ("docker", "--volum a:b", "--volume"),
        ("docker", "--volume", "needs a value"),
        ("docker", "--volume a:b --rm", "more than one word"),
        ("docker", "--volume $(id):/x", "more than one word|outside quotes"),
        ("singularity", "--env-file x", "Use envVariables instead"),
        ("singularity", "--nv --bind a:b", "takes no value"),
        ("singularity", "--bind a;b", "outside quotes"),
        ("singularity", "bind a:b", "is not an option"),
        ("singularity", "--bnd a:b", "--bind"),
        ("zip", "--bind a:b", "ZIP app"),
    ],
)
def test_a_container_option_that_cannot_be_is_refused_at_submission(
    tapis: Tapis, engine: str, option: str, words: str
) -> None:
    asked = {"containerArgs": [{"arg": option}]}
    with pytest.raises(TapisJobsError, match=words):
        tapis.submit(request(Combination(engine=engine, system="local"), "x", parameters=asked))


@pytest.mark.parametrize("engine", ["zip", "singularity"])
def test_a_variable_that_a_shell_keeps_for_itself_is_refused_at_submission(tapis: Tapis, engine: str) -> None:
    asked = {"envVariables": [{"key": "UID", "value": "7"}]}
    with pytest.raises(TapisJobsError, match="UID"):
        tapis.submit(request(Combination(engine=engine, system="local"), "x", parameters=asked))


def whole(tapis: Tapis, job: Job) -> dict[str, Any]:
    """Return all attributes of a job."""
    return dict(tapis.connection.get(f"/v3/jobs/{job.uuid}"))
