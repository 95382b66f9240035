"""One output of many jobs, through a real server: one answer, one frame, nobody else's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_tapis_jobs.client.collecting import fetched, fetched_matching
from jupyter_tapis_jobs.client.job import Job
from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotFoundError
from tests.conftest import TestServer


@pytest.fixture(scope="module")
def tapis(server: TestServer) -> Iterator[Tapis]:
    tapis = server.tapis()
    yield tapis
    tapis.connection.close()


@pytest.fixture(scope="module")
def jobs(tapis: Tapis) -> list[Job]:
    """Six jobs, each with a table of its own and a file of half a megabyte; the last wrote no table."""
    script = """
[ $K = 5 ] || printf 'k,u\\n%s,1.5\\n%s,2.5\\n' $K $K > disp.csv
head -c 500000 /dev/zero | tr '\\0' $K > large.txt
"""
    found = tapis.submit_many([{"env": {"K": k}} for k in range(6)], appId="bash", script=script)
    return tapis.wait(found, timeout=180, progress=False)


def test_the_tables_of_many_jobs_are_one_frame(tapis: Tapis, jobs: list[Job]) -> None:
    table = tapis.collect(jobs[:5], "disp.csv")
    assert table["k"].tolist() == [k for k in range(5) for _ in range(2)]
    assert table["u"].sum() == 5 * 4.0
    assert table["jobUuid"].tolist() == [job.uuid for job in jobs[:5] for _ in range(2)]


def test_a_job_without_the_file_is_named(tapis: Tapis, jobs: list[Job]) -> None:
    with pytest.raises(NotFoundError, match=rf"^Job {jobs[5].name} has no output 'disp.csv'\.$"):
        tapis.collect(jobs, "disp.csv")


def test_large_files_come_whole(tapis: Tapis, jobs: list[Job]) -> None:
    contents = fetched(tapis.connection, [job.uuid for job in jobs], "large.txt")
    assert contents == {job.uuid: str(k).encode() * 500_000 for k, job in enumerate(jobs)}


def test_a_job_that_is_not_there_is_told_beside_those_that_are(tapis: Tapis, jobs: list[Job]) -> None:
    nowhere = "00000000-0000-0000-0000-000000000000-007"
    for uuids in ([nowhere], [jobs[0].uuid, nowhere]):
        with pytest.raises(NotFoundError, match=f"here is no job {nowhere}, or it is not yours"):
            fetched(tapis.connection, uuids, "disp.csv")


def test_a_glob_brings_every_output_that_fits(tapis: Tapis, jobs: list[Job]) -> None:
    contents, missing = fetched_matching(tapis.connection, [job.uuid for job in jobs], "*.[ct][sx][vt]")
    assert [list(contents[job.uuid]) for job in jobs[:5]] == [["disp.csv", "large.txt"]] * 5
    assert contents[jobs[3].uuid]["large.txt"] == b"3" * 500_000
    assert list(contents[jobs[5].uuid]) == ["large.txt"]
    assert missing == {}


def test_a_job_without_what_a_glob_means_is_told(tapis: Tapis, jobs: list[Job]) -> None:
    contents, missing = fetched_matching(tapis.connection, [job.uuid for job in jobs[4:]], "d*.csv")
    assert list(contents) == [jobs[4].uuid]
    assert missing == {jobs[5].uuid: f"Job {jobs[5].name} has no output 'd*.csv'."}


def test_a_path_out_of_the_job_is_refused(tapis: Tapis, jobs: list[Job]) -> None:
    with pytest.raises(InvalidInputError):
        fetched(tapis.connection, [jobs[0].uuid], "../../secret")
