"""What is run on the host for Dask: our program (``dask_remote``), with one request."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from ..model.dask import DaskCluster
from .base import Launch, Submission
from .submissions import fence

#: The name that the program has on the host.
PROGRAM = "tapisjobs_dask"
#: What the script says where the Python of the notes is not there.
NO_PYTHON = "no such python"
#: Seconds for a job without a limit of its own.
_FOR_EVER = 10**9

_RUN = """\
python={python}
command -v "$python" > /dev/null || {{ echo '{no_python}'; exit 0; }}
d=$(mktemp -d) || exit 1
trap 'rm -rf "$d"' EXIT
mkdir "$d/{program}" || exit 1
{sources}
cat > "$d/request.json" <<'END_OF_REQUEST' || exit 1
{request}
END_OF_REQUEST
PYTHONPATH=$d PYTHONDONTWRITEBYTECODE=1 "$python" -m {program} "$d/request.json" 2> "$d/log"
"""
_SOURCE = """\
cat > "$d/{program}/{name}" <<'END_OF_SOURCE' || exit 1
{text}END_OF_SOURCE
"""


def submit_script(submission: Submission) -> str:
    """Return the script that hands the cohort over, unless the host has heard of a newer engine."""
    events = f"{submission.lane_dir}/events"
    jobs = [{**_job(launch, submission.id), "events": events} for launch in submission.launches]
    return fence(submission) + _run("submit", submission.launches, jobs)


def look_script(launches: Sequence[Launch]) -> str:
    """Return the one script that asks about all jobs."""
    return _run("look", launches, [_job(launch, launch.submission_id) for launch in launches])


def cancel_script(launches: Sequence[Launch], *, why: str, grace: int) -> str:
    """Return the script that ends *launches* and says which are gone."""
    jobs = [_job(launch, launch.submission_id) for launch in launches]
    return _run("cancel", launches, jobs, why=why, grace=grace)


def key(launch: Launch, submission_id: str | None) -> str:
    """Return the key of a job's task, which is its id at the scheduler."""
    return f"tapisjob-{submission_id or '-'}-{launch.uuid}"


def _job(launch: Launch, submission_id: str | None) -> dict[str, Any]:
    return {
        "uuid": launch.uuid,
        "key": key(launch, submission_id),
        "place": launch.exec_dir,
        "seconds": launch.max_minutes * 60 or _FOR_EVER,
        "cores": launch.cores,
    }


def _run(verb: str, launches: Sequence[Launch], jobs: Sequence[Mapping[str, Any]], **more: Any) -> str:
    """Return the script that runs the program; launches of one script are of one system."""
    cluster = DaskCluster.of(launches[0].notes)
    request = {"verb": verb, "cluster": cluster.to_request(), "jobs": jobs, **more}
    return _RUN.format(
        python=shlex.quote(cluster.python),
        no_python=NO_PYTHON,
        program=PROGRAM,
        sources=_sources(),
        request=json.dumps(request),
    )


@cache
def _sources() -> str:
    """Return the lines that write the program."""
    folder = files(__package__) / "dask_remote"
    sources = sorted((item for item in folder.iterdir() if item.name.endswith(".py")), key=lambda i: i.name)
    return "".join(
        _SOURCE.format(program=PROGRAM, name=item.name, text=item.read_text("utf-8")) for item in sources
    )
