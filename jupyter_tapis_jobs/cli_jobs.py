"""``jupyter tapisjobs submit | list | status | history | follow | cancel | …``: jobs in a terminal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cli_parts import (
    FAILURE,
    Command,
    Options,
    Parser,
    show,
    table,
    tapis_of,
    whole_number,
    with_job,
    with_server,
)
from .client.filters import search_parameters
from .client.job import Job
from .client.words import age, duration, state_words
from .model.errors import InvalidInputError, TapisJobsError, did_you_mean
from .model.files import STDOUT
from .model.status import JobStatus

if TYPE_CHECKING:
    import pandas as pd

_LIST_COLUMNS = ("uuid", "name", "status", "appId", "execSystemId", "created", "age")


def _submit(options: Options) -> int:
    tapis = tapis_of(options)
    request = _request(options.file)
    if options.dry_run:
        preview = tapis.validate(request)
        return show(options, asdict(preview), str(preview))
    job = tapis.submit(request)
    if options.wait:
        job.wait(progress=not options.json)
    code = 0 if not options.wait or job.status == JobStatus.FINISHED else FAILURE
    show(options, dict(job.row), f"{job.uuid}  {job.name}  {job.last_status}")
    return code


def _list(options: Options) -> int:
    wanted = {"status": options.status, "since": options.since, "app": options.app, "name": options.job_name}
    found = tapis_of(options).connection.call(
        "GET",
        "/v3/jobs/search",
        params={
            **search_parameters(wanted),
            "limit": options.limit or -1,
            "orderBy": "created(desc)",
            "computeTotal": True,
        },
    )
    rows, total = found.result or [], int(found.metadata.get("totalCount", -1))
    if options.json:
        return show(options, rows, "")
    if not rows:
        print("No jobs yet." if not any(wanted.values()) else "No jobs fit.")
        return 0
    print(table(_list_row(row) for row in rows))
    if total > len(rows):
        print(f"The newest {len(rows)} of {total}; --limit 0 shows all.")
    return 0


def _status(options: Options) -> int:
    job = tapis_of(options).job(options.uuid)
    failure = job.failure
    lines = [
        f"{state_words(job.last_status).glyph} {job.name}  {job.last_status}  {_told(job.row)}",
        *_details(job.row),
        *([f"{failure}"] if failure else []),
    ]
    return show(options, dict(job.row), "\n".join(lines))


def _history(options: Options) -> int:
    rows = tapis_of(options).job(options.uuid).history_rows()
    names = ("created", "event", "eventDetail", "description")
    return show(options, rows, table({name: row.get(name) for name in names} for row in rows))


def _follow(options: Options) -> int:
    job = tapis_of(options).job(options.uuid).follow(options.path)
    return 0 if job.last_status == JobStatus.FINISHED else FAILURE


def _cancel(options: Options) -> int:
    """Ask for each job to be stopped, and wait until it really is, unless told not to."""
    tapis = tapis_of(options)
    jobs: list[Job] = []
    refused: list[dict[str, Any]] = []
    for uuid in options.uuids:
        try:
            jobs.append(tapis.job(uuid).cancel())
        except TapisJobsError as cause:
            refused.append({"uuid": uuid, "status": None, "message": cause.message})
    if not options.no_wait:
        tapis.wait(jobs, progress=False)
    done = [{"uuid": j.uuid, "status": j.last_status, "message": j.row.get("lastMessage")} for j in jobs]
    show(options, done + refused, table(done + refused))
    return FAILURE if refused else 0


def _pause(options: Options) -> int:
    return _show_steered(options, tapis_of(options).pause(options.uuids))


def _resume(options: Options) -> int:
    return _show_steered(options, tapis_of(options).resume(options.uuids))


def _show_steered(options: Options, told: pd.DataFrame) -> int:
    rows = [{str(name): row[name] for name in row} for row in told.to_dict("records")]
    show(options, rows, table(rows))
    return 0 if (told["status"] == "success").all() else FAILURE


def _resubmit(options: Options) -> int:
    job = tapis_of(options).resubmit(options.uuid, **_changes(options.set))
    return show(options, dict(job.row), f"{job.uuid}  {job.name}  {job.last_status}")


# --- their arguments --------------------------------------------------------------------------
def _submit_arguments(sub: Parser) -> None:
    sub.add_argument(
        "file", metavar="FILE", help="a Tapis request in JSON or YAML; - reads it from standard input"
    )
    sub.add_argument(
        "--dry-run", action="store_true", help="check it and show what would run; submit nothing"
    )
    sub.add_argument("--wait", action="store_true", help="wait for the end; exit code 1 unless FINISHED")
    with_server(sub)


def _list_arguments(sub: Parser) -> None:
    sub.add_argument("--status", action="append", help="only jobs in this status; may be repeated")
    sub.add_argument(
        "--since", metavar="7d", help="only jobs of the last days (7d), hours (12h), or since a date"
    )
    sub.add_argument("--app", help="only jobs of this app")
    sub.add_argument(
        "--name", dest="job_name", metavar="NAME", help="only jobs of this name; * stands for anything"
    )
    sub.add_argument(
        "--limit", type=whole_number, default=50, help="how many of the newest (default 50); 0 for all"
    )
    with_server(sub)


def _follow_arguments(sub: Parser) -> None:
    with_job(sub)
    sub.add_argument(
        "path", metavar="PATH", nargs="?", default=STDOUT, help=f"which output (default {STDOUT})"
    )


def _uuids_arguments(sub: Parser) -> None:
    sub.add_argument("uuids", metavar="UUID", nargs="+", help="the jobs' uuids")
    with_server(sub)


def _cancel_arguments(sub: Parser) -> None:
    _uuids_arguments(sub)
    sub.add_argument("--no-wait", action="store_true", help="only ask; do not wait until they are gone")


def _resubmit_arguments(sub: Parser) -> None:
    with_job(sub)
    sub.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="change a field of the request"
    )


COMMANDS = (
    Command("submit", "submit a request", _submit_arguments, _submit),
    Command("list", "list jobs, newest first", _list_arguments, _list),
    Command("status", "show where a job stands", with_job, _status),
    Command("history", "show what happened to a job", with_job, _history),
    Command("follow", "print a job's output as it grows", _follow_arguments, _follow),
    Command("cancel", "cancel jobs", _cancel_arguments, _cancel),
    Command("pause", "hold jobs back that have not begun", _uuids_arguments, _pause),
    Command("resume", "let held jobs go on", _uuids_arguments, _resume),
    Command("resubmit", "submit a job's request again", _resubmit_arguments, _resubmit),
)


# --- parts ------------------------------------------------------------------------------------
def _request(file: str) -> Path | str:
    if file == "-":
        return sys.stdin.read()
    path = Path(file)
    if not path.is_file():
        here = sorted(p.name for p in Path().iterdir() if p.suffix in (".json", ".yaml", ".yml"))
        raise InvalidInputError(
            f"{file} is not there.{did_you_mean(file, here)} Requests here: {', '.join(here) or 'none'}.",
            field="FILE",
            value=file,
        )
    return path


def _changes(assignments: Sequence[str]) -> dict[str, Any]:
    """Return ``{"nodeCount": 2}`` from ``nodeCount=2``; a value is JSON where it can be, else text."""
    changes: dict[str, Any] = {}
    for assignment in assignments:
        field, equals, value = assignment.partition("=")
        if not equals or not field:
            raise InvalidInputError(
                f"--set '{assignment}' must be FIELD=VALUE, such as maxMinutes=20.", field="--set"
            )
        try:
            changes[field] = json.loads(value)
        except ValueError:
            changes[field] = value
    return changes


def _list_row(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(row, age=duration(age(row, time.time())), created=str(row.get("created") or "")[:19])
    return {name: shown.get(name) for name in _LIST_COLUMNS}


def _told(row: Mapping[str, Any]) -> str:
    words = state_words(str(row.get("status"))).words
    return f"{words} ({duration(age(row, time.time()))})"


_DETAILS = (
    "uuid", "owner", "appId", "appVersion", "execSystemId", "execSystemLogicalQueue", "created",
    "remoteStarted", "ended", "remoteJobId", "launchMode", "launchReason", "condition", "lastMessage",
    "progress", "progressMessage", "execSystemOutputDir",
)  # fmt: skip


def _details(row: Mapping[str, Any]) -> list[str]:
    return [f"  {name:<22} {row[name]}" for name in _DETAILS if row.get(name) not in (None, "")]
