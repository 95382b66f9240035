"""What all tests share: real servers, waiting, seeds, and what a test needs of the machine."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from IPython.core.interactiveshell import InteractiveShell
from rig.condor import Pool
from rig.condor import pool as real_pool
from rig.containers import Containers
from rig.containers import containers as real_containers
from rig.dask_cluster import DaskCluster, dask_cluster
from rig.rig import Rig
from rig.variants import variant
from traitlets.config import Config

from jupyter_tapis_jobs.client.connection import Connection
from jupyter_tapis_jobs.client.endpoint import Endpoint
from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.servers import Server, started

T = TypeVar("T")

settings.register_profile(
    "quick", max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile(
    "full", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


# --- how much is run --------------------------------------------------------------------------
def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="many seeds and many examples; see tests/run --full")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Is everything to be run, however long it takes?"""
    return bool(request.config.getoption("--full"))


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("full" if config.getoption("--full") else "quick")
    config.addinivalue_line("markers", "needs(thing): skipped, with a reason, where the thing is not there")
    config.addinivalue_line("markers", "seeds(count, full): runs once per seed; `full` of them with --full")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test marked ``seeds(8, full=200)`` takes ``seed`` and runs for so many of them."""
    marker = metafunc.definition.get_closest_marker("seeds")
    if marker is not None:
        count = marker.kwargs["full"] if metafunc.config.getoption("--full") else marker.args[0]
        metafunc.parametrize("seed", range(count))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser last: while its driver lives, no test can have an event loop of its own."""
    browser = Path(__file__).parent / "browser"
    items.sort(key=lambda item: browser in item.path.parents)


# --- a notebook's shell ------------------------------------------------------------------------
@pytest.fixture(scope="session")
def one_shell(tmp_path_factory: pytest.TempPathFactory) -> InteractiveShell:
    """The one shell that IPython allows a process; it has a folder of its own and keeps no history."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    # Whoever starts the tests may have another environment switched on.
    config.InteractiveShell.warn_venv = False
    folder = tmp_path_factory.mktemp("ipython")
    return InteractiveShell.instance(config=config, ipython_dir=str(folder))


# --- what a test needs of the machine ---------------------------------------------------------
def _module(name: str) -> Callable[[], bool]:
    return lambda: importlib.util.find_spec(name) is not None


def _command(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def _beside_python(name: str) -> bool:
    return (Path(sys.executable).parent / name).exists()


def chromium_program() -> str | None:
    """Return the Chromium to test with: the one that ``TAPISJOBS_CHROMIUM`` names, else the first here.

    The shell draws no window round a page that nobody sees, which halves the work of each; it is also what
    Playwright itself takes.
    """
    named = os.environ.get("TAPISJOBS_CHROMIUM")
    programs = [named] if named else ["chromium-headless-shell", "chromium"]
    return next(filter(None, map(shutil.which, programs)), None)


#: Thing -> how to look for it, and what to do to have it.
NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "chromium": (
        lambda: chromium_program() is not None,
        "there is no Chromium: apt-get install chromium-headless-shell",
    ),
    "playwright": (_module("playwright"), "playwright is not installed: pip install playwright"),
    "mpirun": (_command("mpirun"), "there is no mpirun: apt-get install openmpi-bin"),
    "setfacl": (_command("setfacl"), "there is no setfacl: apt-get install acl"),
    "apptainer": (_command("apptainer"), "there is no apptainer: tests/rig/containers-up --install"),
    "busybox": (_command("busybox"), "there is no busybox: apt-get install busybox-static"),
    "unzip": (_command("unzip"), "there is no unzip: apt-get install unzip"),
    "node": (_command("node"), "there is no node: install Node.js 20"),
    "jupyterlab": (_module("jupyterlab"), "JupyterLab is not installed: pip install jupyterlab"),
    "openseespy": (
        _module("openseespylinux"),
        "OpenSeesPy is not installed: pip install '.[opensees]' (Python 3.11)",
    ),
    "tapipy": (_module("tapipy"), "tapipy is not installed: pip install tapipy"),
    "dapi": (_module("dapi"), "dapi is not installed: pip install dapi"),
    "jupyterhub": (
        lambda: _module("jupyterhub")() and _beside_python("configurable-http-proxy"),
        "JupyterHub is not installed: pip install jupyterhub configurable-http-proxy",
    ),
    "root": (lambda: os.geteuid() == 0, "only root can do this"),
    "not root": (lambda: os.geteuid() != 0, "root may do everything: run as an ordinary user"),
}


@functools.cache
def _is_there(thing: str) -> bool:
    return NEEDS[thing][0]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for thing in marker.args:
            if not _is_there(thing):
                pytest.skip(NEEDS[thing][1])


# --- waiting ----------------------------------------------------------------------------------
def until(condition: Callable[[], T], seconds: float = 150.0) -> T:
    """Return what *condition* gives as soon as it is true; the other side is another process."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"still not true after {seconds:.0f} s: {condition}")
        pause.wait(0.02)
    return found


