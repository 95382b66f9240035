"""What is there from the start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from jupyter_tapis_jobs.engine.builtin import ensure_builtin, image
from jupyter_tapis_jobs.engine.images import unpack
from jupyter_tapis_jobs.model.errors import StoreError


def _all(apps, systems, owner):
    return [systems.get(owner, "local"), apps.get(owner, "bash"), apps.get(owner, "python")]


def test_local_bash_and_python_are_there(apps, systems, owner, folder, builtin):
    local, bash, python = (item.to_wire() for item in _all(apps, systems, owner))
    assert (local["rootDir"], local["jobWorkingDir"]) == ("/", f"{folder}/work")
    assert (local["canExec"], local["canRunBatch"]) == (True, False)
    for app, script in ((bash, "script.sh"), (python, "script.py")):
        attributes = app["jobAttributes"]
        assert (app["version"], app["runtime"], app["jobType"]) == ("1.0", "ZIP", None)
        assert (attributes["memoryMB"], attributes["maxMinutes"]) == (2000, 60)
        assert attributes["execSystemExecDir"] == attributes["execSystemOutputDir"]
        assert attributes["execSystemExecDir"] == attributes["execSystemInputDir"]
        (given,) = attributes["fileInputs"]
        assert (given["name"], given["inputMode"], given["targetPath"]) == ("script", "REQUIRED", script)
        assert app["containerImage"] == f"tapis://local{folder}/apps/{app['id']}-1.0.zip"
        assert zipfile.is_zipfile(folder / "apps" / f"{app['id']}-1.0.zip")
    (variable,) = python["jobAttributes"]["parameterSet"]["envVariables"]
    assert (variable["key"], variable["value"], variable["inputMode"]) == (
        "TAPIS_PYTHON",
        "!tapis_not_set",
        "INCLUDE_BY_DEFAULT",
    )


def test_doing_it_again_changes_nothing(apps, systems, owner, folder, builtin):
    before = _all(apps, systems, owner)
    images = {path.name: path.stat().st_mtime_ns for path in (folder / "apps").iterdir()}
    ensure_builtin(apps, systems, owner, folder)
    assert _all(apps, systems, owner) == before
    assert {path.name: path.stat().st_mtime_ns for path in (folder / "apps").iterdir()} == images
    assert len(systems.history(owner, "local")) == 1


def test_what_the_user_changed_survives_a_new_place_of_the_data_folder(apps, systems, owner, folder, builtin):
    variables = [{"key": "K", "value": "1"}]
    systems.patch(owner, "local", {"jobEnvVariables": variables, "description": "my workstation"})
    systems.set_enabled(owner, "local", False)
    apps.patch(owner, "python", "1.0", {"jobAttributes": {"maxMinutes": 90}})
    moved = folder.with_name("moved")
    ensure_builtin(apps, systems, owner, moved)
    local, bash, python = _all(apps, systems, owner)
    assert local.job_working_dir == f"{moved}/work"
    assert (local.description, local.job_env_variables[0].key, local.enabled) == (
        "my workstation",
        "K",
        False,
    )
    assert bash.container_image == f"tapis://local{moved}/apps/bash-1.0.zip"
    assert python.job_attributes.max_minutes == 90
    assert (moved / "apps" / "python-1.0.zip").exists()


def test_a_working_directory_that_the_user_chose_is_kept(apps, systems, owner, folder, builtin):
    systems.patch(owner, "local", {"jobWorkingDir": "/scratch/me"})
    ensure_builtin(apps, systems, owner, folder.with_name("moved"))
    assert systems.get(owner, "local").job_working_dir == "/scratch/me"


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"half")])
def test_an_image_that_is_gone_or_damaged_is_made_again(apps, systems, owner, folder, builtin, damage):
    path = folder / "apps" / "bash-1.0.zip"
    damage(path)
    ensure_builtin(apps, systems, owner, folder)
    assert path.read_bytes() == image("bash")


def test_a_folder_for_images_that_cannot_be_made_is_named(apps, systems, owner, folder):
    (folder / "apps").write_text("in the way")
    with pytest.raises(StoreError, match=r"bash-1\.0\.zip of the app bash cannot be written"):
        ensure_builtin(apps, systems, owner, folder)


def _run(folder: Path, name: str, script: str, *arguments: str, **environment: str):
    """Run a built-in app's program as a job does: unpacked beside its script."""
    unpacked = unpack(f"{name}.zip", image(name))
    for path, content, _mode in unpacked.members:
        (folder / path).write_bytes(content)
        (folder / path).chmod(0o755)
    (folder / ("script.sh" if name == "bash" else "script.py")).write_text(script)
    command = [f"./{unpacked.executable}", *arguments]
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )


AWKWARD = ["two words", "$HOME", "'\"", "🐍"]


def test_bash_runs_its_script_with_bash_and_hands_arguments_and_exit_code_on(tmp_path):
    done = _run(tmp_path, "bash", 'a=(x y); printf "%s\\n" "${a[1]}" "$@"; exit 3', *AWKWARD)
    assert done.stdout.splitlines() == ["y", *AWKWARD]
    assert done.returncode == 3


def test_bash_falls_back_to_sh_where_there_is_no_bash(tmp_path):
    (tmp_path / "bin").mkdir()
    sh = shutil.which("sh")
    assert sh is not None
    (tmp_path / "bin" / "sh").symlink_to(sh)
    done = _run(tmp_path, "bash", 'echo "it is ${BASH_VERSION:-sh} $1"', "a b", PATH=str(tmp_path / "bin"))
    assert done.stdout == "it is sh a b\n"


def test_python_runs_its_script_with_the_interpreter_it_is_told(tmp_path):
    script = "import sys; print(sys.executable); print(*sys.argv[1:], sep='\\n'); sys.exit(4)"
    done = _run(tmp_path, "python", script, *AWKWARD, TAPIS_PYTHON=sys.executable)
    assert done.stdout.splitlines() == [sys.executable, *AWKWARD]
    assert done.returncode == 4


def test_python_is_python3_when_no_interpreter_is_told(tmp_path):
    (tmp_path / "python3").symlink_to(sys.executable)
    done = _run(tmp_path, "python", "print('here')", PATH=f"{tmp_path}:{os.environ['PATH']}", TAPIS_PYTHON="")
    assert done.stdout == "here\n"
