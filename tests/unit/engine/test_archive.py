"""Outputs of a cohort are archived with a handful of round trips; nothing moves where nothing has to."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from two_hosts import TwoHosts, tree_of

from jupyter_tapis_jobs.engine.inputs import SMALL
from jupyter_tapis_jobs.engine.verdict import Block, Fail, Go, Stay
from jupyter_tapis_jobs.model.errors import TransportError
from jupyter_tapis_jobs.model.job import ArchiveFilter, Job
from jupyter_tapis_jobs.model.status import Condition, RemoteOutcome

FAILED = {"remote_outcome": RemoteOutcome.FAILED, "exit_code": 3}


def odd_outputs(folder: Path) -> None:
    """Write every kind of name and thing that a job may leave."""
    for name in ("two words", "line\nbreak", "naïve-日本語-🎉", "-rf", os.fsdecode(b"not-utf8-\xff\xfe")):
        (folder / name).mkdir(parents=True)
        (folder / name / name).write_text(f"content of {name!a}")
    (folder / "deep" / ("d" * 120) / ("e" * 120)).mkdir(parents=True)
    (folder / "deep" / ("d" * 120) / ("e" * 120) / "leaf").write_text("far down")
    (folder / "empty file").touch()
    (folder / "empty directory").mkdir()
    (folder / "link").symlink_to("two words/two words")


def elsewhere(hosts: TwoHosts, uuid: str, **fields: Any) -> Job:
    """Return a job whose outputs go to the far host."""
    return hosts.job(uuid, archive_system_id="far", archive_system_dir=f"/kept/{uuid}", **fields)


# -- where nothing moves


async def test_outputs_that_stay_cost_nothing(hosts: TwoHosts) -> None:
    for n in range(3):
        hosts.output(f"j{n}")
    assert await hosts.archive(*[hosts.job(f"j{n}") for n in range(3)]) == {f"j{n}": Go("") for n in range(3)}
    assert not hosts.near.calls


@pytest.mark.parametrize(("count", "call"), [(3, "copy_all"), (50, "run")])
async def test_launch_files_of_all_jobs_are_copied_together(hosts: TwoHosts, count: int, call: str) -> None:
    jobs = [hosts.job(f"j{n}", archive_filter=ArchiveFilter()) for n in range(count)]
    for job in jobs:
        hosts.output(job.uuid)
    assert all(verdict == Go("") for verdict in (await hosts.archive(*jobs)).values())
    assert hosts.near.calls == {call: 1}
    for job in jobs:
        copies = {path.name: path.read_text() for path in hosts.output(job.uuid).iterdir()}
        assert copies == {name: f"{name} of {job.uuid}" for name in ("tapisjob.sh", "tapisjob.env")}
        assert os.access(hosts.output(job.uuid) / "tapisjob.sh", os.X_OK)


@pytest.mark.parametrize("below", ["out put", "a,b&c\\d", "$HOME/'\""])
async def test_launch_files_go_to_directories_of_any_name(hosts: TwoHosts, below: str) -> None:
    jobs = []
    for n in range(12):
        fields = {
            "exec_system_output_dir": f"/jobs/j{n}/{below}", "archive_system_dir": f"/jobs/j{n}/{below}",
        }  # fmt: skip
        hosts.output(f"j{n}")
        (hosts.place(f"j{n}") / below).mkdir(parents=True)
        jobs.append(hosts.job(f"j{n}", archive_filter=ArchiveFilter(), **fields))
    await hosts.archive(*jobs)
    assert hosts.near.calls == {"run": 1}
    assert (hosts.place("j11") / below / "tapisjob.env").read_text() == "tapisjob.env of j11"


async def test_launch_files_that_are_gone_end_their_own_job(hosts: TwoHosts) -> None:
    jobs = [hosts.job(f"j{n}", archive_filter=ArchiveFilter()) for n in range(20)]
    for job in jobs:
        hosts.output(job.uuid)
    (hosts.place("j7") / "tapisjob.sh").unlink()
    verdicts = await hosts.archive(*jobs)
    assert {uuid for uuid, verdict in verdicts.items() if verdict != Go("")} == {"j7"}
    assert (hosts.output("j19") / "tapisjob.sh").exists()


async def test_without_an_archive_nothing_is_moved(hosts: TwoHosts) -> None:
    jobs = [
        elsewhere(hosts, "never", archive_mode="NEVER"),
        elsewhere(hosts, "skipped", archive_mode="SKIP_ON_FAIL", **FAILED),
    ]
    for job in jobs:
        (hosts.output(job.uuid) / "x").write_text("x")
    verdicts = await hosts.archive(*jobs)
    assert verdicts["never"] == Go("")
    assert verdicts["skipped"].fields == {"remote_outcome": RemoteOutcome.FAILED_SKIP_ARCHIVE}
    assert not (hosts.far_root / "kept").exists()


# -- reasons of failed jobs


async def test_the_last_lines_of_all_failed_jobs_are_read_by_one_script(hosts: TwoHosts) -> None:
    jobs = []
    for n in range(120):
        (hosts.output(f"j{n}") / "tapisjob.out").write_text(f"begin\nit broke at {n}\n \n")
        jobs.append(hosts.job(f"j{n}", **FAILED))
    verdicts = await hosts.archive(*jobs)
    assert hosts.near.calls == {"run": 1}
    assert [v.message for v in verdicts.values()] == [f"exit code 3: it broke at {n}" for n in range(120)]


OUTPUTS = {
    "errors first": ({"out": b"fine\n", "err": b"broken\n"}, "exit code 3: broken"),
    "no errors": ({"out": b"the end", "err": b""}, "exit code 3: the end"),
    "blank errors": ({"out": b"the end", "err": b"\n \n\t\n"}, "exit code 3: the end"),
    "nothing": ({}, "exit code 3, and no output"),
    "bytes": ({"out": b"\xff\x00\xfe caf\xc3\xa9\r\n"}, "exit code 3: \ufffd\x00\ufffd café"),
    "long": ({"out": b"x" * 100_000 + b"\nlast " + b"y" * 1000}, "exit code 3: last " + "y" * 295),
}


async def test_a_last_line_is_found_in_all_kinds_of_output(hosts: TwoHosts) -> None:
    jobs = []
    for name, (files, _) in OUTPUTS.items():
        for file, content in files.items():
            (hosts.output(name) / file).write_bytes(content)
        jobs.append(hosts.job(name, stdout_filename="out", stderr_filename="err", **FAILED))
    verdicts = await hosts.archive(*jobs)
    assert {name: verdict.message for name, verdict in verdicts.items()} == {
        name: said for name, (_, said) in OUTPUTS.items()
    }


async def test_an_output_that_is_a_pipe_a_link_or_a_directory_has_no_last_line(hosts: TwoHosts) -> None:
    (hosts.folder / "secret").write_text("secret")
    os.mkfifo(hosts.output("pipe") / "tapisjob.out")
    (hosts.output("link") / "tapisjob.out").symlink_to(hosts.folder / "secret")
    (hosts.output("dir") / "tapisjob.out").mkdir()
    (hosts.output("file") / "tapisjob.out").write_text("seen")
    verdicts = await hosts.archive(*[hosts.job(n, **FAILED) for n in ("pipe", "link", "dir", "file", "gone")])
    said = [verdict.message.removeprefix("exit code 3") for verdict in verdicts.values()]
    assert said == [", and no output"] * 3 + [": seen", ", and no output"]


async def test_time_limits_and_vanished_processes_are_said_as_such(hosts: TwoHosts) -> None:
    (hosts.output("late") / "tapisjob.out").write_text("step 7")
    timeout = {"condition": Condition.JOB_EXECUTION_MONITORING_TIMEOUT, "remote_result_info": "143"}
    late = hosts.job("late", **FAILED, **timeout)
    lost = hosts.job("lost", **FAILED, condition=Condition.SCHEDULER_TERMINATED)
    verdicts = await hosts.archive(late, lost)
    assert verdicts["late"].message == "stopped at the time limit of 10 min; last line: step 7"
    assert verdicts["lost"].message == "its process vanished"


# -- to another directory of the same host


async def test_whole_outputs_are_copied_on_the_host(hosts: TwoHosts) -> None:
    jobs = [hosts.job(f"j{n}", archive_system_dir=f"/kept/j{n}") for n in range(5)]
    for job in jobs:
        odd_outputs(hosts.output(job.uuid))
    assert all(verdict == Go("") for verdict in (await hosts.archive(*jobs)).values())
    assert hosts.near.calls["look"] == 2
    assert hosts.near.calls["copy_all"] == 1
    assert tree_of(hosts.near_root / "kept/j4") == tree_of(hosts.output("j4"))


async def test_a_filter_chooses_by_one_listing_of_all_jobs(hosts: TwoHosts) -> None:
    chosen = ArchiveFilter(includes=("*.csv", "deep/**"), excludes=("b.csv",), include_launch_files=False)
    jobs = []
    for n in range(20):
        folder = hosts.output(f"j{n}")
        odd_outputs(folder)
        for name in ("a.csv", "b.csv", "c.txt"):
            (folder / name).write_text(name)
        jobs.append(hosts.job(f"j{n}", archive_system_dir=f"/kept/j{n}", archive_filter=chosen))
    await hosts.archive(*jobs)
    assert hosts.near.calls == {"look": 2, "run": 1, "copy_all": 1}
    kept = {name for name, content in tree_of(hosts.near_root / "kept/j19").items() if content is not None}
    assert kept == {b"a.csv", b"deep/" + b"d" * 120 + b"/" + b"e" * 120 + b"/leaf"}


@pytest.mark.parametrize("place", ["near", "far"])
async def test_the_engines_own_marks_are_no_outputs(hosts: TwoHosts, place: str) -> None:
    fields = {
        "exec_system_output_dir": "/jobs/j",
        "archive_system_id": place,
        "archive_system_dir": "/kept/j",
    }
    (hosts.place("j") / ".tapisjob").mkdir(parents=True)
    (hosts.place("j") / ".tapisjob/claim").write_text("j 1 host")
    (hosts.place("j") / "result").write_text("42")
    (hosts.place("j") / "nothing").mkdir()
    await hosts.archive(hosts.job("j", **fields))
    assert tree_of(hosts.folder / place / "kept/j") == {b"result": b"42", b"nothing": None}


# -- to another host


@pytest.mark.parametrize("count", [1, 20])
async def test_outputs_go_to_another_system_in_one_stream(hosts: TwoHosts, count: int) -> None:
    jobs = [elsewhere(hosts, f"j{n}", archive_filter=ArchiveFilter()) for n in range(count)]
    for job in jobs:
        odd_outputs(hosts.output(job.uuid))
    assert all(verdict == Go("") for verdict in (await hosts.archive(*jobs)).values())
    assert hosts.near.calls == {"look": 1, "run": 1, "pack": 1, "get": 1}
    assert hosts.far.calls == {"look": 1, "unpack": 1, "put": 1}
    for job in jobs:
        kept = tree_of(hosts.far_root / "kept" / job.uuid)
        assert kept.pop(b"tapisjob.sh") == f"tapisjob.sh of {job.uuid}".encode()
        assert kept.pop(b"tapisjob.env") == f"tapisjob.env of {job.uuid}".encode()
        assert kept == tree_of(hosts.output(job.uuid))


@pytest.mark.parametrize("count", [1, 3])
async def test_large_outputs_go_on_where_the_link_broke(hosts: TwoHosts, count: int) -> None:
    content = os.urandom(3 * SMALL)
    jobs = [elsewhere(hosts, f"j{n}") for n in range(count)]
    for job in jobs:
        odd_outputs(hosts.output(job.uuid))
        (hosts.output(job.uuid) / "deep/field.bin").write_bytes(content)
    hosts.far.breaks = [2 * SMALL, 0, SMALL]
    assert all(verdict == Go("") for verdict in (await hosts.archive(*jobs)).values())
    for job in jobs:
        assert tree_of(hosts.far_root / "kept" / job.uuid) == tree_of(hosts.output(job.uuid))


async def test_thousands_of_outputs_come_whole(hosts: TwoHosts, request: pytest.FixtureRequest) -> None:
    count = 100_000 if request.config.getoption("--full") else 2_000
    folder = hosts.output("j")
    for n in range(count):
        if n % 500 == 0:
            (folder / f"{n // 500}").mkdir()
        (folder / f"{n // 500}" / f"{n}").write_text(f"{n}")
    assert await hosts.archive(elsewhere(hosts, "j")) == {"j": Go("")}
    files = [path for path in (hosts.far_root / "kept/j").rglob("*") if path.is_file()]
    assert len(files) == count
    assert all(path.read_text() == path.name for path in files[:: count // 100])


async def test_owners_read_how_much_is_archived(hosts: TwoHosts) -> None:
    (hosts.output("j") / "field.bin").write_bytes(bytes(5 * SMALL))
    hosts.clock.pace = 0.4
    await hosts.archive(elsewhere(hosts, "j"))
    assert hosts.notes[-1][0] == ("j",)
    assert hosts.notes[-1][1].startswith("copying outputs ")
    assert hosts.notes[-1][1].endswith(" MB")


# -- what goes wrong


async def test_a_deleted_directory_ends_its_own_job(hosts: TwoHosts) -> None:
    for place in ("near", "far"):
        fields = {"archive_system_id": place, "archive_system_dir": "/kept"}
        (hosts.output("whole") / "x").write_text("x")
        verdicts = await hosts.archive(
            hosts.job("whole", **{**fields, "archive_system_dir": "/kept/whole"}),
            hosts.job("gone", **{**fields, "archive_system_dir": "/kept/gone"}),
        )
        assert verdicts["whole"] == Go("")
        assert isinstance(verdicts["gone"], Fail)
        assert "No such file or directory" in verdicts["gone"].message
        assert (hosts.folder / place / "kept/whole/x").exists()


async def test_an_output_directory_that_leads_outside_is_not_archived(hosts: TwoHosts) -> None:
    (hosts.folder / "secret").mkdir()
    (hosts.folder / "secret/key").write_text("key")
    hosts.output("out").rmdir()
    (hosts.place("out") / "output").symlink_to(hosts.folder / "secret")
    for job in (elsewhere(hosts, "out"), hosts.job("out", archive_system_dir="/kept/out")):
        verdict = (await hosts.archive(job))["out"]
        assert isinstance(verdict, Fail)
        assert "leads outside the rootDir" in verdict.message
    assert not (hosts.far_root / "kept").exists()
    assert not (hosts.near_root / "kept").exists()


async def test_links_in_outputs_stay_links(hosts: TwoHosts) -> None:
    (hosts.folder / "secret").write_text("secret")
    (hosts.output("j") / "link").symlink_to(hosts.folder / "secret")
    await hosts.archive(elsewhere(hosts, "j"))
    assert (hosts.far_root / "kept/j/link").is_symlink()


async def test_an_archive_that_leads_outside_is_refused(hosts: TwoHosts) -> None:
    (hosts.far_root / "kept").symlink_to(hosts.folder)
    (hosts.output("j") / "x").write_text("x")
    verdict = (await hosts.archive(elsewhere(hosts, "j")))["j"]
    assert isinstance(verdict, Fail)
    assert "archiveSystemDir" in verdict.message
    assert not (hosts.folder / "j").exists()


async def test_an_archive_that_refuses_one_job_takes_the_others(hosts: TwoHosts) -> None:
    jobs = [elsewhere(hosts, f"j{n}") for n in range(4)]
    for job in jobs:
        (hosts.output(job.uuid) / "x").write_text("x")
    (hosts.far_root / "kept/j2/x").mkdir(parents=True)
    verdicts = await hosts.archive(*jobs)
    assert [type(verdicts[job.uuid]) for job in jobs] == [Go, Go, Fail, Go]
    assert (hosts.far_root / "kept/j3/x").exists()


async def test_a_full_archive_holds_the_job_until_there_is_room(hosts: TwoHosts) -> None:
    (hosts.output("j") / "x").write_text("x")
    hosts.far.full = str(hosts.far_root / "kept")
    verdict = (await hosts.archive(elsewhere(hosts, "j")))["j"]
    assert isinstance(verdict, Block)
    assert "no space is left" in verdict.message


async def test_an_archive_host_that_is_away_holds_only_those_who_need_it(hosts: TwoHosts) -> None:
    for name in ("far", "near"):
        hosts.output(name)
    hosts.far.is_down = True
    verdicts = await hosts.archive(elsewhere(hosts, "far"), hosts.job("near"))
    assert isinstance(verdicts["far"], Block)
    assert verdicts["near"] == Go("")


async def test_the_jobs_own_host_that_is_away_is_trouble_of_its_lane(hosts: TwoHosts) -> None:
    hosts.output("j")
    hosts.near.is_down = True
    assert isinstance((await hosts.archive(elsewhere(hosts, "j")))["j"], Block)
    with pytest.raises(TransportError):
        await hosts.archive(hosts.job("j", archive_filter=ArchiveFilter()))


async def test_outputs_that_cannot_be_listed_whole_are_not_archived_in_part(
    hosts: TwoHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [elsewhere(hosts, name) for name in ("open", "closed")]
    for job in jobs:
        (hosts.output(job.uuid) / "x").write_text("x")
    run = hosts.near.run

    async def complaining(script: str, **options: Any) -> Any:
        answer = await run(script, **options)
        closed = hosts.output("closed")
        return type(answer)(1, answer.stdout, f"find: '{closed}/dir': Permission denied\n")

    hosts.near.run = complaining
    verdicts = await hosts.archive(*jobs)
    assert verdicts["open"] == Go("")
    assert isinstance(verdicts["closed"], Fail)
    assert "Permission denied" in verdicts["closed"].message
    assert not (hosts.far_root / "kept/closed").exists()


async def test_a_refused_look_is_told_of_the_job_that_it_is_about(hosts: TwoHosts) -> None:
    jobs = [elsewhere(hosts, name) for name in ("open", "closed")]
    for job in jobs:
        (hosts.output(job.uuid) / "x").write_text("x")
    look = hosts.far.look

    async def refusing(paths: Sequence[str]) -> Any:
        if any(path.endswith("closed") for path in paths):
            raise PermissionError(13, "Permission denied", next(p for p in paths if p.endswith("closed")))
        return await look(paths)

    hosts.far.look = refusing
    with pytest.raises(PermissionError):
        await hosts.archive(*jobs)
    # As the conveyor does it: by halves.
    assert await hosts.archive(jobs[0]) == {"open": Go("")}
    verdict = (await hosts.archive(jobs[1]))["closed"]
    assert isinstance(verdict, Fail)
    assert "Permission denied" in verdict.message


async def test_outputs_of_a_cancelled_job_stop_on_their_way(hosts: TwoHosts) -> None:
    (hosts.output("j") / "field.bin").write_bytes(bytes(5 * SMALL))
    hosts.clock.pace = 1.0
    hosts.on_note = lambda uuids, text: hosts.cancelled.update(uuids)
    assert await hosts.archiver.archive(hosts.lane, [elsewhere(hosts, "j")]) == {"j": Stay(rests=True)}
    await asyncio.gather(*hosts.tasks)
    assert not (hosts.far_root / "kept/j/field.bin").exists()
