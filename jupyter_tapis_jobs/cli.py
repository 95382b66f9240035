"""``jupyter tapisjobs …``: jobs, servers and help from a terminal."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from . import cli_hosts
from .client.connection import Connection
from .client.filters import search_parameters
from .client.job import Job
from .client.tapis import Tapis
from .client.words import age, duration, size, state_words
from .model.errors import InvalidInputError, TapisJobsError, did_you_mean
from .model.status import JobStatus
from .servers import ENGINE_MODULE, cli_endpoint, root_options

#: Exit codes beside 0: something went wrong; the command line itself is wrong; Ctrl-C; SIGPIPE.
FAILURE, USAGE, INTERRUPTED, NOBODY_READS = 1, 2, 130, 141
_STDOUT = "tapisjob.out"
_LIST_COLUMNS = ("uuid", "name", "status", "appId", "execSystemId", "created", "age")

_Options = argparse.Namespace
_Parser = argparse.ArgumentParser


@dataclass(frozen=True, slots=True)
class Command:
    """One word after ``jupyter tapisjobs``; ``run`` returns the exit code."""

    name: str
    help: str
    arguments: Callable[[_Parser], None]
    run: Callable[[_Options], int]


def connected(url: str | None) -> Tapis:
    """Return the API at *url*, of the environment, or of a server that runs on this machine."""
    return Tapis(Connection(cli_endpoint(url)))


def main(argv: Sequence[str] | None = None, connect: Callable[[str | None], Tapis] = connected) -> int:
    """Run one command and return its exit code; mistakes are told in one sentence."""
    options = parser().parse_args(argv)
    options.connect = connect
    try:
        return int(options.run(options))
    except TapisJobsError as cause:
        if options.debug:
            traceback.print_exc()
        print(f"jupyter tapisjobs: {cause.message}", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt as stop:
        print(f"\n{stop}".rstrip() or "\nStopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has left; say nothing more, also not at the end of the program.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS


def parser() -> _Parser:
    """Return the parser of the whole command line."""
    top = _HelpfulParser(
        prog="jupyter tapisjobs",
        description="Tapis Jobs inside Jupyter: run, watch and fetch jobs from a terminal.",
        epilog="The server: TAPIS_BASE_URL with TAPIS_TOKEN, else a Jupyter server running on this machine. "
        "`jupyter tapisjobs serve` starts one without a notebook.",
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(command.name, help=command.help, description=_sentence(command.help))
        command.arguments(sub)
        sub.add_argument("--debug", action="store_true", help="show the full story of an error")
        sub.set_defaults(run=command.run)
    return top


class _HelpfulParser(_Parser):
    """Argparse, with the nearest command for a misspelt one."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, what is meant perhaps, and where help is."""
        wrong = re.search(r"invalid choice: '([^']*)'", message)
        if wrong and "COMMAND" in message:
            names = [command.name for command in COMMANDS]
            message = (
                f"'{wrong[1]}' is no command.{did_you_mean(wrong[1], names)} Commands: {', '.join(names)}."
            )
        super().error(message)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


# --- commands ---------------------------------------------------------------------------------
def _demo(options: _Options) -> int:
    from .demo import run_demo

    return run_demo(
        _printed, data_dir=options.data_dir, notebook=options.notebook, fetch=not options.no_fetch
    )


def _serve(options: _Options) -> int:
    """Become the server: same process id, same terminal, Ctrl-C is its own."""
    settings = [f"--TapisJobsApp.data_dir={options.data_dir.resolve()}"] if options.data_dir else []
    port = [f"--ServerApp.port={options.port}"] if options.port is not None else []
    command = [sys.executable, "-m", ENGINE_MODULE, "--ServerApp.open_browser=False", *root_options()]
    sys.stdout.flush()
    os.execv(sys.executable, [*command, *port, *settings, *options.jupyter])  # noqa: S606 - no shell


def _doctor(options: _Options) -> int:
    from .doctor import as_json, as_text, examine, is_fit

    findings = examine(options.data_dir)
    print(as_json(findings) if options.json else as_text(findings))
    return 0 if is_fit(findings) else FAILURE


def _submit(options: _Options) -> int:
    tapis = _tapis(options)
    request = _request(options.file)
    if options.dry_run:
        preview = tapis.validate(request)
        return _shown(options, asdict(preview), str(preview))
    job = tapis.submit(request)
    if options.wait:
        job.wait(progress=not options.json)
    code = 0 if not options.wait or job.status == JobStatus.FINISHED else FAILURE
    _shown(options, dict(job.row), f"{job.uuid}  {job.name}  {job.last_status}")
    return code


