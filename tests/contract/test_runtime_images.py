"""Images in every form that Tapis knows, what is mounted into them, and what is said of one that is none."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig.containers import Containers
from runtime_stage import (
    BATCH_SINGULARITY,
    SSH_DOCKER,
    SSH_PODMAN,
    SSH_SINGULARITY,
    SSH_ZIP,
    Combination,
    needs,
    request,
    user_of,
)

from jupyter_tapis_jobs import Tapis, TapisJobsError


@pytest.fixture
def mine(tapis: Tapis) -> Iterator[Path]:
    """A folder with a file in the home directory of the host's user."""
    user = user_of(SSH_DOCKER)
    folder = Path(tempfile.mkdtemp(prefix="mine-", dir=user.pw_dir))
    (folder / "seen.txt").write_text("seen by the host\n")
    for path in (folder, folder / "seen.txt"):
        os.chown(path, user.pw_uid, user.pw_gid)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("form", ["tapis", "path", "web"])
def test_a_zip_image_is_brought_from_tapis_or_the_web_or_lies_on_the_host(tapis: Tapis, form: str) -> None:
    app = "tiny-zip" if form == "tapis" else f"tiny-zip-{form}"
    job = tapis.submit(request(SSH_ZIP, "hello --exit 3", app=app))
    job.wait(timeout=100, progress=False)
    assert job.refresh().row["lastMessage"].endswith("exit code 3: arg: hello")


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
    "no-image-podman": (SSH_PODMAN, "JOB_LAUNCH_FAILURE", "cannot be had: Error.*Check containerImage"),
    "no-image-at-all": (SSH_SINGULARITY, "JOB_LAUNCH_FAILURE", "cannot be had: .*format not recognized"),
    "no-image-singularity": (BATCH_SINGULARITY, "JOB_UNABLE_TO_STAGE_JOB", "does not exist on login1"),
    "library": (BATCH_SINGULARITY, "JOB_LAUNCH_FAILURE", "cannot be had: .*library client.*exit code 255"),
    "no-image-zip": (SSH_ZIP, "JOB_UNABLE_TO_STAGE_JOB", "cannot be unpacked"),
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
    tapis: Tapis, containers: Containers, mine: Path
) -> None:
    needs(containers, SSH_DOCKER, SSH_SINGULARITY, BATCH_SINGULARITY)
    volume = {"arg": f"--volume $HOME/{mine.name}:/opt/mine:ro"}
    bind = {"arg": f"--bind $HOME/{mine.name}:/opt/mine,${{HOME}}:/mnt"}
    jobs = [
        tapis.submit(request(where, "--sh 'ls /opt/mine'", parameters={"containerArgs": [option]}))
        for where, option in ((SSH_DOCKER, volume), (SSH_SINGULARITY, bind), (BATCH_SINGULARITY, bind))
    ]
    for job in jobs:
        job.wait(timeout=100, progress=False)
        assert job.read("tapisjob.out").split() == ["seen.txt"]


def test_an_input_that_lies_there_is_seen_by_docker_and_cannot_be_changed(
    tapis: Tapis, containers: Containers, mine: Path
) -> None:
    needs(containers, SSH_DOCKER)
    given = {
        "name": "k",
        "sourceUrl": f"tapislocal://exec.tapis{mine}/seen.txt",
        "targetPath": "data/name, of it",
    }
    read_it = "--cat '/data/name, of it' --sh 'echo x >> \"/data/name, of it\"'"
    job = tapis.submit(request(SSH_DOCKER, read_it, fileInputs=[given]))
    job.wait(timeout=100, progress=False)
    said = job.read("tapisjob.out")
    # Two pipes, read by two threads of the daemon: their lines have no order among them.
    assert "seen by the host\n" in said
    assert "Read-only file system" in said


# --- what cannot be ---------------------------------------------------------------------------
@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_docker_is_refused_under_slurm_at_submission(tapis: Tapis, engine: str) -> None:
    with pytest.raises(
        TapisJobsError, match=r"DOCKER app, and those cannot be BATCH jobs.*SINGULARITY or ZIP"
    ):
        tapis.submit(request(Combination(engine=engine, system="login1", job_type="BATCH"), "x"))


@pytest.mark.parametrize("engine", ["zip", "docker", "singularity"])
def test_a_container_option_that_cannot_be_is_refused_at_submission(tapis: Tapis, engine: str) -> None:
    asked = {"containerArgs": [{"arg": "--env A=1"}]}
    with pytest.raises(TapisJobsError, match=r"Use envVariables instead|ZIP app"):
        tapis.submit(request(Combination(engine=engine, system="local"), "x", parameters=asked))
