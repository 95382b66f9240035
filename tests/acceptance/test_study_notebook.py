"""The fourth notebook, a parameter study, runs as it is: on the cluster, and here without OpenSees."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from cluster_python import cluster_environment
from notebook_runs import NOTEBOOKS, executed, plain
from rig.rig import Rig

from jupyter_tapis_jobs.client.study import Study
from tests.conftest import TestServer

FOURTH = NOTEBOOKS / "04-parameter-study.ipynb"
#: Drifts in percent, as the notebook has them.
LIMITS = (1.0, 2.0, 4.0)
pytestmark = pytest.mark.timeout(400)


@dataclass(frozen=True)
class Run:
    """The notebook after its run: its cells by id, and the study that the server kept."""

    cells: dict[str, Any]
    study: Study
    #: Cases at first, and those that came later.
    first: int
    more: int

    def shown(self, cell: str) -> str:
        """Return what a cell showed, as text."""
        return plain(self.cells[cell])


@contextmanager
def run_of(server: TestServer, first: int, more: int, **environment: str) -> Iterator[Run]:
    tapis = server.tapis()
    try:
        cells = executed(FOURTH, server, **environment)
        yield Run(cells, tapis.study("fragility"), first, more)
    finally:
        if "fragility" in list(tapis.studies(archived=True)["name"]):
            tapis.study("fragility").cancel().delete()
        tapis.connection.close()
        (server.root / "pier.py").unlink(missing_ok=True)


@contextmanager
def on_the_cluster(server: TestServer, rig: Rig) -> Iterator[Run]:
    with cluster_environment(rig) as environment:
        try:
            with run_of(server, 288, 48, **environment) as run:
                yield run
        finally:
            tapis = server.tapis()
            tapis.connection.post("/v3/systems/cluster/delete")
            tapis.connection.close()


@contextmanager
def on_this_machine(server: TestServer) -> Iterator[Run]:
    """The small grid, by a Python that has no OpenSees."""
    folder = Path(tempfile.mkdtemp(prefix="tapisjobs-python-"))
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    program.chmod(0o755)
    try:
        with run_of(server, 36, 12, TAPISJOBS_PYTHON=str(program)) as run:
            yield run
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module", params=["cluster", "local"])
def run(server: TestServer, request: pytest.FixtureRequest) -> Iterator[Run]:
    if request.param == "cluster":
        with on_the_cluster(server, request.getfixturevalue("rig")) as found:
            yield found
    else:
        with on_this_machine(server) as found:
            yield found


def test_the_preview_tells_what_would_run_and_how(run: Run) -> None:
    told = run.shown("preview")
    assert f"fragility: {run.first} cases: {run.first} new" in told
    assert "no invalid case" in told
    packed = "pack (short cases are worth one allocation; "
    assert f"started: {packed if run.first > 100 else 'single'}" in told


def test_each_progress_is_shown_once_and_ends_with_all_counts(run: Run) -> None:
    told = run.shown("run-more")
    counts = re.search(rf"{run.first + run.more} of \d+   ✓ (\d+) done   ✗ (\d+) failed", told)
    assert counts, told
    assert int(counts[1]) + int(counts[2]) == run.first + run.more
    assert '"' in told.splitlines()[1]
    # The first one goes on by itself, and may have seen the retry as well.
    assert f"{run.first} of {run.first}   ✓ " in run.shown("run")
    for cell in ("run", "retry", "run-more", "retry-more"):
        (output,) = run.cells[cell].outputs
        assert output["data"]["text/html"].count("progressbar") == 1


def test_failed_cases_are_one_group_with_its_cause_and_its_cure(run: Run) -> None:
    told = run.shown("failures")
    assert "   no convergence   → " in told
    assert "study.retry(" in told
    assert "env={…}" in told
    (count,) = re.findall(rf"^(\d+) of {run.first} cases failed$", told, re.MULTILINE)
    assert 0.05 < int(count) / run.first < 0.25
    assert len(told.splitlines()) == 2
    assert "failed to converge" in run.shown("one-case")
    assert "exit code 1" in run.shown("one-case")


def test_no_failed_case_is_left_and_each_was_tried_twice(run: Run) -> None:
    attempts = run.study.frame(attempts="all")
    table = run.study.frame()
    assert len(table) == run.first + run.more
    assert set(table["status"]) == {"FINISHED"}
    failed = attempts[attempts["status"] == "FAILED"]
    assert set(failed["attempt"]) == {1}
    assert set(table.loc[table["attempt"] == 2, "caseId"]) == set(failed["caseId"])
    assert table["attempt"].max() == 2


def test_cases_keep_their_ids_and_are_not_run_again_when_rows_are_added(run: Run) -> None:
    told = run.shown("extend")
    assert f"{run.more} cases: {run.more} new · {run.first} others in the study stay as they are" in told
    attempts = run.study.frame(attempts="all")
    assert attempts["caseId"].nunique() == run.first + run.more
    old = attempts[attempts["scale"] <= 1.2]
    new = attempts[attempts["scale"] > 1.2]
    assert (old["caseId"].nunique(), new["caseId"].nunique()) == (run.first, run.more)
    assert old["ended"].max() < new["created"].min()


def test_the_share_of_damaged_piers_rises_with_intensity(run: Run) -> None:
    results = run.study.collect("peak.csv")
    assert results["drift"].notna().all()
    for limit in LIMITS:
        shares = (results["drift"] > limit).groupby(results["scale"]).mean()
        assert shares.is_monotonic_increasing
        assert shares.iloc[0] == 0
        assert shares.iloc[-1] > 0.4
    assert (results["drift"] / results["ductility"]).round(6).eq(0.6).all()


def medians_of(shown: str) -> dict[str, float]:
    return {name: float(found) for name, found in re.findall(r"^(\w+) +(\d\.\d+) ", shown, re.MULTILINE)}


def test_the_curves_lie_where_half_of_the_piers_pass(run: Run) -> None:
    before, after = medians_of(run.shown("fragility")), medians_of(run.shown("fragility-more"))
    assert list(after) == ["slight", "moderate", "severe"]
    assert list(after.values()) == sorted(after.values())
    assert before["slight"] == pytest.approx(after["slight"], abs=0.05)
    results = run.study.collect("peak.csv")
    for limit, median in zip(LIMITS, after.values(), strict=True):
        shares = (results["drift"] > limit).groupby(results["scale"]).mean()
        assert shares[shares < 0.3].index.max() < median
        assert median < shares[shares > 0.7].index.min() if (shares > 0.7).any() else median > 1.2


def test_every_picture_is_there(run: Run) -> None:
    pictures = ("motion", "states", "response", "heat-map", "loop", "fragility", "fragility-more", "timeline")
    without = [
        name
        for name in pictures
        if not any("image/png" in output.get("data", {}) for output in run.cells[name].outputs)
    ]
    assert without == []


def test_the_study_is_in_the_table_of_studies(run: Run) -> None:
    assert re.search(rf"fragility .* {run.first + run.more} +{run.first + run.more}\b", run.shown("studies"))


def test_what_solved_the_cases_says_so(run: Run) -> None:
    told = run.study.job(0).read("tapisjob.out")
    assert told.startswith("OpenSees ")
    assert ("OpenSees cannot be imported here" in told) == (run.first == 36)


# --- the model --------------------------------------------------------------------------------
def solved(folder: Path, *, without_opensees: bool, step: float) -> tuple[str, pd.DataFrame | None]:
    """Run the notebook's model by itself for a hard case; return what it said, and its loop."""
    cells = {cell.id: cell.source for cell in nbformat.read(FOURTH, as_version=4).cells}
    source = cells["model"].partition("\n")[2]
    if without_opensees:
        source = f"import sys\nsys.modules['openseespy'] = sys.modules['openseespylinux'] = None\n{source}"
    folder.mkdir()
    (folder / "pier.py").write_text(source)
    motion = cells["motion"].partition("motion = base_motion")[0]
    said = subprocess.run(
        [sys.executable, "-c", f"import math\nimport random\n{motion}\nprint(*base_motion(2026), sep='\\n')"],
        capture_output=True, text=True, check=True, timeout=180,
    ).stdout  # fmt: skip
    (folder / "motion.txt").write_text(said)
    values = {"STIFFNESS": "70", "DAMPING": "0.02", "SCALE": "1.2", "STEP": str(step)}
    done = subprocess.run(
        [sys.executable, "pier.py"],
        cwd=folder,
        env=os.environ | values,
        capture_output=True,
        text=True,
        timeout=180,
    )
    loop = pd.read_csv(folder / "loop.csv") if done.returncode == 0 else None
    return done.stdout + done.stderr, loop


@pytest.mark.needs("openseespy")
def test_opensees_and_the_steps_by_hand_give_the_same_loop(tmp_path: Path) -> None:
    told, wanted = solved(tmp_path / "opensees", without_opensees=False, step=0.005)
    _, found = solved(tmp_path / "hand", without_opensees=True, step=0.005)
    assert told.startswith("OpenSees 3")
    assert wanted is not None
    assert found is not None
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-4, atol=1e-3)


@pytest.mark.needs("openseespy")
def test_both_fail_to_converge_where_the_step_is_too_long(tmp_path: Path) -> None:
    for name, without in (("opensees", False), ("hand", True)):
        told, loop = solved(tmp_path / name, without_opensees=without, step=0.01)
        assert loop is None
        assert "failed to converge" in told
        assert "after" in told
        assert "3 iterations" in told