def _list(options: _Options) -> int:
    wanted = {"status": options.status, "since": options.since, "app": options.app, "name": options.job_name}
    found = _tapis(options).connection.call(
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
        return _shown(options, rows, "")
    if not rows:
        print("No jobs yet." if not any(wanted.values()) else "No jobs fit.")
        return 0
    print(table(_list_row(row) for row in rows))
    if total > len(rows):
        print(f"The newest {len(rows)} of {total}; --limit 0 shows all.")
    return 0


def _status(options: _Options) -> int:
    job = _tapis(options).job(options.uuid)
    failure = job.failure
    lines = [
        f"{state_words(job.last_status).glyph} {job.name}  {job.last_status}  {_told(job.row)}",
        *_details(job.row),
        *([f"{failure}"] if failure else []),
    ]
    return _shown(options, dict(job.row), "\n".join(lines))


def _history(options: _Options) -> int:
    rows = _tapis(options).job(options.uuid).history_rows()
    names = ("created", "event", "eventDetail", "description")
    return _shown(options, rows, table({name: row.get(name) for name in names} for row in rows))


def _output_list(options: _Options) -> int:
    rows = _tapis(options).job(options.uuid).output_rows()
    below = [row for row in rows if _is_below(str(row["path"]), options.path)]
    if options.path and not below:
        raise InvalidInputError(
            f"{options.path} is not among the outputs."
            f"{did_you_mean(options.path, (str(row['path']) for row in rows))}",
            field="path",
            value=options.path,
        )
    long = table(
        {
            "size": size(int(row.get("size") or 0)),
            "lastModified": row.get("lastModified"),
            "path": row["path"],
        }
        for row in below
    )
    return _shown(options, below, long if options.long else "\n".join(str(row["path"]) for row in below))


def _output_get(options: _Options) -> int:
    job = _tapis(options).job(options.uuid)
    if options.recursive and options.path:
        raise InvalidInputError(
            "-r takes all outputs; leave out -r to get one file.", field="path", value=options.path
        )
    path = None if options.recursive else options.path or _STDOUT
    print(job.download(path, to=options.to, unfinished=True))
    return 0


def _follow(options: _Options) -> int:
    job = _tapis(options).job(options.uuid).follow(options.path)
    return 0 if job.last_status == JobStatus.FINISHED else FAILURE


def _cancel(options: _Options) -> int:
    """Ask for each job to be stopped, and wait until it really is, unless told not to."""
    tapis = _tapis(options)
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
    _shown(options, done + refused, table(done + refused))
    return FAILURE if refused else 0


def _resubmit(options: _Options) -> int:
    job = _tapis(options).resubmit(options.uuid, **_changes(options.set))
    return _shown(options, dict(job.row), f"{job.uuid}  {job.name}  {job.last_status}")


def _host(options: _Options) -> int:
    # With --json nothing but JSON goes to standard output; questions and findings go beside it.
    with redirect_stdout(sys.stderr) if options.json else nullcontext():
        shown = cli_hosts.run(_tapis(options), options)
    _shown(options, shown.rows, shown.text or table(shown.rows))
    return 0 if shown.is_well else FAILURE


def _token(options: _Options) -> int:
    """Make a token, or take one back; both need the sign-in of the server's own user."""
    connection = _tapis(options).connection
    if options.revoke:
        told = connection.post("/v3/oauth2/tokens/revoke", {"token": options.revoke})
        return _shown(options, told, str(told["message"]))
    told = connection.post("/v3/tapisjobs/tokens", {"username": options.user, "days": options.days})
    return _shown(options, told, str(told["access_token"]["access_token"]))


# --- their arguments --------------------------------------------------------------------------
def _with_server(sub: _Parser) -> None:
    sub.add_argument("--url", help="the API's address, such as http://127.0.0.1:8888/tapis")
    sub.add_argument("--json", action="store_true", help="print JSON")


def _with_job(sub: _Parser) -> None:
    sub.add_argument("uuid", metavar="UUID", help="the job's uuid")
    _with_server(sub)


def _data_dir_argument(sub: _Parser) -> None:
    sub.add_argument(
        "--data-dir",
        type=Path,
        metavar="FOLDER",
        help="where jobs are remembered (default: Jupyter's data folder)",
    )


def _demo_arguments(sub: _Parser) -> None:
    _data_dir_argument(sub)
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


def _serve_arguments(sub: _Parser) -> None:
    _data_dir_argument(sub)
    sub.add_argument("--port", type=int, help="default: 8888, or the next free one")
    sub.add_argument(
        "jupyter", nargs="*", metavar="-- --JUPYTER.option=…", help="options of the Jupyter server"
    )


def _doctor_arguments(sub: _Parser) -> None:
    _data_dir_argument(sub)
    sub.add_argument("--json", action="store_true", help="print JSON")


def _submit_arguments(sub: _Parser) -> None:
    sub.add_argument(
        "file", metavar="FILE", help="a Tapis request in JSON or YAML; - reads it from standard input"
    )
    sub.add_argument(
        "--dry-run", action="store_true", help="check it and show what would run; submit nothing"
    )
    sub.add_argument("--wait", action="store_true", help="wait for the end; exit code 1 unless FINISHED")
    _with_server(sub)


def _list_arguments(sub: _Parser) -> None:
    sub.add_argument("--status", action="append", help="only jobs in this status; may be repeated")
    sub.add_argument(
        "--since", metavar="7d", help="only jobs of the last days (7d), hours (12h), or since a date"
    )
    sub.add_argument("--app", help="only jobs of this app")
    sub.add_argument(
        "--name", dest="job_name", metavar="NAME", help="only jobs of this name; * stands for anything"
    )
    sub.add_argument(
        "--limit", type=_count, default=50, help="how many of the newest (default 50); 0 for all"
    )
    _with_server(sub)


def _output_list_arguments(sub: _Parser) -> None:
    _with_job(sub)
    sub.add_argument("path", metavar="PATH", nargs="?", default="", help="only what is below this folder")
    sub.add_argument("-L", dest="long", action="store_true", help="with size and time")


def _output_get_arguments(sub: _Parser) -> None:
    _with_job(sub)
    sub.add_argument("path", metavar="PATH", nargs="?", help=f"one output (default {_STDOUT})")
    sub.add_argument(
        "-r", dest="recursive", action="store_true", help="all outputs, into the folder jobs-UUID"
    )
    sub.add_argument("--to", type=Path, default=Path(), metavar="FOLDER", help="where to (default: here)")


def _follow_arguments(sub: _Parser) -> None:
    _with_job(sub)
    sub.add_argument(
        "path", metavar="PATH", nargs="?", default=_STDOUT, help=f"which output (default {_STDOUT})"
    )


def _cancel_arguments(sub: _Parser) -> None:
    sub.add_argument("uuids", metavar="UUID", nargs="+", help="the jobs' uuids")
    sub.add_argument("--no-wait", action="store_true", help="only ask; do not wait until they are gone")
    _with_server(sub)


def _resubmit_arguments(sub: _Parser) -> None:
    _with_job(sub)
    sub.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="change a field of the request"
    )


