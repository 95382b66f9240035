"""The exercise of the Tapis workshops runs as it is: plain tapipy, Singularity, Slurm, sharing."""

import re
import subprocess
from contextlib import closing

import nbformat
import pytest
from notebook_runs import NOTEBOOKS, notebook_executed, plain
from rig.classifier import classifier_image

from jupyter_tapis_jobs.client.connection import Connection
from jupyter_tapis_jobs.client.endpoint import TOKEN_HEADER, Endpoint
from jupyter_tapis_jobs.model.errors import NotAllowedError, NotFoundError

pytestmark = [pytest.mark.needs("tapipy"), pytest.mark.timeout(500)]

NOTEBOOK = NOTEBOOKS / "03-image-classifier.ipynb"
#: With whom the results are shared.
OTHER = "training02"
#: The names that the notebook gives its systems and its app.
VM, HPC, APP = "workshop-vm-{}", "workshop-hpc-{}", "workshop-img-classify-{}"
BEST = re.compile(r"^(digit \w+) +(?:\(score = )?(\d\.\d{5})\)?$", re.MULTILINE)


@pytest.fixture(scope="module")
def connection(server):
    with closing(server.tapis().connection) as found:
        yield found


@pytest.fixture(scope="module")
def me(connection):
    return connection.get("/v3/tapisjobs/server")["user"]


@pytest.fixture(scope="module")
def other_token(connection):
    asked = {"username": OTHER, "days": 1}
    return connection.post("/v3/tapisjobs/tokens", asked)["access_token"]["access_token"]


@pytest.fixture(scope="module")
def exercise(server, connection, rig, containers, me, other_token):
    if "singularity" not in containers.working:
        pytest.skip("singularity does not work here: tests/rig/containers-up")
    login = rig.hosts["login1"]
    keys = subprocess.run(
        ["ssh-keygen", "-l", "-f", rig.known_hosts, "-F", f"[{login.host}]:{login.port}"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    try:
        yield notebook_executed(
            NOTEBOOK,
            server,
            TAPIS_BASE_URL=server.endpoint.url,
            TAPIS_USER=me,
            TAPIS_PASSWORD=server.token,
            TAPISJOBS_HOST=login.host,
            TAPISJOBS_PORT=str(login.port),
            TAPISJOBS_USER=login.user,
            TAPISJOBS_KEY=str(rig.key),
            TAPISJOBS_TRUST=next(word for word in keys.split() if word.startswith("SHA256:")),
            TAPISJOBS_IMAGE=str(classifier_image()),
            TAPISJOBS_ACCOUNT="training",
            TAPISJOBS_EMAIL="train301@example.org",
            TAPISJOBS_OTHER=OTHER,
            TAPISJOBS_OTHER_TOKEN=other_token,
        )
    finally:
        connection.post(f"/v3/apps/{APP.format(me)}/delete")
        for system in (VM, HPC):
            connection.post(f"/v3/systems/{system.format(me)}/delete")
        connection.call("DELETE", "/v3/systems/schedulerProfile/tacc")


@pytest.fixture(scope="module")
def cells(exercise):
    return {cell.id: cell for cell in exercise.cells}


@pytest.fixture(scope="module")
def jobs(connection, exercise):
    """The two jobs, by the kind of host they ran on."""
    found = connection.get("/v3/jobs/list", limit=10)
    mine = {row["name"]: row["uuid"] for row in found if row["appId"].startswith("workshop-")}
    kinds = {"vm": "img-classifier-job-vm", "hpc": "img-classifier-job-hpc"}
    return {kind: connection.get(f"/v3/jobs/{mine[name]}") for kind, name in kinds.items()}


def test_the_job_on_the_plain_host_is_forked_and_classifies_the_picture(cells, jobs):
    assert (jobs["vm"]["status"], jobs["vm"]["jobType"]) == ("FINISHED", "FORK")
    best = BEST.findall(plain(cells["output-vm"]))
    assert best[0][0] == "digit eight"
    assert float(best[0][1]) > 0.7
    assert len(best) == 5


def test_the_job_on_the_cluster_differs_by_its_system_and_scheduler_options_only(cells, jobs, rig):
    hpc = jobs["hpc"]
    assert (hpc["status"], hpc["jobType"]) == ("FINISHED", "BATCH")
    assert BEST.findall(plain(cells["output-hpc"])) == BEST.findall(plain(cells["output-vm"]))
    assert "QUEUED" in plain(cells["status-hpc"])
    assert "tacc" in hpc["parameterSet"]
    told = rig.slurm("sacct", "-nP", "-X", "-j", hpc["remoteJobId"], "-o", "Account,State")
    assert told.split() == ["training|COMPLETED"]


def test_the_job_with_notifications_keeps_the_address_to_write_to(cells):
    told = plain(cells["email"])
    assert "train301@example.org" in told
    assert told.endswith("FINISHED\n")


def test_the_five_best_scores_are_taken_from_the_output_and_drawn(cells):
    best = BEST.findall(plain(cells["scores"]))
    scores = [float(score) for _, score in best]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert best == BEST.findall(plain(cells["output-hpc"]))
    assert any("image/png" in output.get("data", {}) for output in cells["plot"].outputs)


def test_the_other_user_reads_the_system_and_the_output_and_nothing_else(
    server, cells, jobs, me, other_token
):
    told = plain(cells["other"])
    assert f"{VM.format(me)} of {me}" in told
    assert BEST.findall(told) == BEST.findall(plain(cells["output-vm"]))
    vm, hpc = jobs["vm"], jobs["hpc"]
    with closing(
        Connection(Endpoint(url=server.endpoint.url, headers={TOKEN_HEADER: other_token}, own=True))
    ) as theirs:
        for path in (
            f"ops/{VM.format(me)}/{vm['archiveSystemDir']}",
            f"content/{VM.format(me)}/{vm['execSystemExecDir']}/tapisjob.sh",
            f"content/{HPC.format(me)}/{hpc['archiveSystemDir']}/tapisjob.out",
        ):
            with pytest.raises((NotFoundError, NotAllowedError)):
                theirs.read(f"/v3/files/{path}")


def test_the_app_is_shared_with_a_user_then_with_all_then_with_nobody(cells):
    assert OTHER in plain(cells["share-app"])
    assert "Image classifier application" in plain(cells["other-app"])
    assert OTHER not in plain(cells["unshare-app"])
    assert plain(cells["public-app"]).split() == ["public:", "True", "public:", "False"]


def secrets_in(notebook):
    """Return what looks like a token or a private key in a notebook."""
    return re.findall(r"eyJ[\w-]{20,}|PRIVATE KEY", nbformat.writes(notebook))


def test_nothing_secret_and_no_error_is_shown(exercise, server):
    assert secrets_in(exercise) == []
    assert server.token not in nbformat.writes(exercise)


def test_the_notebook_is_kept_as_it_ran():
    kept = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(kept)
    cells = [cell for cell in kept.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [cell.id for cell in cells for output in cell.outputs if output.output_type == "error"]
    shown = {cell.id: cell for cell in cells}
    assert len(BEST.findall(plain(shown["scores"]))) == 5
    assert any("image/png" in output.get("data", {}) for output in shown["plot"].outputs)
    assert secrets_in(kept) == []
