"""How sbatch's words are read: numbers out of banners, refusals as sentences."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_tapis_jobs.schedulers.base import Launch, Report, Sighting, Submission
from jupyter_tapis_jobs.schedulers.slurm import SlurmScheduler
from jupyter_tapis_jobs.transports.base import Answer

SLURM = SlurmScheduler()
RECORDED = Path(__file__).parent / "recorded"


def refusals() -> Iterator[tuple[str, str, str]]:
    """Yield (what sbatch said, sighting, sentence) of the recorded file."""
    text = (RECORDED / "sbatch.txt").read_text()
    for said, meaning in re.findall(r"^[\d.-]+: (.+)\n(.+)$", text, re.MULTILINE):
        sighting, _, sentence = meaning.partition(": ")
        yield said, sighting, sentence


def submission(*uuids: str, mode: str = "single", lane: str = "/lane") -> Submission:
    launches = tuple(Launch(uuid=u, exec_dir=f"{lane}/jobs/{u}", mode=mode, max_minutes=600) for u in uuids)
    return Submission(id="sub", lane_dir=lane, epoch=7, launches=launches, mode=mode)


def reports(answer: str, *uuids: str, mode: str = "single") -> dict[str, Report]:
    return dict(SLURM.parse_submit(submission(*uuids, mode=mode), Answer(0, answer, "")))


@pytest.mark.parametrize(("said", "sighting", "sentence"), list(refusals()))
def test_what_sbatch_says_is_told_as_what_to_change(said: str, sighting: str, sentence: str) -> None:
    report = reports(f"one failed {said} | \n", "one").get("one")
    if sighting == "nothing":
        assert report is None
    else:
        assert report == Report(sighting=Sighting(sighting), reason=sentence)


def test_every_refusal_counts_for_all_jobs_that_were_handed_over_together() -> None:
    said = "all failed sbatch: error: Batch job submission failed: Invalid job array specification | \n"
    seen = reports(said, "one", "two", mode="array")
    assert {uuid: report.sighting for uuid, report in seen.items()} == dict.fromkeys(
        ("one", "two"), Sighting.REFUSED
    )


@pytest.mark.parametrize(
    ("mode", "first", "second"),
    [
        ("single", ("4711", None), None),
        ("array", ("4711_0", None), ("4711_1", None)),
        ("pack", ("4711", "0"), ("4711", "1")),
    ],
)
def test_numbers_are_those_of_the_mode(
    mode: str, first: tuple[str, str], second: tuple[str, str] | None
) -> None:
    seen = reports("one accepted 4711\nall accepted 4711\n", "one", "two", mode=mode)
    found = {uuid: (report.remote_job_id, report.remote_job_id2) for uuid, report in seen.items()}
    assert found == ({"one": first, "two": second} if second else {"one": first})


def test_an_answer_that_was_cut_off_says_nothing_of_those_it_does_not_name() -> None:
    assert set(reports("two accepted 12\n", "one", "two", "three")) == {"two"}
    assert reports("", "one", "two", mode="pack") == {}


def test_what_was_not_even_tried_may_be_tried_later() -> None:
    assert reports("one skipped\n", "one")["one"].sighting is Sighting.LATER


# --- with a made-up sbatch --------------------------------------------------------------------
BANNERS = {
    "parsable": "echo 4711",
    "with a cluster": "echo '4711;big'",
    "between banners": "echo '-----'; echo 'Welcome'; echo '--> Verifying ...OK'; echo 4711",
    "with a warning": "echo 'sbatch: warning: 17 nodes are down' >&2; echo 4711",
}


@pytest.fixture
def lane(tmp_path: Path) -> Path:
    folder = tmp_path / "lane's"
    folder.mkdir()
    (folder / "epoch").write_text("7\n")
    return folder


def handed_over(lane: Path, sbatch: str, *uuids: str, mode: str = "single") -> tuple[dict[str, Report], str]:
    """Hand jobs over to a made-up sbatch; return the reports, and what it was called with."""
    made_up = lane / "bin" / "sbatch"
    made_up.parent.mkdir()
    made_up.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {str(lane / "called")!r}\n{sbatch}\n')
    made_up.chmod(0o755)
    described = submission(*uuids, mode=mode, lane=str(lane))
    done = subprocess.run(
        ["/bin/sh", "-s"],
        input=SLURM.submit_script(described),
        env={"PATH": f"{made_up.parent}:/usr/bin:/bin", "SBATCH_WAIT": "1"},
        text=True,
        capture_output=True,
    )
    said = Answer(done.returncode, done.stdout, done.stderr)
    assert said.stderr == ""
    return dict(SLURM.parse_submit(described, said)), (lane / "called").read_text()


@pytest.mark.parametrize("sbatch", BANNERS.values(), ids=BANNERS)
def test_the_number_is_found_in_what_a_site_prints(lane: Path, sbatch: str) -> None:
    seen, _ = handed_over(lane, sbatch, "one")
    assert seen["one"].remote_job_id == "4711"
    assert (lane / "submissions/sub/ids").read_text() == "one 4711\n"


def test_jobs_are_named_by_comment_and_directory_and_never_put_back_into_the_queue(lane: Path) -> None:
    _, called = handed_over(lane, "echo 4711", "one", "two")
    assert sorted(called.splitlines()) == [
        f"--parsable --no-requeue --comment=tapisjob:sub --chdir={lane}/jobs/{u} {lane}/jobs/{u}/tapisjob.sh"
        for u in ("one", "two")
    ]


@pytest.mark.parametrize("mode", ["array", "pack"])
def test_what_is_handed_over_together_is_one_call(lane: Path, mode: str) -> None:
    seen, called = handed_over(lane, "echo 4711", "one", "two", mode=mode)
    assert len(seen) == 2
    assert len(called.splitlines()) == 1
    assert "--no-requeue --comment=tapisjob:sub" in called
    assert ("--array=0-1" in called) == (mode == "array")
    assert "--export" not in called
    assert (lane / "submissions/sub/id").read_text() == "4711\n"


@pytest.mark.parametrize(
    "said",
    [
        "Unable to contact slurm controller (connect failure)",
        "Socket timed out on send/recv operation",
        "AssocMaxSubmitJobLimit",
    ],
)
def test_the_others_are_not_tried_once_slurm_is_away_or_full(lane: Path, said: str) -> None:
    uuids = [f"job-{n}" for n in range(40)]
    seen, called = handed_over(lane, f"echo 'sbatch: error: {said}' >&2; exit 1", *uuids)
    assert len(called.splitlines()) <= 4
    assert [report.sighting for report in seen.values()].count(Sighting.LATER) >= 36


def test_success_without_a_number_is_no_clear_answer(lane: Path) -> None:
    seen, _ = handed_over(lane, "echo 'Socket timed out, job may be queued'", "one")
    assert seen == {}


@pytest.mark.parametrize("why", ["Transport endpoint is not connected", "Broken pipe", "No route to host"])
def test_a_broken_link_to_slurm_is_no_refusal(lane: Path, why: str) -> None:
    said = f"sbatch: error: Batch job submission failed: {why}"
    seen, _ = handed_over(lane, f"echo '{said}' >&2; exit 1", "one")
    assert seen == {}
