"""What running jobs tell in their files is read by one script, once for each change."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from jupyter_tapis_jobs.engine.told_progress import TAIL, parse_progress, progress_script
from jupyter_tapis_jobs.model.job import JobDefinition

MARK = "9f86d081884c7d65"


class Looks:
    """Looks at the jobs of a lane as the engine does: each look is dated by the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lane = folder / "the lane's folder"
        self.lane.mkdir()
        self.jobs: list[JobDefinition] = []
        self.read: set[str] = set()
        self.stamp = 0

    def job(self, name: str) -> Path:
        (self.folder / name / "output").mkdir(parents=True)
        self.jobs.append(definition(self.folder, name))
        return self.folder / name

    def look(self) -> list[dict[int, str]]:
        asked = [(job.job_working_dir in self.read, job) for job in self.jobs]
        script = progress_script(str(self.lane), asked, stamp=self.stamp, mark=MARK)
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True)
        assert done.stderr == b""
        found = parse_progress(done.stdout.decode("utf-8", "surrogateescape"), len(self.jobs))
        assert found is not None
        self.stamp = 1 - self.stamp
        self.read |= {job.job_working_dir for job in self.jobs}
        return found


def definition(root: Path, name: str) -> JobDefinition:
    return JobDefinition(
        job_type="FORK", app_runtime="ZIP", container_image="", exec_system_id="near",
        exec_system_exec_dir=f"/{name}", exec_system_input_dir=f"/{name}",
        exec_system_output_dir=f"/{name}/output", archive_system_id="near", archive_system_dir=f"/{name}",
        job_working_dir=f"/{name}", host="near", root_dir=str(root),
    )  # fmt: skip


@pytest.fixture
def looks(tmp_path: Path) -> Looks:
    return Looks(tmp_path)


def aged(path: Path) -> None:
    """Make *path* older than any look."""
    os.utime(path, (1_000_000_000, 1_000_000_000))


OUTPUTS = {
    "the newest line": (b"tapisjob-progress: 10%\nx\ntapisjob-progress: 20% two\nmore\n", "20% two"),
    "half a line": (b"tapisjob-progress: 10%\ntapisjob-progress: 2", "10%"),
    "a bar that is written over": (b"tapisjob-progress: 10%\rtapisjob-progress: 20%\r\n", "20%"),
    "behind blanks": (b"  tapisjob-progress:3/4\n", "3/4"),
    "amid a line": (b"he said tapisjob-progress: 10%\n", None),
    "bytes": (b"\x00\xff\ntapisjob-progress: 5% caf\xc3\xa9 \xff\n", "5% café \ufffd"),
    "long ago": (b"tapisjob-progress: 5%\n" + b"x\n" * TAIL, None),
    "behind much": (b"x\n" * TAIL + b"tapisjob-progress: 5%\n", "5%"),
    "nothing": (b"", None),
    "a mark of its own": (MARK.encode()[:-1] + b"\ntapisjob-progress: 5%\n", "5%"),
}


def test_the_newest_whole_line_of_an_output_counts(looks: Looks) -> None:
    for name, (text, _) in OUTPUTS.items():
        (looks.job(name) / "output" / "tapisjob.out").write_bytes(text)
    found = dict(zip(OUTPUTS, (files.get(0) for files in looks.look()), strict=True))
    assert found == {name: told for name, (_, told) in OUTPUTS.items()}


def test_a_file_may_lie_in_either_directory_and_may_have_many_lines(looks: Looks) -> None:
    (looks.job("a") / "output" / "progress.json").write_text('{\n "percent":\n 40}\n')
    (looks.job("b") / "progress.json").write_text('{"percent": 41}')
    assert looks.look() == [{1: '{  "percent":  40}'}, {2: '{"percent": 41}'}]


def test_what_has_not_changed_is_not_read_again(looks: Looks) -> None:
    output = looks.job("a") / "output" / "tapisjob.out"
    output.write_text("tapisjob-progress: 10%\n")
    aged(output)
    assert looks.look() == [{0: "10%"}]
    assert looks.look() == [{}]
    output.write_text("tapisjob-progress: 20%\n")
    assert looks.look() == [{0: "20%"}]


def test_a_job_that_was_not_read_before_is_read_however_old_its_files_are(looks: Looks) -> None:
    looks.job("a")
    looks.look()
    output = looks.job("b") / "output" / "tapisjob.out"
    output.write_text("tapisjob-progress: 10%\n")
    aged(output)
    assert looks.look() == [{}, {0: "10%"}]


def test_links_pipes_and_folders_are_left_alone(looks: Looks) -> None:
    secret = looks.folder / "secret"
    secret.write_text("tapisjob-progress: 10% of a secret\n")
    (looks.job("a") / "output" / "tapisjob.out").symlink_to(secret)
    os.mkfifo(looks.job("b") / "output" / "tapisjob.out")
    (looks.job("c") / "output" / "tapisjob.out").mkdir()
    assert looks.look() == [{}, {}, {}]


def test_an_answer_that_is_cut_short_counts_for_nothing() -> None:
    assert parse_progress("told 0 10% \nend 2\n", 1) is None
    assert parse_progress("told 0 10% \n", 1) is None
    assert parse_progress("told 0 10% \nend 3\n", 1) == [{0: "10%"}]


def test_many_jobs_take_a_handful_of_processes(looks: Looks) -> None:
    for number in range(300):
        (looks.job(f"j{number}") / "output" / "tapisjob.out").write_text(f"tapisjob-progress: {number}/300\n")
    script = progress_script(str(looks.lane), [(False, job) for job in looks.jobs], stamp=0, mark=MARK)
    shims, log = looks.folder / "shims", looks.folder / "log"
    shims.mkdir()
    for name in ("mktemp", "tail", "awk", "xargs", "rm"):
        real = f"/usr/bin/{name}"
        (shims / name).write_text(f'#!/bin/sh\necho {name} >> {log}\nexec {real} "$@"\n')
        (shims / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=True, env={"PATH": str(shims)}
    )
    found = parse_progress(done.stdout, 300)
    assert found == [{0: f"{number}/300"} for number in range(300)]
    assert len(log.read_text().splitlines()) <= 8
