"""``jupyter tapisjobs demo | serve | doctor``: what works on this machine, without a server or as one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .cli_parts import (
    FAILURE,
    Command,
    Options,
    Parser,
    printed,
    with_data_dir,
)
from .servers import ENGINE_MODULE, HUB_MODULE, is_hub_service, root_options


def _demo(options: Options) -> int:
    from .demo import run_demo

    return run_demo(printed, data_dir=options.data_dir, notebook=options.notebook, fetch=not options.no_fetch)


def _serve(options: Options) -> int:
    """Become the server: same process id, same terminal, Ctrl-C is its own."""
    settings = [f"--TapisJobsApp.data_dir={options.data_dir.resolve()}"] if options.data_dir else []
    port = [f"--ServerApp.port={options.port}"] if options.port is not None else []
    hub = is_hub_service(os.environ)
    if hub:
        # The hub's own entry: it knows the hub's people, and the address and port that the hub gave.
        os.environ["JUPYTERHUB_SINGLEUSER_APP"] = "jupyter_server.serverapp.ServerApp"
    module = HUB_MODULE if hub else ENGINE_MODULE
    command = [sys.executable, "-m", module, "--ServerApp.open_browser=False", *root_options()]
    sys.stdout.flush()
    os.execv(sys.executable, [*command, *port, *settings, *options.jupyter])  # noqa: S606 - no shell


def _doctor(options: Options) -> int:
    from .doctor import as_json, as_text, examine, is_fit

    findings = examine(options.data_dir)
    print(as_json(findings) if options.json else as_text(findings))
    return 0 if is_fit(findings) else FAILURE


def _demo_arguments(sub: Parser) -> None:
    with_data_dir(sub)
    sub.add_argument(
        "--notebook",
        type=Path,
        metavar="FILE",
        help="where the run notebook is kept (default: a temporary folder)",
    )
    sub.add_argument(
        "--no-fetch",
        action="store_true",
        help="do not fetch OpenSeesPy where it is not installed; the frame is solved in numpy then",
    )


def _serve_arguments(sub: Parser) -> None:
    with_data_dir(sub)
    sub.add_argument("--port", type=int, help="default: 8888, or the next free one")
    sub.add_argument(
        "jupyter", nargs="*", metavar="-- --JUPYTER.option=…", help="options of the Jupyter server"
    )


def _doctor_arguments(sub: Parser) -> None:
    with_data_dir(sub)
    sub.add_argument("--json", action="store_true", help="print JSON")


COMMANDS = (
    Command(
        "demo", "run the first notebook on a server of its own and show the result", _demo_arguments, _demo
    ),
    Command("serve", "run server and engine without a notebook", _serve_arguments, _serve),
    Command(
        "doctor",
        "say what is found on this machine, what is missing, and the way out",
        _doctor_arguments,
        _doctor,
    ),
)
