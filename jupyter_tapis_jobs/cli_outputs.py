"""``jupyter tapisjobs output-list | output-get``: what jobs left, listed and fetched."""

from __future__ import annotations

from pathlib import Path

from .cli_parts import Command, Options, Parser, show, table, tapis_of, with_job
from .client.words import size
from .model.errors import InvalidInputError, did_you_mean
from .model.files import STDOUT
from .model.texts import printable


def _output_list(options: Options) -> int:
    rows = tapis_of(options).job(options.uuid).output_rows()
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
    short = "\n".join(printable(str(row["path"])) for row in below)
    return show(options, below, long if options.long else short)


def _output_get(options: Options) -> int:
    job = tapis_of(options).job(options.uuid)
    if options.recursive and options.path:
        raise InvalidInputError(
            "-r takes all outputs; leave out -r to get one file.", field="path", value=options.path
        )
    path = None if options.recursive else options.path or STDOUT
    print(job.download(path, to=options.to, unfinished=True))
    return 0


def _output_list_arguments(sub: Parser) -> None:
    with_job(sub)
    sub.add_argument("path", metavar="PATH", nargs="?", default="", help="only what is below this folder")
    sub.add_argument("-L", dest="long", action="store_true", help="with size and time")


def _output_get_arguments(sub: Parser) -> None:
    with_job(sub)
    sub.add_argument("path", metavar="PATH", nargs="?", help=f"one output (default {STDOUT})")
    sub.add_argument(
        "-r", dest="recursive", action="store_true", help="all outputs, into the folder jobs-UUID"
    )
    sub.add_argument("--to", type=Path, default=Path(), metavar="FOLDER", help="where to (default: here)")


COMMANDS = (
    Command("output-list", "list a job's output files", _output_list_arguments, _output_list),
    Command("output-get", "fetch one output, or all with -r", _output_get_arguments, _output_get),
)


def _is_below(path: str, folder: str) -> bool:
    wanted = folder.strip("/")
    return not wanted or path == wanted or path.startswith(wanted + "/")