def _host_arguments(sub: _Parser) -> None:
    cli_hosts.arguments(sub, _with_server)


def _token_arguments(sub: _Parser) -> None:
    sub.add_argument(
        "--user", metavar="U", help="for another user, who then needs systems and credentials of their own"
    )
    sub.add_argument("--days", type=_count, default=365, help="how long it is good (default 365)")
    sub.add_argument("--revoke", metavar="TOKEN", help="take this token back instead")
    _with_server(sub)


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
    Command("submit", "submit a request", _submit_arguments, _submit),
    Command("list", "list jobs, newest first", _list_arguments, _list),
    Command("status", "show where a job stands", _with_job, _status),
    Command("history", "show what happened to a job", _with_job, _history),
    Command("output-list", "list a job's output files", _output_list_arguments, _output_list),
    Command("output-get", "fetch one output, or all with -r", _output_get_arguments, _output_get),
    Command("follow", "print a job's output as it grows", _follow_arguments, _follow),
    Command("cancel", "cancel jobs", _cancel_arguments, _cancel),
    Command("resubmit", "submit a job's request again", _resubmit_arguments, _resubmit),
    Command("host", "add machines over SSH, list them, look at them again", _host_arguments, _host),
    Command("token", "make a token for scripts and other clients", _token_arguments, _token),
)


# --- parts ------------------------------------------------------------------------------------
def _tapis(options: _Options) -> Tapis:
    tapis: Tapis = options.connect(options.url)
    return tapis


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
    "execSystemOutputDir",
)  # fmt: skip


def _details(row: Mapping[str, Any]) -> list[str]:
    return [f"  {name:<22} {row[name]}" for name in _DETAILS if row.get(name) not in (None, "")]


def _is_below(path: str, folder: str) -> bool:
    wanted = folder.strip("/")
    return not wanted or path == wanted or path.startswith(wanted + "/")


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number")
    return int(text)


def _shown(options: _Options, data: Any, text: str) -> int:
    print(json.dumps(data, indent=2, ensure_ascii=False, default=str) if options.json else text)
    return 0


def _printed(line: str) -> None:
    print(line, flush=True)


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return *rows* as columns with a head; all rows have the same keys."""
    found = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    if not found:
        return "none"
    widths = {name: max(len(name), *(len(row[name]) for row in found)) for name in found[0]}
    lines = [{name: name for name in widths}, *found]
    return "\n".join(
        "  ".join(line[name].ljust(width) for name, width in widths.items()).rstrip() for line in lines
    )


if __name__ == "__main__":
    sys.exit(main())
