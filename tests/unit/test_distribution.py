"""What is shipped: built with and without node, one version, every import declared."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import jupyter_tapis_jobs

ROOT = Path(__file__).parents[2]
BUNDLE = "share/jupyter/labextensions/jupyter-tapis-jobs"
#: Stands for npm: `ci` brings modules, `run build` makes a bundle.
NPM = """#!/bin/sh
echo "$@" >> "$NPM_LOG"
case $1 in
ci) mkdir -p node_modules/big && echo x > node_modules/big/index.js ;;
run) mkdir -p ../jupyter_tapis_jobs/labextension/static
     cp package.json ../jupyter_tapis_jobs/labextension/
     echo js > ../jupyter_tapis_jobs/labextension/static/remoteEntry.js ;;
esac
"""
FAILING_NPM = "#!/bin/sh\necho 'npm error network is unreachable' >&2\nexit 1\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The sources as a new clone has them."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "lib")
    folder = tmp_path / "source"
    for name in ("jupyter_tapis_jobs", "labextension", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.rmtree(folder / "jupyter_tapis_jobs" / "labextension", ignore_errors=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """The PATH of the builds: a shell and its tools, node and npm only when put there."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("sh", "mkdir", "cp"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


def build(
    source: Path, tools: Path, target: str = "wheel", **environment: str
) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": str(tools), "NPM_LOG": str(tools / "npm.log"), **environment}
    command = [sys.executable, "-m", "hatchling", "build", "-t", target]
    return subprocess.run(command, cwd=source, env=env, text=True, capture_output=True, check=False)


def put_npm(tools: Path, script: str) -> None:
    for name in ("node", "npm"):
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)


def wheel_names(source: Path) -> set[str]:
    with zipfile.ZipFile(next((source / "dist").glob("*.whl"))) as wheel:
        return set(wheel.namelist())


def data_of(names: set[str]) -> set[str]:
    """Return the paths that land below the environment's folder."""
    return {name.split(".data/data/", 1)[1] for name in names if ".data/data/" in name}


def test_without_node_the_wheel_is_built_and_says_what_is_missing(source: Path, tools: Path) -> None:
    done = build(source, tools)
    assert done.returncode == 0, done.stderr
    assert "The Lab extension was not built: node and npm are not on the PATH." in done.stderr
    names = wheel_names(source)
    assert "jupyter_tapis_jobs/notebooks/01-first-job.ipynb" in names
    assert data_of(names) == {"etc/jupyter/jupyter_server_config.d/jupyter_tapis_jobs.json"}


def test_a_build_of_the_lab_extension_that_fails_does_not_fail_the_installation(
    source: Path, tools: Path
) -> None:
    put_npm(tools, FAILING_NPM)
    done = build(source, tools)
    assert done.returncode == 0, done.stderr
    assert "network is unreachable" in done.stderr


def test_a_release_fails_without_the_lab_extension(source: Path, tools: Path) -> None:
    done = build(source, tools, JUPYTER_TAPIS_JOBS_REQUIRE_LABEXTENSION="1")
    assert done.returncode != 0
    assert "The Lab extension was not built" in done.stderr


def test_with_node_the_wheel_holds_the_lab_extension_with_the_package_s_version(
    source: Path, tools: Path
) -> None:
    put_npm(tools, NPM)
    assert build(source, tools).returncode == 0
    assert {f"{BUNDLE}/package.json", f"{BUNDLE}/static/remoteEntry.js"} <= data_of(wheel_names(source))
    built = (source / "jupyter_tapis_jobs" / "labextension" / "package.json").read_text()
    assert f'"version": "{jupyter_tapis_jobs.__version__}"' in built


def test_the_lab_extension_is_built_again_only_when_its_sources_changed(source: Path, tools: Path) -> None:
    put_npm(tools, NPM)
    log = tools / "npm.log"
    build(source, tools)
    build(source, tools)
    assert log.read_text().count("run build") == 1
    (source / "labextension" / "src" / "index.ts").write_text("// changed")
    build(source, tools)
    assert log.read_text().count("run build") == 2


def test_the_sdist_holds_the_bundle_and_builds_a_full_wheel_without_node(
    source: Path, tools: Path, tmp_path: Path
) -> None:
    put_npm(tools, NPM)
    assert build(source, tools, "sdist").returncode == 0
    with tarfile.open(next((source / "dist").glob("*.tar.gz"))) as sdist:
        assert not [name for name in sdist.getnames() if "node_modules" in name]
        sdist.extractall(tmp_path / "unpacked", filter="data")
    unpacked = next((tmp_path / "unpacked").iterdir())
    (tools / "npm").unlink()
    done = build(unpacked, tools)
    assert "was not built" not in done.stderr
    assert f"{BUNDLE}/static/remoteEntry.js" in data_of(wheel_names(unpacked))


def test_every_import_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["opensees"], *extras["dask"]]
    declared = {_plain(re.split(r"[<>=!~;\[ ]", one)[0]) for one in asked}
    provided = packages_distributions()
    undeclared = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in (ROOT / "jupyter_tapis_jobs").rglob("*.py")
        for module in _imported(path)
        if module in provided
        and module != "jupyter_tapis_jobs"
        and not {_plain(name) for name in provided[module]} & declared
    }
    assert not undeclared


def test_the_version_is_written_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project
    assert '"version": "0.0.0"' in (ROOT / "labextension" / "package.json").read_text()


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.split(".")[0]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
