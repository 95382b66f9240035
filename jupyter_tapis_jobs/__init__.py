"""Tapis Jobs inside Jupyter.

import jupyter_tapis_jobs as tj
tapis = tj.connect()
job = tapis.submit("bash", script="echo hello").wait()
job.read("tapisjob.out")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client.cases import grid
    from .client.connect import connect
    from .client.job import Job
    from .client.job_manager import JobManager
    from .client.preview import Preview
    from .client.sampling import sample
    from .client.study import Study
    from .client.tapis import Tapis
    from .model.errors import (
        ConflictError,
        InvalidInputError,
        JobError,
        NotAllowedError,
        NotFoundError,
        NotSignedInError,
        StoreError,
        TapisJobsError,
        TooLargeError,
        TransportError,
        UnavailableError,
    )

__version__ = "0.1.0"
__all__ = [
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

#: Public name -> the module that holds it, imported when the name is first used.
_HOMES = {
    "connect": ".client.connect",
    "grid": ".client.cases",
    "sample": ".client.sampling",
    "Job": ".client.job",
    "JobManager": ".client.job_manager",
    "Preview": ".client.preview",
    "Study": ".client.study",
    "Tapis": ".client.tapis",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOMES.get(name, ".model.errors"), __name__), name)
    globals()[name] = found
    _show_jobs_as_cards()
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Name the server extension to Jupyter."""
    from .server.app import TapisJobsApp

    return [{"module": "jupyter_tapis_jobs", "app": TapisJobsApp}]


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext jupyter_tapis_jobs``: the magics ``%%tapisjob`` and ``%tapisjobs``."""
    from .notebook.magic import register

    register(shell)


def _show_jobs_as_cards() -> None:
    """In a notebook a job at the end of a cell is a card, with or without the magics."""
    import sys

    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        from .notebook import cards, panel, study_progress

        cards.register(shell)
        study_progress.register(shell)
        panel.register(shell)
