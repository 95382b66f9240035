"""The notebooks in notebooks/ run as they are, in a real kernel against a real server."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"


def executed(path, server):
    """Run the notebook in a kernel that finds the server as any kernel of it does."""
    notebook = nbformat.read(path, as_version=4)
    environment = {
        **os.environ,
        **server.environment,
        "JUPYTER_TAPIS_JOBS_URL": server.endpoint.url,
        "JUPYTER_TAPIS_JOBS_TOKEN": server.token,
    }
    client = NotebookClient(
        notebook, timeout=110, kernel_name="python3", resources={"metadata": {"path": server.root}}
    )
    client.create_kernel_manager().kernel_spec.argv[0] = sys.executable
    client.execute(env=environment)
    return {cell.id: cell for cell in notebook.cells}


def plain(cell):
    """Return what a cell showed, as text."""
    return "\n".join(
        output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs
    )


@pytest.fixture(scope="module")
def first_job(server):
    return executed(NOTEBOOKS / "01-first-job.ipynb", server)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_kept_clean_of_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)


def test_the_card_of_the_first_job_ends_finished(first_job):
    card = next(
        o.data
        for o in first_job["model"].outputs
        if "application/vnd.tapisjobs.job+json" in o.get("data", {})
    )
    assert card["application/vnd.tapisjobs.job+json"]["job"]["status"] == "FINISHED"
    assert "FINISHED" in card["text/plain"]
    assert "FINISHED" in card["text/html"]


def test_the_job_tells_its_steps_and_the_peak(first_job):
    out = plain(first_job["output"])
    assert "step 2000 of 2000" in out
    assert "peak roof displacement 100.4 mm, peak storey drift 0.75 %" in out


@pytest.mark.needs("openseespy")
def test_where_opensees_is_there_the_job_is_solved_by_it(first_job):
    assert plain(first_job["output"]).startswith("OpenSees 3.")


def test_the_displacements_come_back_as_a_frame(first_job):
    assert "floor1" in plain(first_job["results"])
    assert "2000" in plain(first_job["results"])


def test_the_plot_is_a_picture(first_job):
    assert any("image/png" in output.get("data", {}) for output in first_job["plot"].outputs)


def test_the_history_holds_every_station(first_job):
    stations = ("PENDING", "PROCESSING_INPUTS", "STAGING_INPUTS", "STAGING_JOB", "SUBMITTING_JOB", "RUNNING",
                "ARCHIVING", "FINISHED")  # fmt: skip
    history = plain(first_job["history"])
    assert [station for station in stations if station not in history] == []


def test_the_job_is_in_the_table_of_all_jobs(first_job):
    assert "FINISHED" in plain(first_job["jobs"])


def _run_model(folder, *, without_opensees):
    """Run the notebook's model by itself and return the roof's displacements in m."""
    notebook = nbformat.read(NOTEBOOKS / "01-first-job.ipynb", as_version=4)
    source = next(cell.source for cell in notebook.cells if cell.id == "model").partition("\n")[2]
    if without_opensees:
        source = f"import sys\nsys.modules['openseespy'] = sys.modules['openseespylinux'] = None\n{source}"
    (folder / "model.py").write_text(source)
    out = subprocess.run(
        [sys.executable, "model.py"], cwd=folder, capture_output=True, text=True, check=True, timeout=100
    ).stdout
    with (folder / "disp.csv").open(newline="") as file:
        return out, [float(row["roof"]) for row in csv.DictReader(file)]


def test_without_opensees_the_same_frame_runs_in_numpy_and_says_so(tmp_path):
    out, roof = _run_model(tmp_path, without_opensees=True)
    assert "OpenSees cannot be imported here" in out
    assert "the same model runs in numpy" in out
    assert len(roof) == 2000


@pytest.mark.needs("openseespy")
def test_opensees_and_numpy_give_the_same_displacements(tmp_path):
    by_hand, opensees = tmp_path / "numpy", tmp_path / "opensees"
    by_hand.mkdir()
    opensees.mkdir()
    told, wanted = _run_model(opensees, without_opensees=False)
    _, found = _run_model(by_hand, without_opensees=True)
    assert "OpenSees 3" in told
    assert found == pytest.approx(wanted, abs=1e-6)
