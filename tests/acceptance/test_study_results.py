"""What cases of a study wrote on a real server: collected, drawn, explained, and taken along in a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jupyter_tapis_jobs.client.output_cache import OutputCache
from jupyter_tapis_jobs.client.study import Study
from jupyter_tapis_jobs.client.study_crate import read_crate
from jupyter_tapis_jobs.client.tapis import Tapis, TapisJobsWarning
from tests.conftest import TestServer

SCRIPT = """
mkdir -p deep
printf 'drift\\n0.%s\\n' "$K" > peak.csv
printf '{"energy": %s}' "$K" > "deep/energy-$K.json"
echo "period = $K.5 s"
if [ "$K" = 4 ]; then echo 'Error: the solution did not converge'; exit 3; fi
"""


@pytest.fixture(scope="module")
def study(server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    tapis = server.tapis()
    with closing(tapis.connection):
        made = tapis.study("look", "bash", cases={"k": [1, 2, 3, 4]}, script=SCRIPT, env={"K": "{{ k }}"})
        yield made.run().wait(180, progress=False)
        made.delete()


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OutputCache:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return OutputCache()


@pytest.mark.filterwarnings("ignore::jupyter_tapis_jobs.client.tapis.TapisJobsWarning")
def test_files_globs_texts_and_functions_give_a_row_for_each_case(study: Study) -> None:
    table = study.collect("peak.csv")
    assert table["drift"].fillna(0).tolist() == [0.1, 0.2, 0.3, 0]
    assert table["problem"][3] == "FAILED: exit code 3"
    found = study.collect("**/*.json")
    assert found["file"].dropna().tolist() == [f"deep/energy-{k}.json" for k in (1, 2, 3)]
    periods = study.collect("tapisjob.out", pattern=r"period = (?P<period>\S+) s", unfinished=True)
    assert periods["period"].tolist() == [1.5, 2.5, 3.5, 4.5]
    assert study.collect(lambda job: len(job.results()))["value"].fillna(0).tolist() == [3, 3, 3, 0]


def test_an_output_that_was_never_written_is_told(study: Study) -> None:
    with pytest.warns(TapisJobsWarning, match=r"4 of 4 cases .* 3 no output nothing\.csv, 1 FAILED"):
        table = study.collect("nothing.csv")
    assert table["problem"].tolist()[:3] == ["no output nothing.csv"] * 3


def test_a_failed_case_tells_its_cause_and_its_call(study: Study) -> None:
    (group,) = study.failures()
    assert (len(group), str(group.cause), group.where) == (1, "no convergence", "k == 4")
    assert group.line == "Error: the solution did not converge"
    assert "study.retry(" in group.next_step
    assert "Error: the solution did not converge" in repr(study.show(3))


@pytest.mark.parametrize("kind", ["states", "timeline", "failures"])
def test_a_study_that_ran_can_be_drawn(study: Study, kind: str) -> None:
    assert study.plot(kind=kind).png().startswith(b"\x89PNG")


def test_a_study_goes_out_and_comes_back_as_the_same_cases(study: Study, tmp_path: Path) -> None:
    path = study.export(tmp_path / "look.zip")
    assert [case["parameters"]["k"] for case in read_crate(path).cases] == [1, 2, 3, 4]
    again = study.tapis.import_study(path, "look again")
    try:
        again.run().wait(180, progress=False)
        assert again.frame()["caseId"].tolist() == study.frame()["caseId"].tolist()
        assert again.frame()["status"].tolist() == ["FINISHED"] * 3 + ["FAILED"]
    finally:
        again.delete()


def test_jobs_without_a_study_are_collected_alike(study: Study) -> None:
    tapis: Tapis = study.tapis
    uuids = study.frame()["jobUuid"].tolist()[:3]
    assert tapis.collect(uuids, "**/*.json")["energy"].tolist() == [1, 2, 3]
