"""``jupyter tapisjobs demo`` and ``serve``, as typed in a terminal."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from jupyter_tapis_jobs.client.endpoint import running_servers
from jupyter_tapis_jobs.servers import free_port

CLI = [sys.executable, "-m", "jupyter_tapis_jobs.cli"]


@pytest.fixture
def environment(tmp_path):
    """A person's machine with nothing on it yet."""
    names = {"JUPYTER_DATA_DIR": "data", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime"}
    folders = {name: str(tmp_path / folder) for name, folder in names.items()}
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TAPIS_", "JUPYTER", "JPY_"))
    }
    return kept | folders | {"IPYTHONDIR": str(tmp_path / "ipython"), "TMPDIR": str(tmp_path)}


def servers(environment):
    return running_servers(environment)


def test_the_demo_shows_states_output_and_table_and_leaves_no_server(environment, tmp_path):
    kept = tmp_path / "kept" / "first.ipynb"
    demo = subprocess.run(
        [*CLI, "demo", "--notebook", str(kept)], env=environment, capture_output=True, text=True, timeout=115
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    for state in ("PENDING", "RUNNING", "ARCHIVING", "FINISHED"):
        assert f"{state} " in demo.stdout
    assert "peak roof displacement 100.4 mm" in demo.stdout
    assert "floor1" in demo.stdout
    assert f"jupyter lab {kept}" in demo.stdout
    assert json.loads(kept.read_text())["cells"][3]["outputs"]
    assert servers(environment) == []


def test_ctrl_c_ends_the_demo_its_job_and_its_server(environment, tmp_path):
    demo = subprocess.Popen(
        [*CLI, "demo"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in demo.stdout:
        if "In [connect]" in line:
            break
    demo.send_signal(signal.SIGINT)
    _, err = demo.communicate(timeout=180)
    assert demo.returncode == 130
    assert "Traceback" not in err
    assert servers(environment) == []


def test_ctrl_c_in_the_midst_of_a_job_ends_the_job_too(environment, tmp_path, until):
    notebook = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_code_cell("%load_ext jupyter_tapis_jobs"),
        nbformat.v4.new_code_cell("%%tapisjob bash --wait\necho $$ > pid.txt\nexec sleep 600"),
    ])  # fmt: skip
    nbformat.write(notebook, tmp_path / "long.ipynb")
    code = (
        "import sys; from pathlib import Path; from jupyter_tapis_jobs import demo, cli;"
        f"demo.first_notebook = lambda: Path({str(tmp_path / 'long.ipynb')!r});"
        "sys.exit(cli.main(['demo']))"
    )
    demo = subprocess.Popen(
        [sys.executable, "-u", "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert any(" RUNNING " in line for line in demo.stdout), demo.stderr.read()
    pid_file = until(lambda: next(iter((tmp_path / "data").rglob("pid.txt")), None))
    pid = int(until(pid_file.read_text))
    demo.send_signal(signal.SIGINT)
    _, err = demo.communicate(timeout=90)
    assert (demo.returncode, "Traceback" in err) == (130, False), err
    assert not Path(f"/proc/{pid}").exists()


def test_serve_answers_without_a_notebook_and_the_command_line_finds_it(environment, until, tmp_path):
    log = (tmp_path / "serve.log").open("w")
    server = subprocess.Popen(
        [*CLI, "serve", "--port", str(free_port())], env=environment, stdout=log, stderr=log
    )
    try:
        until(lambda: servers(environment) or server.poll() is not None)
        request = tmp_path / "job.json"
        request.write_text(json.dumps({
            "name": "hello", "appId": "bash",
            "fileInputs": [{"name": "script", "sourceUrl": "data:,echo%20hello", "targetPath": "script.sh"}],
        }))  # fmt: skip

        def cli(*words, code=0):
            done = subprocess.run(
                [*CLI, *words], env=environment, capture_output=True, text=True, timeout=180
            )
            assert done.returncode == code, done.stdout + done.stderr
            return done.stdout

        uuid = json.loads(cli("submit", str(request), "--wait", "--json"))["uuid"]
        assert json.loads(cli("status", uuid, "--json"))["status"] == "FINISHED"
        assert cli("follow", uuid) == "hello\n"
        assert "tapisjob.out" in cli("output-list", "-L", uuid)
        cli("output-get", "-r", uuid, "--to", str(tmp_path))
        assert (tmp_path / f"jobs-{uuid}" / "tapisjob.out").read_text() == "hello\n"
        assert "FINISHED" in cli("history", uuid)
        again = cli("resubmit", uuid, "--set", "name=again").split()[0]
        assert "again" in cli("list", "--name", "aga*")
        assert cli("follow", again) == "hello\n"
        assert "holds the engine" in json.dumps(
            json.loads(cli("doctor", "--json"))["findings"], ensure_ascii=False
        )
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        log.close()
