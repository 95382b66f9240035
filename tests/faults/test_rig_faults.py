"""200 mixed jobs over SSH on a real Slurm cluster, while something breaks: none lost, none run twice."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import suppress

import pytest
from mixed_study import EXIT_CODE, Case, End, Study, check_history, expected, histories, output_of
from rig.rig import Rig
from stage import HOST, Stage, small_disk
from troubles import TROUBLES, Trouble, server_killed

from jupyter_tapis_jobs.client.collecting import fetched
from jupyter_tapis_jobs.model.errors import UnavailableError
from jupyter_tapis_jobs.model.status import TERMINAL, JobStatus
from jupyter_tapis_jobs.servers import last_words

#: Seconds in which a study ends once nothing is broken any more.
HEALED = 150
#: So many jobs begin while the long ones hold their places.
MOST_BEHIND_GATE = 80
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def stage(rig_variant, running_server, tmp_path_factory, until) -> Iterator[Stage]:
    rig: Rig = rig_variant("faults")
    folder = tmp_path_factory.mktemp("faults")
    place = rig.folder / "studies"
    with small_disk(folder / "server" / "data", 256), small_disk(place, 256), small_disk(place / "work", 128):
        made = Stage(rig=rig, folder=folder / "server", place=place, run=running_server, until=until)
        made.start()
        made.add_host()
        yield made
        made.stop()
        rig.slurm("scancel", f"--user={rig.hosts[HOST].user}")


@pytest.fixture(autouse=True)
def healthy(stage: Stage) -> Iterator[None]:
    """Whatever a test leaves broken or full, the next one finds it whole and empty."""
    yield
    stage.rig.revive()
    for folder in (stage.place / "work" / "jobs").iterdir():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_a_study_survives(trouble: Trouble, stage: Stage, request):
    if trouble.slow and not request.config.getoption("--full"):
        pytest.skip("takes minutes: --full")
    survives(trouble, stage, trouble.name.replace(" ", "-").replace(",", ""))


@pytest.mark.seeds(3, full=30)
def test_a_study_survives_the_death_of_the_server_at_any_moment(seed: int, stage: Stage):
    moment = random.Random(seed).randrange(180)
    survives(Trouble(name="server killed", strike=server_killed, at=moment), stage, f"server-killed-{seed}")


def survives(trouble: Trouble, stage: Stage, name: str) -> None:
    """Let *trouble* strike during a study, and see that every job ends as it must."""
    study = stage.study(name)
    try:
        strike(trouble, stage, study)
    finally:
        study.gate.touch()
    check(trouble, stage, study)


def strike(trouble: Trouble, stage: Stage, study: Study) -> None:
    """Submit the study, and let the trouble come and go."""
    if trouble.at is None:
        with trouble.strike(stage, study):
            study.submit(stage.tapis)
    else:
        study.submit(stage.tapis)
        if trouble.at > MOST_BEHIND_GATE:
            study.gate.touch()
        stage.until(lambda: len(study.runs()) >= trouble.at, 120)
        with trouble.strike(stage, study):
            pass


def check(trouble: Trouble, stage: Stage, study: Study) -> None:
    """Wait for the end of all jobs, and see that each ended as it must."""
    ends = ended(stage, study)
    as_expected = [case for case in study.cases.values() if is_right(trouble, study, case, ends[case.uuid])]
    contents = fetched(stage.tapis.connection, [case.uuid for case in as_expected], "out.csv")
    for case in as_expected:
        assert contents[case.uuid] == output_of(case.number)
    told = histories(stage.server.data_dir, study.name)
    for uuid, end in ends.items():
        check_history(told[uuid], end.status)
    assert stage.was_blocked(study) or not trouble.blocks


def ended(stage: Stage, study: Study) -> dict[str, End]:
    """Wait until every job has ended and return how."""
    found: dict[str, End] = {}

    def waiting() -> list[tuple[Case, End | None]]:
        cases = study.cases.values()
        ends = ((case, found.get(case.uuid)) for case in cases)
        return [(case, end) for case, end in ends if not end or JobStatus(end.status) not in TERMINAL]

    def all_are() -> bool:
        # Between two engines nobody can say for some seconds.
        with suppress(UnavailableError):
            found.update(study.ends(stage.tapis))
        stage.passes(0.3)
        return not waiting()

    try:
        stage.until(all_are, HEALED)
    except pytest.fail.Exception:
        words = last_words(stage.server.process.log)
        pytest.fail(f"{len(waiting())} jobs have not ended: {waiting()[:5]}\n{words}")
    return found


def is_right(trouble: Trouble, study: Study, case: Case, end: End) -> bool:
    """Check how a job ended; False when the trouble has cost it, True when it went its own way."""
    runs = study.runs()[case.uuid]
    assert runs <= 1, (case, end, runs)
    hurt = study.hurt.get(case.uuid)
    if hurt is not None or (end.condition in trouble.costs and end.status == JobStatus.FAILED):
        assert end.status == JobStatus.FAILED, (case, end)
        assert hurt is None or end.condition in hurt, (case, end)
        assert end.message.strip(), (case, end)
        return False
    assert end.status == expected(case.kind), (case, end)
    assert runs == 1, (case, end)
    if case.kind.fails:
        assert end.exit_code == str(EXIT_CODE), (case, end)
    return True
