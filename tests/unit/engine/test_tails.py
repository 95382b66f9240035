"""Files that are watched while they grow: read once for all viewers, to the archive at the end."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_tapis_jobs.engine.outputs import BACKLOG, Outputs
from jupyter_tapis_jobs.engine.tails import CHUNK, LAST_AFAR, News, Tails, parse_tails, tail_script
from jupyter_tapis_jobs.model.errors import InvalidInputError, TransportError
from jupyter_tapis_jobs.model.job import Job, JobDefinition
from jupyter_tapis_jobs.model.status import JobStatus, RemoteOutcome
from jupyter_tapis_jobs.transports.base import Answer, Found
from jupyter_tapis_jobs.transports.local import LocalTransport
from tests.simulation.virtual_time import run_virtually

LANE = ("cluster", "ada")
EVERY_BYTE = bytes(range(256)) * 3


class CountingHost:
    """A host on this machine that counts what it is asked, and may be away."""

    def __init__(self) -> None:
        self.runs: list[float] = []
        self.looks = 0
        self.reads = 0
        self.is_away = False
        self.local = LocalTransport()

    async def run(self, script: str, *, timeout: float = 60.0, live: bool = False) -> Answer:
        assert live, "a look that somebody watches does not wait behind bulk work"
        self.runs.append(asyncio.get_running_loop().time())
        if self.is_away:
            raise TransportError("the host is away.")
        done = subprocess.run(
            ["/bin/sh"], input=script.encode(), capture_output=True, check=False, timeout=30
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    async def look(self, paths: Sequence[str]) -> Mapping[str, Found]:
        self.looks += 1
        return {path: Found(os.path.realpath(path), None) for path in paths}

    async def read(self, path: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        self.reads += 1
        yield Path(path).read_bytes()[offset:]


class Clock:
    """The loop's own, made-up time."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def ports(host: Any) -> Any:
    """Return the ports of an engine whose every lane leads to *host*."""

    async def transport(system_id: str, user: str) -> Any:
        return host

    def spawn(work: Any, name: str) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(work, name=name)

    return SimpleNamespace(clock=Clock(), spawn=spawn, hosts=SimpleNamespace(transport=transport))


def said(*wishes: tuple[str, int], most: int = CHUNK) -> list[News | None]:
    """Return what the script says of files of this machine."""
    done = subprocess.run(
        ["/bin/sh"], input=tail_script(wishes, most).encode(), capture_output=True, check=True, timeout=30
    )
    found = parse_tails(wishes, Answer(0, done.stdout.decode(), ""))
    return [found.get(wish) for wish in wishes]


# --- one round -------------------------------------------------------------------------------------


def test_every_viewer_gets_what_is_behind_their_place_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(EVERY_BYTE)
    size = len(EVERY_BYTE)
    assert said((f"{path}", 0), (f"{path}", 700), (f"{path}", size), (f"{path}", size + 5)) == [
        News(EVERY_BYTE, size),
        News(EVERY_BYTE[700:], size),
        News(b"", size),
        News(b"", size),
    ]


