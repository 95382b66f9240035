"""Runs a notebook in a real kernel against a real server, and reads what its cells showed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"


def executed(path: Path, server: Any, **more: str) -> dict[str, Any]:
    """Run the notebook in a kernel that finds the server as any kernel of it does; return its cells by id."""
    return {cell.id: cell for cell in notebook_executed(path, server, **more).cells}


def notebook_executed(path: Path, server: Any, **more: str) -> Any:
    """Run the notebook as ``executed`` does and return all of it."""
    notebook = nbformat.read(path, as_version=4)
    environment = {
        **os.environ,
        **server.environment,
        "JUPYTER_TAPIS_JOBS_URL": server.endpoint.url,
        "JUPYTER_TAPIS_JOBS_TOKEN": server.token,
        **more,
    }
    client = NotebookClient(
        notebook, timeout=200, kernel_name="python3", resources={"metadata": {"path": server.root}}
    )
    client.create_kernel_manager().kernel_spec.argv[0] = sys.executable
    client.execute(env=environment)
    return notebook


def plain(cell: Any) -> str:
    """Return what a cell showed, as text."""
    return "\n".join(
        output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs
    )