@pytest.fixture(name="until", scope="session")
def until_fixture() -> Callable[..., object]:
    """``until(condition, seconds=150)``: wait for another process."""
    return until


# --- servers ----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class TestServer:
    """A real Jupyter server with the extension, in folders of its own."""

    __test__ = False

    url: str
    token: str
    #: Where its jobs are remembered.
    data_dir: Path
    #: Its root: where notebooks lie.
    root: Path
    process: Server
    environment: dict[str, str]

    @property
    def endpoint(self) -> Endpoint:
        """Its Tapis API with the sign-in."""
        return self.process.endpoint

    def tapis(self) -> Tapis:
        """Return a client of it."""
        return Tapis(Connection(self.endpoint))


def own_folders(folder: Path) -> dict[str, str]:
    """Return the environment that keeps Jupyter's files below *folder*."""
    names = {
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
    }
    return {variable: str(folder / name) for variable, name in names.items()}


def _without_build_check(config: Path) -> None:
    """Have no page of JupyterLab ask whether Lab should be built: each answer starts Node for a second."""
    (config / "labconfig").mkdir(parents=True, exist_ok=True)
    (config / "labconfig" / "page_config.json").write_text('{"buildCheck": false}')


@contextmanager
def running_server(folder: Path, *options: str, module: str = "jupyter_server") -> Iterator[TestServer]:
    """Run a server below *folder* while the block runs; the same folder again finds its jobs again."""
    root = folder / "root"
    root.mkdir(parents=True, exist_ok=True)
    environment = own_folders(folder)
    _without_build_check(Path(environment["JUPYTER_CONFIG_DIR"]))
    with started(
        root, folder / "server.log", environment=environment, options=options, module=module
    ) as server:
        yield TestServer(
            url=server.url,
            token=server.token,
            data_dir=Path(environment["JUPYTER_DATA_DIR"]) / "tapisjobs",
            root=root,
            process=server,
            environment=environment,
        )


@pytest.fixture(name="running_server", scope="session")
def running_server_fixture() -> Callable[..., AbstractContextManager[TestServer]]:
    """``with running_server(folder, *options) as server``: for fixtures of a module."""
    return running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestServer]:
    """One real server for all tests of a run; tests leave it as they found it."""
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., AbstractContextManager[TestServer]]:
    """``with serve(*options) as server``: a server for one test, which may kill it or start it again."""
    return lambda *options, **more: running_server(tmp_path / "server", *options, **more)


# --- real clusters ----------------------------------------------------------------------------
@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    """A real Slurm cluster with two login servers, for all tests of a run; leave it as you found it."""
    with variant("default") as found:
        yield found


@pytest.fixture(scope="module")
def rig_variant() -> Iterator[Callable[[str], Rig]]:
    """``rig_variant("sign-in")``: another rig of ``tests/rig/variants.py``, for a module."""
    with ExitStack() as stack:
        yield functools.cache(lambda name: stack.enter_context(variant(name)))


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    """A real HTCondor pool with a login server, for all tests of a run; leave it as you found it."""
    with real_pool() as found:
        yield found


# --- real Dask --------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A Dask scheduler with one worker, for all tests of a run; leave it as you found it."""
    with dask_cluster(tmp_path_factory.mktemp("dask"), until) as found:
        yield found


@pytest.fixture(scope="session")
def dask_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """The same, with certificates."""
    with dask_cluster(tmp_path_factory.mktemp("dask-tls"), until, tls=True) as found:
        yield found


# --- real containers --------------------------------------------------------------------------
@pytest.fixture(scope="session")
def containers() -> Iterator[Containers]:
    """Real docker, podman, apptainer and an image registry, for all tests of a run."""
    with real_containers() as found:
        yield found
