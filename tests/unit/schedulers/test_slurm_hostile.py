"""What jobs write into their marks and call their directories never passes for a word of another job's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from jupyter_tapis_jobs.schedulers.base import Launch, Sighting
from jupyter_tapis_jobs.schedulers.slurm import SlurmScheduler
from jupyter_tapis_jobs.transports.base import Answer

SLURM = SlurmScheduler()
MARK = "\x1f"


@pytest.fixture
def lane(tmp_path: Path) -> Path:
    """A lane's folder on a host whose Slurm shows what lies in ``long`` and ``short``.

    ``scancel`` writes down its words.
    """
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, does in {
        "sbatch": "true",
        "squeue": f'case "$*" in *%T*) cat {tmp_path}/long ;; *) cat {tmp_path}/short ;; esac',
        "sacct": "true",
        "scancel": f'printf "%s\\n" "$@" >> {tmp_path}/cancelled',
    }.items():
        (commands / name).write_text(f"#!/bin/sh\n{does}\n")
        (commands / name).chmod(0o755)
    for rows in ("long", "short"):
        (tmp_path / rows).touch()
    (tmp_path / "lane").mkdir()
    return tmp_path / "lane"


def ran(lane: Path, script: str) -> Answer:
    path = f"{lane.parent}/bin:/usr/bin:/bin"
    done = subprocess.run(["/bin/sh"], input=script, env={"PATH": path}, capture_output=True, text=True)
    return Answer(done.returncode, done.stdout, done.stderr)


def job(lane: Path, uuid: str, folder: str | None = None, number: str = "4711", **marks: str) -> Launch:
    """A single job, with marks in its directory."""
    place = lane.parent / (folder or uuid)
    (place / ".tapisjob").mkdir(parents=True)
    for name, text in marks.items():
        (place / ".tapisjob" / name).write_text(text)
    return Launch(uuid=uuid, exec_dir=str(place), submission_id="s1", remote_job_id=number)


def shows(lane: Path, number: str, state: str, place: str, comment: str = "tapisjob:s1") -> None:
    """Put a job into Slurm's list, as a look and as a cancel ask for it."""
    cells = ("row", number, number, state, "None", "c1", "N/A", comment, place)
    for name, row in {"long": cells, "short": (*cells[:3], comment, place)}.items():
        with (lane.parent / name).open("a") as rows:
            rows.write(MARK.join(row) + "\n")


@pytest.mark.parametrize("space", [r"\0040", r"\040"])
def test_an_exit_mark_cannot_speak_for_another_job(lane, space):
    words = ("500\\njob", "victim", "4712", "ended", "0", "-\\nagain", "victim", "4712", "ended", "0", "-\n")
    forged = space.join(words)
    hostile = job(lane, "hostile", exit=forged)
    victim = job(lane, "victim", number="4712", claim="victim 1 h\n")
    shows(lane, "4712", "RUNNING", victim.exec_dir)
    answer = ran(lane, SLURM.look_script(str(lane), [victim, hostile]))
    assert SLURM.parse_look([victim, hostile], answer)["victim"].sighting is Sighting.RUNNING


@pytest.mark.parametrize("letter", ["\u2028", "\u2029"])
def test_a_directory_with_an_odd_line_break_is_found_in_the_queue(lane, letter):
    odd = job(lane, "odd", f"odd{letter}job", claim="odd 1 h\n")
    shows(lane, "4711", "RUNNING", odd.exec_dir)
    answer = ran(lane, SLURM.look_script(str(lane), [odd]))
    assert SLURM.parse_look([odd], answer)["odd"].sighting is Sighting.RUNNING


def test_only_numbers_are_said_to_scancel(lane):
    victim = job(lane, "victim", claim="victim 1 h x slurm:4711:0\n")
    shows(lane, "4711", "RUNNING", victim.exec_dir)
    shows(lane, "--user=u", "RUNNING", victim.exec_dir)
    script = SLURM.cancel_script([victim], why="cancel", grace=0).replace("sleep 0.5", ":")
    ran(lane, script)
    assert (lane.parent / "cancelled").read_text().split() == ["--quiet", "4711"]


def test_a_claim_cannot_put_another_directory_in_the_place_of_its_job(lane):
    victim = job(lane, "victim", number="4712", claim="victim 1 h\n")
    hostile = job(lane, "hostile", claim=f"hostile 1 h x slurm:1{MARK}{victim.exec_dir}:0\n")
    shows(lane, "4712", "RUNNING", victim.exec_dir)
    ran(lane, SLURM.cancel_script([hostile], why="cancel", grace=0).replace("sleep 0.5", ":"))
    assert not (lane.parent / "cancelled").exists()
