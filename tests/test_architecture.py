"""The house keeps its shape: imports go one way, the front door is pinned, the README tells the truth."""

from __future__ import annotations

import ast
import graphlib
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import jupyter_tapis_jobs

HOME = Path(__file__).parent.parent
PACKAGE = HOME / "jupyter_tapis_jobs"
README = (HOME / "README.md").read_text(encoding="utf-8")

#: The command line (``cli*.py``) and its helpers lie beside each other, without a folder.
COMMAND_LINE = {"demo", "doctor", "opensees", "servers"}
#: Layer -> the layers it may import. The front door (``__init__``) imports what it names, lazily.
MAY_IMPORT = {
    "model": set(),
    "transports": {"model"},
    # An answer of a host is what a scheduler parses.
    "schedulers": {"model", "transports"},
    "runtimes": {"model"},
    "secrets": {"model"},
    "store": {"model"},
    "engine": {"store", "schedulers", "runtimes", "transports", "secrets", "model"},
    "server": {"engine", "store", "schedulers", "runtimes", "transports", "secrets", "model"},
    "client": {"model"},
    "notebook": {"client", "model"},
    "cli": {"client", "model"},
}
#: Everything that people may import from the package itself.
PUBLIC = [
    "ConflictError",
    "InvalidInputError",
    "Job",
    "JobError",
    "JobManager",
    "NotAllowedError",
    "NotFoundError",
    "NotSignedInError",
    "Preview",
    "StoreError",
    "Study",
    "Tapis",
    "TapisJobsError",
    "TooLargeError",
    "TransportError",
    "UnavailableError",
    "connect",
    "grid",
    "sample",
]
#: What the kernel's side imports only when it is first used.
HEAVY = ["IPython", "anywidget", "asyncssh", "httpx", "ipywidgets", "jupyter_server", "pandas", "pydantic",
         "sqlalchemy", "tornado", "yaml"]  # fmt: skip

#: Lines of a source at most, and the one that nobody writes: the types of the routes, as many as there are.
LINES, GENERATED = 400, HOME / "labextension" / "src" / "core" / "api.ts"

SOURCES = sorted(path for path in PACKAGE.rglob("*.py"))


def _name(path: Path) -> str:
    parts = path.relative_to(HOME).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _layer(module: str) -> str:
    part = module.split(".")[1] if "." in module else "__init__"
    return "cli" if part in COMMAND_LINE or part.split("_")[0] == "cli" else part


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _statements(tree: ast.AST, *, at_import: bool) -> Iterator[ast.AST]:
    """Yield the nodes of *tree*; with *at_import* only those that run when the module is imported."""
    for node in ast.iter_child_nodes(tree):
        if at_import and (_is_for_types(node) or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            continue
        yield node
        yield from _statements(node, at_import=at_import)


def _imports(path: Path, *, at_import: bool = False) -> set[str]:
    """Return the modules of this package that the file imports."""
    module = _name(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in _statements(ast.parse(path.read_text(encoding="utf-8")), at_import=at_import):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{origin}.{alias.name}" for alias in node.names}
    modules = {_name(source) for source in SOURCES}
    ours = {name for name in found if name.split(".")[0] == PACKAGE.name}
    return {name if name in modules else name.rpartition(".")[0] for name in ours} - {module}


# --- imports ----------------------------------------------------------------------------------
@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_imports_go_down_the_house_only(path):
    layer = _layer(_name(path))
    if layer == "__init__":
        return
    reached = {_layer(module): module for module in _imports(path)}
    wrong = {there: module for there, module in reached.items() if there not in {layer, *MAY_IMPORT[layer]}}
    # The version is everybody's to read.
    assert set(wrong) <= {"__init__"}, f"{_name(path)} must not import {wrong}"


def test_the_layers_are_the_folders():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders == set(MAY_IMPORT) - {"cli"}


def test_no_two_modules_import_each_other():
    graph = {_name(path): _imports(path, at_import=True) for path in SOURCES}
    list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    "module", ["jupyter_tapis_jobs", "jupyter_tapis_jobs.notebook.magic", "jupyter_tapis_jobs.cli"]
)
def test_the_kernel_side_imports_nothing_heavy(module):
    heavy = [name for name in HEAVY if not (module.endswith("magic") and name == "IPython")]
    code = f"import sys, json, {module}; print(json.dumps([n for n in {heavy!r} if n in sys.modules]))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HOME
    )
    assert json.loads(answer.stdout) == []


