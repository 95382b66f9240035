"""The sixth notebook runs as it is: on Slurm, in an HTCondor pool and on Dask, and on this machine alone."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cluster_python import DASK, PACKAGES, cluster_environment, cluster_python
from notebook_runs import NOTEBOOKS, executed, plain
from rig.condor import Pool
from rig.rig import Rig

from tests.conftest import TestServer

SIXTH = NOTEBOOKS / "06-engines-and-workflows.ipynb"
pytestmark = pytest.mark.timeout(500)

Cells = dict[str, Any]


@contextmanager
def three_engines(rig: Rig, pool: Pool) -> Iterator[dict[str, str]]:
    """Give the variables by which the notebook finds Slurm, a pool and Dask."""
    folder = Path(tempfile.mkdtemp(prefix="tapisjobs-dask-"))
    keys = subprocess.run(
        ["ssh-keygen", "-l", "-f", pool.known_hosts], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    try:
        with cluster_environment(rig) as slurm:
            yield {
                **slurm,
                "TAPISJOBS_POOL_HOST": pool.host,
                "TAPISJOBS_POOL_PORT": str(pool.port),
                "TAPISJOBS_POOL_USER": pool.user,
                "TAPISJOBS_POOL_KEY": str(pool.key),
                "TAPISJOBS_POOL_TRUST": next(word for word in keys.split() if word.startswith("SHA256:")),
                "TAPISJOBS_DASK_PYTHON": str(cluster_python(rig, folder, (*DASK, *PACKAGES))),
                "TAPISJOBS_DASK_INTERFACE": "lo",
            }
    finally:
        rig.ssh("pkill -KILL -f '[t]apisjobs_dask'; rm -rf ~/.tapisjobs-dask", check=False)
        rig.ssh("scancel --user=riguser1 --name=dask-worker")
        shutil.rmtree(folder)


@pytest.fixture(scope="module", params=["engines", "local"])
def cells(request: pytest.FixtureRequest, running_server, tmp_path_factory) -> Iterator[Cells]:
    """The notebook after its run: its cells by id."""
    with running_server(tmp_path_factory.mktemp("sixth")) as server:
        yield ran(request, server)


def ran(request: pytest.FixtureRequest, server: TestServer) -> Cells:
    if request.param == "local":
        return executed(SIXTH, server)
    with three_engines(request.getfixturevalue("rig"), request.getfixturevalue("pool")) as environment:
        return executed(SIXTH, server, **environment)


def engines(cells: Cells) -> list[str]:
    """Return the engines that the table of results has columns for."""
    return [name for name in ("Slurm", "HTCondor", "Dask", "this machine") if name in plain(cells["same"])]


def test_each_engine_that_is_there_runs_all_cases(cells: Cells) -> None:
    (row,) = re.findall(r"^FINISHED +(.*)$", plain(cells["wait"]), re.MULTILINE)
    assert engines(cells) in (["Slurm", "HTCondor", "Dask"], ["this machine"])
    assert row.split() == ["12"] * len(engines(cells))


def test_the_results_are_the_same_on_each(cells: Cells) -> None:
    told = plain(cells["same"])
    assert "largest difference: 0.0 kN" in told
    shears = [float(word) for word in re.findall(r"\d{3,}\.\d+", told)]
    assert len(shears) == 12 * len(engines(cells))
    # 0.8 MN, and one percent of 40 MN/m over the rest of 300 mm.
    assert min(shears) == pytest.approx(912, abs=0.1)


def test_functions_return_what_they_return_here(cells: Cells) -> None:
    values = [float(word) for word in re.findall(r"[\d.]+", plain(cells["functions"]))]
    assert values == [pytest.approx(12 / strength) for strength in (0.8, 1.0, 1.2, 1.4)]


def test_the_workflow_shows_its_graph_and_hands_outputs_on(cells: Cells) -> None:
    shown = "".join(str(output.get("data", {}).get("text/html", "")) for output in cells["flow"].outputs)
    assert "<svg" in shown
    table = plain(cells["flow-wait"])
    assert [f"solve[{n}]" in table for n in range(4)] == [True] * 4
    assert table.count("FINISHED") == 6
    # The middle of a beam of 10 m: 5 q l^4 / 384 EI.
    loads = re.findall(r"^\d +(\d+) +([\d.]+)$", plain(cells["flow-result"]), re.MULTILINE)
    assert [(int(load), float(most)) for load, most in loads] == [
        (load, pytest.approx(5e4 * load * 1000 / 384 / 20e3, abs=0.001)) for load in (5, 10, 15, 20)
    ]


def test_a_job_that_may_run_in_several_places_says_why_it_runs_where_it_does(cells: Cells) -> None:
    told = plain(cells["choice"])
    assert "was chosen" in told or len(engines(cells)) == 1


@pytest.mark.parametrize("name", ["curves", "flow-result"])
def test_each_picture_is_there(cells: Cells, name: str) -> None:
    assert any("image/png" in output.get("data", {}) for output in cells[name].outputs)
