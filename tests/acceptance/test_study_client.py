"""A whole study as a notebook runs it, through a real server: cases in, a frame of results out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import nbformat
import pytest
from notebook_runs import notebook_executed

import jupyter_tapis_jobs as tj
from jupyter_tapis_jobs.client.study import Study
from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotFoundError, UnavailableError
from tests.conftest import TestServer, until

#: Does not converge for k = 3, unless it may take longer.
SCRIPT = """
k=$(cat k.txt)
echo "case $k with damping {{ damping }}"
if [ "$k" = 3 ] && [ "$LIMIT" = 1 ]; then echo "analyze failed to converge"; exit 7; fi
printf 'drift\\n%s.5\\n' "$k" > peak.csv
"""


@pytest.fixture
def study(tapis: Tapis, request: pytest.FixtureRequest) -> Iterator[Callable[..., Study]]:
    """Make a study of the test's own name, deleted behind it."""
    name = request.node.name

    def make(cases: Any, **given: Any) -> Study:
        return tapis.study(name, "bash", cases=cases, **{"maxMinutes": 1, **given})

    yield make
    try:
        left = tapis.study(name)
    except NotFoundError:
        return
    left.cancel().wait(180, progress=False)
    left.delete()


def test_a_study_from_a_grid_to_the_frame_of_results(tapis: Tapis, study: Callable[..., Study]) -> None:
    cases = tj.grid(k=[1, 2, 3], damping=[0.02, 0.05])
    given: dict[str, Any] = {"script": SCRIPT, "files": {"k.txt": "{{ k }}"}, "env": {"LIMIT": "1"}}
    first = study(cases, **given)
    preview = first.preview()
    assert (preview.new, preview.errors, preview.bytes_once) == (6, (), 0)
    assert "case $k with damping 0.02" in str(preview)
    assert first.run().wait(180, progress=False).state().counts == {"FINISHED": 4, "FAILED": 2}

    # Failures tell why, and with whom.
    (group,) = first.failures()
    assert (len(group), group.where, group.exit_code) == (2, "k == 3", 7)

    # Another kernel: the same cell runs what is not done, a retry makes attempts of their own.
    again = study(cases, **given)
    assert (again.preview().done, again.preview().failed) == (4, 2)
    found = tapis.study(first.name).retry("FAILED", env={"LIMIT": "2"}).wait(180, progress=False)
    assert found.frame(attempts="all")["attempt"].tolist() == [1, 1, 1, 1, 1, 2, 1, 2]

    # More rows, with the template that the server kept.
    found.extend(tj.grid(k=[4], damping=[0.02, 0.05])).run()
    assert (found.answer.known, len(found.answer.submitted)) == (0, 2)
    results = found.wait(180, progress=False).collect("peak.csv")
    assert results["drift"].tolist() == [1.5, 1.5, 2.5, 2.5, 3.5, 3.5, 4.5, 4.5]
    table = found.frame()
    assert table["k"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert table["drift"].tolist() == results["drift"].tolist()
    assert set(table["status"]) == {"FINISHED"}
    assert (table["runSeconds"] >= 0).all()


def test_one_job_goes_on_with_the_outputs_of_all_cases(study: Callable[..., Study]) -> None:
    parts = study({"k": [1, 2, 3]}, script="echo {{ k }} > 'part {{ k }}.txt'; echo {{ k }} > part.txt").run()
    chained = parts.then(
        "bash", outputs="part.txt", script="cat cases/*/part.txt; head -1 cases.csv", maxMinutes=1
    )
    last = chained.wait(180, progress=False)
    lines = last.read().split()
    assert (last.status, lines[:3], lines[3]) == (
        "FINISHED",
        ["1", "2", "3"],
        ",".join(parts.frame().columns),
    )
    assert repr(parts).endswith(f"-then: job {last.uuid} is FINISHED")
    # The same cell again means the same job.
    again = parts.then(
        "bash", outputs="part.txt", script="cat cases/*/part.txt; head -1 cases.csv", maxMinutes=1
    )
    assert again.wait(180, progress=False).uuid == last.uuid
    with pytest.raises(InvalidInputError, match="maxMinutes"):
        parts.then("bash", outputs="part.txt", script="true", maxMinutes=-1)


def test_what_goes_on_with_the_cases_waits_for_them_without_kernel_and_server(
    running_server: Callable[..., AbstractContextManager[TestServer]], tmp_path: Path
) -> None:
    gate = tmp_path / "go"
    with running_server(tmp_path / "server") as first, closing((tapis := first.tapis()).connection):
        script = f"until [ -e '{gate}' ]; do sleep 0.2; done; echo {{{{ k }}}} > part.txt"
        slow = tapis.study("s", "bash", cases={"k": [1, 2, 3]}, script=script, maxMinutes=5).run()
        chained = slow.then("bash", outputs="part.txt", script="cat cases/*/part.txt", maxMinutes=1)
        assert "s-then: is submitted when 3 cases have ended" in repr(chained)
        until(lambda: slow.state().counts.get("RUNNING"))
    gate.touch()
    with running_server(tmp_path / "server") as second, closing((tapis := second.tapis()).connection):
        (found,) = tapis.study("s").chained()
        last = found.wait(180, progress=False)
        assert (last.status, last.read().split()) == ("FINISHED", ["1", "2", "3"])
        assert len(tapis.jobs(name="s-then")) == 1


def test_kernels_that_run_the_same_study_at_once_double_no_case_and_lose_none(
    server: TestServer, tapis: Tapis, study: Callable[..., Study]
) -> None:
    name = study({"k": [0]}, script="echo {{ k }}").name

    def kernel(first: int) -> None:
        own = server.tapis()
        with closing(own.connection):
            mine = own.study(name, "bash", cases=tj.grid(k=range(20)), script="echo {{ k }}", maxMinutes=1)
            mine.preview()
            mine.run().extend(tj.grid(k=range(first, first + 20))).preview()
            mine.run()

    with ThreadPoolExecutor(4) as kernels:
        for _ in kernels.map(kernel, (10, 10, 20, 20)):
            pass
    ended = tapis.study(name).wait(180, progress=False).frame(attempts="all")
    assert sorted(ended["k"]) == list(range(40))
    assert set(ended["status"]) == {"FINISHED"}


def test_a_run_during_which_the_server_was_killed_is_joined_when_it_is_called_again(
    serve: Callable[..., AbstractContextManager[TestServer]],
) -> None:
    def given(tapis: Tapis) -> Study:
        return tapis.study("cut", "bash", cases=tj.grid(k=range(400)), script="echo {{ k }}", maxRunning=4)

    with serve() as server, closing((tapis := server.tapis()).connection), ThreadPoolExecutor(1) as kernel:
        cut = kernel.submit(given(tapis).run)
        with closing((beside := server.tapis()).connection):
            until(lambda: len(beside.studies()) or cut.done())
        server.process.process.kill()
        # The answer came just before, or never.
        assert isinstance(cut.exception(), UnavailableError | None)
    with serve() as server, closing((tapis := server.tapis()).connection):
        again = given(tapis).run()
        attempts = again.frame(attempts="all")
        assert sorted(attempts["k"]) == list(range(400))
        assert attempts["attempt"].tolist() == [1] * 400
        until(lambda: again.state().counts.get("FINISHED"))
        again.cancel().wait(180, progress=False)


def test_an_invalid_row_is_named_and_nothing_is_submitted(tapis: Tapis, study: Callable[..., Study]) -> None:
    broken = study({"k": [1, 2, 0]}, script="echo {{ k }}", maxMinutes="{{ k }}")
    with pytest.raises(InvalidInputError, match=r"^Row 2 \(k=0\): .*maxMinutes") as told:
        broken.run()
    assert [error["row"] for error in told.value.errors] == [2]
    assert not len(broken.frame())
    assert "✗ Row 2 (k=0): " in str(broken.preview())


def test_a_thousand_cases_are_previewed_run_and_cancelled(tapis: Tapis, study: Callable[..., Study]) -> None:
    large = study(tj.grid(k=range(1000)), script="echo {{ k }}; sleep 60", maxRunning=2)
    assert large.preview().new == 1000
    large.run()
    assert study(tj.grid(k=range(1001)), script="echo {{ k }}; sleep 60").preview().in_flight == 1000
    counts = large.cancel().wait(180, progress=False).state().counts
    assert counts == {"CANCELLED": 1000}


CELLS = (
    "%load_ext jupyter_tapis_jobs\nimport jupyter_tapis_jobs as tj\ncases, twice = tj.grid(k=range(1, 5)), 2",
    "%%tapisjob bash --name from-a-cell --cases cases -o study --minutes 1\n"
    "sleep 1; [ {{ k }} = 4 ] && { echo no convergence; exit 3; }; printf 'u\\n{{ k * twice }}\\n' > u.csv",
    "study.wait()\nresults = study.collect('u.csv')\nprint(results['u'].dropna().tolist())",
    "study",
    "study.delete()",
)


def test_a_cell_makes_a_study_whose_progress_stays_in_the_saved_notebook(
    server: TestServer, tmp_path: Path
) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    path = tmp_path / "study.ipynb"
    nbformat.write(notebook, path)
    shown = notebook_executed(path, server).cells
    live, waited, at_end = (cell.outputs[0]["data"] for cell in shown[1:4])
    for data in (live, waited, at_end):
        assert "4 of 4   ✓ 3 done   ✗ 1 failed" in data["text/plain"]
        assert "3 done" in data["text/html"]
    assert '"no convergence"  (k == 4)' in waited["text/plain"]
    printed = [output["text"] for output in shown[2].outputs if output.get("name") == "stdout"]
    assert printed == ["[2.0, 4.0, 6.0]\n"]