# --- the front door ---------------------------------------------------------------------------
def test_the_public_names_are_these():
    assert sorted(jupyter_tapis_jobs.__all__) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_explained(name):
    assert getattr(jupyter_tapis_jobs, name).__doc__


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_every_file_says_in_one_line_what_it_is_for(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{_name(path)} has no docstring"
    assert docstring.splitlines()[0].endswith((".", ":"))


def test_no_file_is_too_long_to_be_read_at_once():
    written = [path for path in (HOME / "labextension" / "src").rglob("*.ts") if path != GENERATED]
    long = [path for path in (*SOURCES, *written) if path.read_text(encoding="utf-8").count("\n") > LINES]
    assert [str(path.relative_to(HOME)) for path in long] == []


# --- the README -------------------------------------------------------------------------------
def _block_after(heading: str) -> str:
    """Return the first code block below a heading of the README."""
    return README.split(f"## {heading}", 1)[1].split("```", 2)[1]


def _table_below(heading: str) -> list[list[str]]:
    """Return the rows of the first table below a heading, cell by cell, without its head."""
    section = README.split(f"## {heading}", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\|(.+)\|$", section, flags=re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows[2:]]


def test_the_map_of_the_house_shows_what_is_there():
    mapped = set(re.findall(r"^  (\w+(?:/|\.py))", _block_after("The house"), flags=re.MULTILINE))
    folders = {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    files = {path.name for path in PACKAGE.glob("*.py")}
    assert mapped == folders | files


def test_every_command_is_in_the_table():
    from jupyter_tapis_jobs.cli import COMMANDS

    documented = [re.findall(r"`([\w-]+)", row[0])[0] for row in _table_below("Command line")]
    assert documented == [command.name for command in COMMANDS]


def test_every_setting_is_in_the_table_with_its_default():
    from jupyter_tapis_jobs.server.app import TapisJobsApp

    settings = set(TapisJobsApp.class_own_traits(config=True))
    documented = {row[0].strip("`").split(".")[-1] for row in _table_below("Settings")}
    assert documented == settings


def test_every_route_is_in_the_list():
    from jupyter_tapis_jobs.server.openapi import document

    routes = {
        f"{method.upper()} {path}"
        for path, methods in document()["paths"].items()
        for method in methods
        if method in ("get", "post", "put", "patch", "delete")
    }
    documented = set(
        re.findall(r"^(?:GET|POST|PUT|PATCH|DELETE) \S+", _block_after("Routes"), flags=re.MULTILINE)
    )
    assert documented == routes


# --- words ------------------------------------------------------------------------------------
_BANNED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def _texts() -> Iterator[Path]:
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=HOME, capture_output=True, check=True)
    names = [name for name in answer.stdout.decode().split("\0") if name]
    for name in names:
        path = HOME / name
        if path.is_file() and path.suffix in {
            ".py",
            ".md",
            ".ts",
            ".toml",
            ".json",
            ".ipynb",
            ".css",
            ".j2",
            "",
        }:
            yield path


def _holding(pattern: re.Pattern[str], paths: Iterable[Path]) -> list[str]:
    """Return the files, beside this one, whose text holds the pattern."""
    return [
        str(path.relative_to(HOME))
        for path in paths
        if path != Path(__file__) and pattern.search(path.read_text(encoding="utf-8"))
    ]


def test_nothing_is_left_for_later():
    assert _holding(_BANNED, (path for path in _texts() if path.name != "yarn.lock")) == []


def _sleeps(path: Path) -> bool:
    """True when the file calls ``time.sleep``; giving way with 0 is fine, and so is the text of a cell."""
    calls = (
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    )
    return any(
        ast.unparse(call.func) == "time.sleep" and ast.unparse(call) != "time.sleep(0)" for call in calls
    )


def test_no_test_sleeps():
    tests = (path for path in (HOME / "tests").rglob("*.py") if "bench" not in path.parts)
    assert [str(path.relative_to(HOME)) for path in tests if _sleeps(path)] == []


def test_every_folder_of_tests_is_in_the_one_command():
    command = (HOME / "tests" / "run").read_text(encoding="utf-8")
    folders = {path.parent.relative_to(HOME).parts[1] for path in (HOME / "tests").glob("*/**/test_*.py")}
    assert {name for name in folders if f"tests/{name}" not in command} == set()


def test_all_tests_can_run_in_one_process():
    names = [path.name for path in (HOME / "tests").rglob("test_*.py")]
    assert sorted(name for name, times in Counter(names).items() if times > 1) == []
