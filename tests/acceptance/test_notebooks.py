"""The notebooks in notebooks/ run as they are, in a real kernel against a real server."""

import csv
import subprocess
import sys

import nbformat
import pytest
from cluster_python import cluster_environment
from notebook_runs import NOTEBOOKS, executed, plain

#: The third is kept as it ran (``test_image_classifier.py``): who has no host for it can read on.
CLEAN = sorted(path for path in NOTEBOOKS.glob("*.ipynb") if not path.name.startswith("03-"))


@pytest.fixture(scope="module")
def first_job(server):
    return executed(NOTEBOOKS / "01-first-job.ipynb", server)


@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.stem)
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


# --- the second: Slurm over SSH ---------------------------------------------------------------
@pytest.fixture(scope="module")
def on_the_cluster(server, rig):
    with cluster_environment(rig) as environment:
        try:
            yield executed(NOTEBOOKS / "02-slurm-over-ssh.ipynb", server, **environment)
        finally:
            connection = server.tapis().connection
            connection.post("/v3/systems/cluster/delete")
            connection.close()


# One of its jobs runs into the shortest time limit that Slurm knows, a minute.
slow = pytest.mark.timeout(400)


def cards(cell):
    """Return the cards that a cell showed, as data."""
    found = (output.get("data", {}).get("application/vnd.tapisjobs.job+json") for output in cell.outputs)
    return [card for card in found if card]


@slow
def test_the_host_is_added_and_its_queues_are_shown(on_the_cluster):
    shown = plain(on_the_cluster["host"])
    assert "queues development (4 nodes, 10 min) normal (4 nodes, 48 h)" in shown
    assert "normal (default)" in shown
    assert "No host is given" not in shown


@slow
def test_the_model_of_the_first_notebook_gives_the_same_on_the_cluster(on_the_cluster):
    (card,) = cards(on_the_cluster["one-job"])
    assert (card["job"]["status"], card["job"]["jobType"]) == ("FINISHED", "BATCH")
    assert "peak roof displacement 100.4 mm, peak storey drift 0.75 %" in plain(on_the_cluster["output"])
    assert any("image/png" in output.get("data", {}) for output in on_the_cluster["plot"].outputs)


@slow
def test_an_own_batch_script_runs_with_what_its_lines_ask_for(on_the_cluster):
    assert "had 2 tasks" in plain(on_the_cluster["own-script"])


@slow
def test_fifty_cases_are_launched_together_and_come_back_as_one_frame(on_the_cluster):
    told = plain(on_the_cluster["cases"])
    assert "50 of 50 ended   ✓ 50 FINISHED" in told
    assert "launched as array: 50 like jobs" in told or "launched as pack: " in told
    assert "drift_percent" in plain(on_the_cluster["frame"])
    assert any("image/png" in output.get("data", {}) for output in on_the_cluster["curves"].outputs)


@slow
def test_a_running_job_tells_its_last_lines_and_is_cancelled(on_the_cluster):
    assert "RUNNING ['step " in plain(on_the_cluster["running"])
    (card,) = cards(on_the_cluster["cancel"])
    assert card["job"]["status"] == "CANCELLED"


@slow
def test_a_job_at_its_time_limit_says_so_and_what_to_do(on_the_cluster):
    told = plain(on_the_cluster["too-late"])
    assert "stopped at the time limit of 1 min; last line: step " in told
    assert "→ job.resubmit(maxMinutes=2)" in told
    (card,) = cards(on_the_cluster["too-late"])
    assert (card["job"]["status"], card["job"]["condition"]) == ("FAILED", "SCHEDULER_TIMEOUT")


@slow
def test_the_host_is_in_the_table_of_hosts(on_the_cluster):
    assert "cluster" in plain(on_the_cluster["hosts"])
    assert "FINISHED" in plain(on_the_cluster["jobs"])


# --- the model --------------------------------------------------------------------------------
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
