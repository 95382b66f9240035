"""``jupyter tapisjobs host …``: its words, what each does, and what it shows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from typing import Any

from .cli_parts import FAILURE, Command, Options, Parser, show, table, tapis_of, with_server
from .client.hosts import add_host, checked, host_rows
from .client.person import AtTheKeyboard
from .client.tapis import Tapis
from .model.errors import InvalidInputError, TapisJobsError


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command has to show: rows for JSON, and for a table unless there is a text."""

    rows: list[dict[str, Any]]
    is_well: bool = True
    text: str = ""


class AtTheCommandLine(AtTheKeyboard):
    """The person at the terminal, who can also give options."""

    def instead(self, word: str, value: str = "") -> str:
        """An option of the command; a passphrase is typed, never an option."""
        options = {
            "password": "use --password-stdin",
            "passphrase": "run it in a terminal",
            "replace": "use --replace",
        }
        return options.get(word, f"use --{word} {value or word.upper()}")


def _arguments(sub: Parser) -> None:
    words = sub.add_subparsers(title="what", metavar="WHAT", required=True)
    for name, (help_text, add, work) in _WORDS.items():
        word = words.add_parser(name, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}.")
        add(word)
        with_server(word)
        # The parser above has it too; without this its default would be the one that counts.
        word.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        word.set_defaults(host_work=work)


def _run(options: Options) -> int:
    """Do what the words say."""
    work: Callable[[Tapis, Options], Shown] = options.host_work
    # With --json nothing but JSON goes to standard output; questions and findings go beside it.
    with redirect_stdout(sys.stderr) if options.json else nullcontext():
        shown = work(tapis_of(options), options)
    show(options, shown.rows, shown.text or table(shown.rows))
    return 0 if shown.is_well else FAILURE


# --- add --------------------------------------------------------------------------------------
def _add_arguments(word: Parser) -> None:
    word.add_argument("name", metavar="NAME", help="the id of the system to make")
    word.add_argument("--host", help="address, or alias of ~/.ssh/config (default: NAME)")
    word.add_argument("--port", type=int, help="default: 22, or what ~/.ssh/config says")
    word.add_argument("--user", help="your name there (default: the same, or what ~/.ssh/config says)")
    word.add_argument("--key", metavar="FILE", help="a private key (default: the agent and the usual files)")
    word.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input, first line"
    )
    word.add_argument("--code", help="a one-time code, where the host wants one")
    word.add_argument(
        "--trust", metavar="SHA256:…", help="the fingerprint of the key that the host must show"
    )
    word.add_argument("--known-hosts", metavar="FILE", help="a known_hosts file that names the host")
    word.add_argument(
        "--root-dir", default="/", metavar="FOLDER", help="what all paths are below (default /)"
    )
    word.add_argument("--work-dir", metavar="FOLDER", help="where jobs work (default: found on the host)")
    word.add_argument("--replace", action="store_true", help="change a system that is there")


def _add(tapis: Tapis, options: Options) -> Shown:
    given = {
        "host": options.host or options.name, "port": options.port, "user": options.user,
        "privateKey": options.key, "password": _first_line() if options.password_stdin else None,
        "code": options.code, "rootDir": options.root_dir, "jobWorkingDir": options.work_dir,
        "trust": options.trust, "knownHosts": options.known_hosts, "replace": options.replace or None,
    }  # fmt: skip
    host = add_host(tapis, options.name, given, trusting=False, person=AtTheCommandLine())
    text = f"Jobs go there with execSystemId: {host.name}, or in a notebook with --system {host.name}."
    return Shown([{"id": host.name, **host.report}], text=text)


def _first_line() -> str:
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InvalidInputError("--password-stdin: standard input is empty.", field="--password-stdin")
    return line


# --- list and check ---------------------------------------------------------------------------
def _no_arguments(word: Parser) -> None:
    """Nothing but the server."""


def _list(tapis: Tapis, options: Options) -> Shown:
    rows = [{name: row.get(name) for name in _COLUMNS} for row in host_rows(tapis)]
    return Shown(rows, text="" if rows else _NONE)


_COLUMNS = ("id", "state", "message", "nextTry", "user")
_NONE = "No hosts yet. The first one: jupyter tapisjobs host add NAME --host ADDRESS --user USER"


def _check_arguments(word: Parser) -> None:
    word.add_argument("names", metavar="NAME", nargs="*", help="the hosts to look at (default: all)")
    word.add_argument("--code", help="a one-time code, where the host wants one")
    word.add_argument("--trust", metavar="SHA256:…", help="the new key of a host that was set up anew")


def _check(tapis: Tapis, options: Options) -> Shown:
    """Look at each host, also when one before it is in trouble."""
    names = options.names or [str(row["id"]) for row in host_rows(tapis)]
    rows = [_checked(tapis, name, options) for name in names]
    is_well = all(row["state"] == "connected" for row in rows)
    return Shown(rows, is_well, text="" if rows else _NONE)


def _checked(tapis: Tapis, name: str, options: Options) -> dict[str, Any]:
    try:
        given = {"code": options.code, "trust": options.trust}
        report = checked(tapis, name, given, person=AtTheCommandLine(), tell=False)
    except TapisJobsError as cause:
        return {"id": name, "state": "trouble", "message": cause.message}
    return {"id": name, "state": "connected", "message": _told(report)}


def _told(report: Mapping[str, Any]) -> str:
    return " · ".join(map(str, report.get("lines") or ()))


_WORDS: dict[str, tuple[str, Callable[[Parser], None], Callable[[Tapis, Options], Shown]]] = {
    "add": ("add a machine that is reached over SSH, and say what is found there", _add_arguments, _add),
    "list": ("list the hosts and how each is reached now", _no_arguments, _list),
    "check": ("connect now, and look at a host again", _check_arguments, _check),
}

COMMANDS = (Command("host", "add machines over SSH, list them, look at them again", _arguments, _run),)
