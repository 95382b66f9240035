"""What all commands of the command line share: their form, common options, and how results are shown."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .client.tapis import Tapis
from .model.texts import printable

#: Exit codes beside 0: something went wrong; the command line itself is wrong; Ctrl-C; SIGPIPE.
FAILURE, USAGE, INTERRUPTED, NOBODY_READS = 1, 2, 130, 141

Options = argparse.Namespace
Parser = argparse.ArgumentParser


@dataclass(frozen=True, slots=True)
class Command:
    """One word after ``jupyter tapisjobs``; ``run`` returns the exit code."""

    name: str
    help: str
    arguments: Callable[[Parser], None]
    run: Callable[[Options], int]


def tapis_of(options: Options) -> Tapis:
    tapis: Tapis = options.connect(options.url)
    return tapis


def with_server(sub: Parser) -> None:
    sub.add_argument("--url", help="the API's address, such as http://127.0.0.1:8888/tapis")
    sub.add_argument("--json", action="store_true", help="print JSON")


def with_job(sub: Parser) -> None:
    sub.add_argument("uuid", metavar="UUID", help="the job's uuid")
    with_server(sub)


def with_data_dir(sub: Parser) -> None:
    sub.add_argument(
        "--data-dir",
        type=Path,
        metavar="FOLDER",
        help="where jobs are remembered (default: Jupyter's data folder)",
    )


def whole_number(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number")
    return int(text)


def show(options: Options, data: Any, text: str) -> int:
    print(json.dumps(data, indent=2, ensure_ascii=False, default=str) if options.json else text)
    return 0


def printed(line: str) -> None:
    print(line, flush=True)


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return *rows* as columns with a head; all rows have the same keys. What is hostile is made harmless."""
    found = [
        {name: "" if value is None else printable(str(value)) for name, value in row.items()} for row in rows
    ]
    if not found:
        return "none"
    widths = {name: max(len(name), *(len(row[name]) for row in found)) for name in found[0]}
    lines = [{name: name for name in widths}, *found]
    return "\n".join(
        "  ".join(line[name].ljust(width) for name, width in widths.items()).rstrip() for line in lines
    )
