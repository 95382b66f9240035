"""``python -m jupyter_tapis_jobs.server``: a Jupyter server with the job engine and no other extension."""

from __future__ import annotations

from .app import TapisJobsApp

if __name__ == "__main__":
    TapisJobsApp.load_other_extensions = False
    TapisJobsApp.launch_instance()  # type: ignore[no-untyped-call]
