"""Files of jobs on a real cluster: brought from here and from a second host, shared, archived, whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from forwarder import Forwarder

from jupyter_tapis_jobs import Job, Tapis

HERE, THERE = "files-login1", "files-login2"
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def cluster(rig, running_server, tmp_path_factory) -> Iterator[Tapis]:
    """A server that knows both login hosts of the rig, each with a user of its own."""
    with running_server(tmp_path_factory.mktemp("cluster-files")) as server:
        tapis = server.tapis()
        for system, name in ((HERE, "login1"), (THERE, "login2")):
            tapis.add_host(system, **rig.reaching(name))
        yield tapis
        tapis.connection.close()


@pytest.fixture
def run(cluster: Tapis) -> Callable[..., list[Job]]:
    """Submit cases (inputs of each) that run a script, and wait for their end."""

    def many(script: str, *cases: list[dict[str, Any]], **fields: Any) -> list[Job]:
        requests = [{"name": f"case-{n}", "script": script, "fileInputs": c} for n, c in enumerate(cases)]
        asked = {"execSystemId": HERE, "jobType": "FORK", "maxMinutes": 5, "memoryMB": 50, **fields}
        jobs = cluster.submit_many(requests, appId="bash", **asked)
        return cluster.wait(jobs, progress=False, timeout=110)

    return many


def given(source: str, target: str, **fields: Any) -> dict[str, Any]:
    return {"name": "given", "sourceUrl": source, "targetPath": target, **fields}


def odd_tree(folder: Path) -> None:
    for name in (
        "two words",
        "line\nbreak",
        "naïve-日本語",
        "-rf",
        "$HOME;`id`",
        os.fsdecode(b"no-utf8-\xff"),
    ):
        (folder / name).mkdir(parents=True)
        (folder / name / name).write_text(f"content of {name!a}")
    (folder / "empty file").touch()
    (folder / "empty directory").mkdir()
    (folder / "link").symlink_to("two words/two words")


def tree_of(folder: Path) -> dict[bytes, object]:
    return {
        os.fsencode(path.relative_to(folder)): (
            os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        )
        for path in folder.rglob("*")
    }


def test_a_tree_of_odd_names_goes_there_and_comes_back_as_it_was(run, tmp_path: Path) -> None:
    odd_tree(tmp_path / "tree")
    (job,) = run(
        "mkdir -p kept; mv tree kept/",
        [given(f"tapis://local{tmp_path}/tree", "tree")],
        archiveSystemId="local",
        archiveSystemDir=f"{tmp_path}/archive",
        parameterSet={"archiveFilter": {"excludes": ["script.sh", "tapisjob*"]}},
    )
    assert job.status == "FINISHED", job.row["lastMessage"]
    expected = tree_of(tmp_path / "tree")
    # A filter chooses files: a directory comes with what is in it.
    del expected[b"empty directory"]
    assert tree_of(tmp_path / "archive/kept/tree") == expected


def test_fifty_cases_get_each_its_own_file_and_archive_each_its_own(run, tmp_path: Path) -> None:
    for n in range(50):
        (tmp_path / f"{n}.txt").write_text(f"{n}")
    jobs = run(
        "read n < in/case.txt; mkdir -p deep; echo $((n * n)) > deep/square",
        *[[given(f"tapis://local{tmp_path}/{n}.txt", "in/case.txt")] for n in range(50)],
        archiveSystemId="local",
        archiveSystemDir=f"{tmp_path}/${{JobName}}",
    )
    assert {job.status for job in jobs} == {"FINISHED"}
    for n in range(50):
        assert (tmp_path / f"case-{n}/deep/square").read_text() == f"{n * n}\n"
        assert (tmp_path / f"case-{n}/tapisjob.sh").exists()


def test_a_large_input_of_many_cases_is_brought_once_and_each_has_its_own_copy(
    run, on_host, tmp_path: Path
) -> None:
    size = 9 * MEGABYTE + int.from_bytes(os.urandom(2), "big")
    (tmp_path / "mesh.dat").write_bytes(os.urandom(size))
    jobs = run(
        "echo mine >> mesh.dat; wc -c < mesh.dat",
        *[[given(f"tapis://local{tmp_path}/mesh.dat", "mesh.dat")] for _ in range(5)],
    )
    assert [job.read("tapisjob.out").strip() for job in jobs] == [str(size + 5)] * 5
    assert on_host("login1", f"find ~/.tapisjobs -name content -size {size}c | wc -l") == "1\n"


def test_files_and_directories_come_from_another_host(run, on_host) -> None:
    on_host(
        "login2",
        "rm -rf ~/shown; mkdir -p ~/shown/deep; echo far > ~/shown/deep/file; ln -s deep/file ~/shown/link",
    )
    home = on_host("login2", "echo $HOME").strip()
    (job,) = run(
        "cat tree/link one",
        [
            given(f"tapis://{THERE}{home}/shown", "tree"),
            given(f"tapis://{THERE}{home}/shown/link", "one", name="b"),
        ],
    )
    assert job.read("tapisjob.out") == "far\nfar\n"


def test_a_missing_input_of_another_host_ends_its_own_case_and_is_named(run, cluster: Tapis) -> None:
    gone = f"tapis://{THERE}/no/such/file"
    bad, fine = run("echo ran", [given(gone, "x")], [])
    assert (bad.status, fine.status) == ("FAILED", "FINISHED")
    assert bad.row["condition"] == "JOB_UNABLE_TO_STAGE_INPUTS"
    assert f"the input {gone} (given) does not exist" in bad.row["lastMessage"]


def test_a_file_that_stays_on_the_host_is_not_copied(run, on_host) -> None:
    home = on_host("login1", "echo $HOME; echo kept > ~/stays.txt").strip()
    (job,) = run("ls", [given(f"tapislocal://exec.tapis{home}/stays.txt", "stays.txt")])
    assert "stays.txt" not in job.read("tapisjob.out")


def test_a_large_file_goes_on_where_the_link_broke_and_comes_whole(
    rig, cluster: Tapis, tmp_path: Path
) -> None:
    size = 64 * MEGABYTE
    (tmp_path / "big.dat").write_bytes(os.urandom(size))
    it = rig.hosts["login1"]
    with closing(Forwarder(it.port)) as way:
        keys = tmp_path / "known_hosts"
        known = rig.known_hosts.read_text().replace(f"[{it.host}]:{it.port}", f"[127.0.0.1]:{way.port}")
        keys.write_text(known)
        cluster.add_host(
            "files-broken", host="127.0.0.1", port=way.port, user=it.user, key=rig.key, knownHosts=keys
        )
        way.cut_at = [way.carried + 24 * MEGABYTE, way.carried + 48 * MEGABYTE]
        before = way.carried
        inputs = [given(f"tapis://local{tmp_path}/big.dat", "big.dat")]
        script = "sha256sum < big.dat; ls -A | grep -c part || :"
        job = cluster.submit(
            "bash", script=script, fileInputs=inputs, execSystemId="files-broken", maxMinutes=5, memoryMB=50
        )
        job.wait(timeout=110, progress=False)
        assert job.status == "FINISHED", job.row["lastMessage"]
        assert not way.cut_at
        digest = hashlib.sha256((tmp_path / "big.dat").read_bytes()).hexdigest()
        assert job.read("tapisjob.out") == f"{digest}  -\n0\n"
        # What was on its way at a cut travels again, and no more.
        assert way.carried - before < 1.5 * size