@pytest.mark.parametrize("name", ["a b", "it's", '"$HOME`id`\\', "-n", "*", "müß", "end ", "[x]"])
def test_any_name_can_be_watched(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x\n")
    assert said((f"{tmp_path}/{name}", 0)) == [News(b"x\n", 2)]


def test_what_is_no_file_has_no_news(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    names = ("folder", "link", "empty", "pipe", "missing")
    assert said(*((f"{tmp_path}/{name}", 0) for name in names)) == [
        None,
        News(is_link=True),
        News(size=0),
        None,
        None,
    ]


def test_a_round_brings_a_bounded_part(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(EVERY_BYTE)
    assert said((f"{tmp_path}/out", 10), most=100) == [News(EVERY_BYTE[10:110], len(EVERY_BYTE))]


@pytest.mark.parametrize("text", ["", "news 0 3 YWJj\n", "news 0 3 YW\nend\n"])
def test_half_an_answer_is_no_answer(text: str) -> None:
    with pytest.raises(TransportError):
        parse_tails([("/out", 0)], Answer(0, text, ""))


# --- many viewers ----------------------------------------------------------------------------------


def test_fifty_viewers_of_one_file_cost_one_command_a_round(tmp_path: Path) -> None:
    host, path = CountingHost(), tmp_path / "out"
    path.write_bytes(b"hello")

    async def watch() -> list[News]:
        tails = Tails(ports(host))
        first = await asyncio.gather(*(tails.news(LANE, host, str(path), 0) for _ in range(50)))
        path.write_bytes(b"hello you")
        return first + await asyncio.gather(*(tails.news(LANE, host, str(path), 5) for _ in range(50)))

    assert run_virtually(watch()) == [News(b"hello", 5)] * 50 + [News(b" you", 9)] * 50
    assert len(host.runs) == 2


def test_the_files_of_one_lane_share_a_command_and_other_lanes_do_not_wait(tmp_path: Path) -> None:
    hosts = [CountingHost(), CountingHost()]
    for name in "abc":
        (tmp_path / name).write_text(name)

    async def watch() -> list[News]:
        tails = Tails(ports(hosts[0]))
        wishes = [tails.news(LANE, hosts[0], f"{tmp_path}/{name}", 0) for name in "abc"]
        return await asyncio.gather(*wishes, tails.news(("other", "ada"), hosts[1], f"{tmp_path}/a", 0))

    assert [news.data for news in run_virtually(watch())] == [b"a", b"b", b"c", b"a"]
    assert [len(host.runs) for host in hosts] == [1, 1]


def test_rounds_come_rarely_while_it_is_quiet_and_quickly_with_news(tmp_path: Path) -> None:
    host, path = CountingHost(), tmp_path / "out"
    path.write_bytes(b"")

    async def watch() -> None:
        tails, offset = Tails(ports(host)), 0
        for number in range(20):
            if number == 15:
                path.write_bytes(b"news")
            offset += len((await tails.news(LANE, host, str(path), offset)).data)

    run_virtually(watch())
    gaps = [round(after - before, 2) for before, after in zip(host.runs, host.runs[1:], strict=False)]
    assert gaps[:3] == [0.38, 0.56, 0.84]
    assert gaps[10] == LAST_AFAR
    assert gaps[15] == 0.25


def test_a_new_viewer_does_not_wait_for_the_next_round(tmp_path: Path) -> None:
    host, path = CountingHost(), tmp_path / "out"
    path.write_bytes(b"x")

    async def watch() -> float:
        tails = Tails(ports(host))
        await tails.news(LANE, host, str(path), 1)
        waiting = asyncio.ensure_future(tails.news(LANE, host, str(path), 1))
        await asyncio.sleep(0)
        before = asyncio.get_running_loop().time()
        await tails.news(LANE, host, str(path), 0, soon=True)
        await waiting
        return asyncio.get_running_loop().time() - before

    assert run_virtually(watch()) < 0.01


def test_a_viewer_who_leaves_does_not_take_the_news_from_the_others(tmp_path: Path) -> None:
    host, path = CountingHost(), tmp_path / "out"
    path.write_bytes(b"x")

    async def watch() -> News:
        tails = Tails(ports(host))
        leaving = asyncio.ensure_future(tails.news(LANE, host, str(path), 0))
        staying = asyncio.ensure_future(tails.news(LANE, host, str(path), 0))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert run_virtually(watch()) == News(b"x", 1)


def test_the_reader_ends_with_its_last_viewer(tmp_path: Path) -> None:
    host = CountingHost()

    async def watch() -> int:
        await Tails(ports(host)).news(LANE, host, f"{tmp_path}/out", 0)
        await asyncio.sleep(60)
        return len(asyncio.all_tasks())

    assert run_virtually(watch()) == 1
    assert len(host.runs) == 1


def test_files_of_this_machine_need_no_command(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(EVERY_BYTE)
    (tmp_path / "link").symlink_to("out")
    host = LocalTransport()

    async def watch() -> list[News]:
        tails = Tails(ports(host))
        names = ("out", "link", "missing")
        return await asyncio.gather(
            *(tails.news(("local", "ada"), host, f"{tmp_path}/{n}", 9) for n in names)
        )

    assert asyncio.run(watch()) == [News(EVERY_BYTE[9:], len(EVERY_BYTE)), News(is_link=True), News()]


# --- following a job -------------------------------------------------------------------------------


def definition(tmp_path: Path, archive: str = "archive") -> JobDefinition:
    return JobDefinition(
        job_type="BATCH", app_runtime="ZIP", container_image="/x.zip", exec_system_id="cluster",
        exec_system_exec_dir="/job", exec_system_input_dir="/job", exec_system_output_dir="/job/output",
        archive_system_id="cluster", archive_system_dir=f"/{archive}", job_working_dir="/", host="h",
        root_dir=str(tmp_path),
    )  # fmt: skip


def job(status: JobStatus) -> Job:
    return Job(
        uuid="u", tenant="t", owner="ada", name="case", description="", app_id="a", app_version="1",
        job_type="BATCH", exec_system_id="cluster", archive_system_id="cluster",
        exec_system_logical_queue="q", effective_user_id="ada", node_count=1, cores_per_node=1, memory_mb=1,
        max_minutes=1, status=status, created="", last_updated="",
        remote_outcome=RemoteOutcome.FINISHED if status is JobStatus.FINISHED else None,
    )  # fmt: skip


def follow(
    tmp_path: Path,
    host: CountingHost,
    steps: Sequence[Callable[[], JobStatus]],
    path: str = "out",
    offset: int = 0,
) -> bytes:
    """Follow a file of a job; each time its state is asked for the next of *steps* is made."""
    left = list(steps)

    def look() -> Awaitable[tuple[Job, JobDefinition]]:
        async def step() -> tuple[Job, JobDefinition]:
            make = left.pop(0) if len(left) > 1 else left[0]
            return job(make()), definition(tmp_path)

        return step()

    async def run() -> bytes:
        outputs = Outputs(ports(host), SimpleNamespace())  # type: ignore[arg-type]
        return b"".join([chunk async for chunk in outputs.follow(look, path, offset)])

    result: bytes = run_virtually(run())
    return result


def test_a_file_is_followed_from_the_output_directory_to_the_archive(tmp_path: Path) -> None:
    output = tmp_path / "job" / "output"
    output.mkdir(parents=True)

    def grown(data: bytes) -> Callable[[], JobStatus]:
        def grow() -> JobStatus:
            with (output / "out").open("ab") as file:
                file.write(data)
            return JobStatus.RUNNING

        return grow

    def archived() -> JobStatus:
        if output.exists():
            output.rename(tmp_path / "archive")
        return JobStatus.FINISHED

    steps = [lambda: JobStatus.QUEUED, grown(b"one\n"), grown(EVERY_BYTE), grown(b"last\xff"), archived]
    assert follow(tmp_path, CountingHost(), steps) == b"one\n" + EVERY_BYTE + b"last\xff"


def test_following_goes_on_when_the_host_was_away_for_a_while(tmp_path: Path) -> None:
    host, output = CountingHost(), tmp_path / "job" / "output"
    output.mkdir(parents=True)

    def state(data: bytes, *, is_away: bool) -> Callable[[], JobStatus]:
        def step() -> JobStatus:
            host.is_away = is_away
            with (output / "out").open("ab") as file:
                file.write(data)
            return JobStatus.RUNNING

        return step

    def ended() -> JobStatus:
        if output.exists():
            output.rename(tmp_path / "archive")
        return JobStatus.FINISHED

    away = [state(b"b", is_away=True)] * 5
    steps = [state(b"a", is_away=False), *away, state(b"c", is_away=False), ended]
    assert follow(tmp_path, host, steps) == b"abbbbbc"


def test_who_is_far_behind_gets_a_stream(tmp_path: Path) -> None:
    host, archive = CountingHost(), tmp_path / "archive"
    archive.mkdir()
    data = os.urandom(CHUNK + BACKLOG + 100)
    (archive / "out").write_bytes(data)
    assert follow(tmp_path, host, [lambda: JobStatus.FINISHED]) == data
    assert (host.reads, len(host.runs)) == (1, 1)


def test_the_end_of_a_job_without_the_file_ends_the_following(tmp_path: Path) -> None:
    assert follow(tmp_path, CountingHost(), [lambda: JobStatus.RUNNING, lambda: JobStatus.FINISHED]) == b""


def test_a_file_that_comes_as_a_link_out_of_the_job_is_not_shown(tmp_path: Path) -> None:
    output = tmp_path / "job" / "output"
    output.mkdir(parents=True)

    def linked() -> JobStatus:
        if not (output / "out").is_symlink():
            (output / "out").symlink_to("/etc/passwd")
        return JobStatus.RUNNING

    with pytest.raises(InvalidInputError, match="leads outside"):
        follow(tmp_path, CountingHost(), [lambda: JobStatus.RUNNING, linked])


def test_a_link_within_the_job_is_followed(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "log.7").write_bytes(b"data")
    (archive / "out").symlink_to("log.7")
    assert follow(tmp_path, CountingHost(), [lambda: JobStatus.FINISHED], offset=1) == b"ata"


def test_a_running_job_costs_two_looks_at_its_links_however_long_it_runs(tmp_path: Path) -> None:
    host, output = CountingHost(), tmp_path / "job" / "output"
    output.mkdir(parents=True)
    (output / "out").write_bytes(b"x")

    def failed() -> JobStatus:
        return JobStatus.CANCELLED

    assert follow(tmp_path, host, [*([lambda: JobStatus.RUNNING] * 30), failed]) == b"x"
    assert host.looks == 2


def test_a_path_may_hold_any_word_of_the_script(tmp_path: Path) -> None:
    names = ["CASES", "PATHS", "MOST", "a b'; touch forged; 'CASES"]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    wishes = [(str(tmp_path / name), 0) for name in names]
    done = subprocess.run(
        ["/bin/sh"], input=tail_script(wishes, 100).encode(), capture_output=True, check=True, cwd=tmp_path
    )
    found = parse_tails(wishes, Answer(0, done.stdout.decode(), ""))
    assert [found[wish].data.decode() for wish in wishes] == names
    assert not (tmp_path / "forged").exists()
