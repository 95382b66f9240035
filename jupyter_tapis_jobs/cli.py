# PYTHON_ARGCOMPLETE_OK
"""``jupyter tapisjobs …``: jobs, servers and help from a terminal."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

from . import cli_definitions, cli_hosts, cli_jobs, cli_outputs, cli_purge, cli_server, cli_tokens
from .cli_completion import complete
from .cli_parts import FAILURE, INTERRUPTED, NOBODY_READS, Command, Parser
from .client.connection import Connection
from .client.tapis import Tapis
from .model.errors import TapisJobsError, did_you_mean
from .servers import cli_endpoint

#: In the order in which help shows them.
COMMANDS: tuple[Command, ...] = (
    *cli_server.COMMANDS,
    *cli_jobs.COMMANDS,
    *cli_outputs.COMMANDS,
    *cli_definitions.COMMANDS,
    *cli_hosts.COMMANDS,
    *cli_tokens.COMMANDS,
    *cli_purge.COMMANDS,
)


def connected(url: str | None) -> Tapis:
    """Return the API at *url*, of the environment, or of a server that runs on this machine."""
    return Tapis(Connection(cli_endpoint(url)))


def main(argv: Sequence[str] | None = None, connect: Callable[[str | None], Tapis] = connected) -> int:
    """Run one command and return its exit code; mistakes are told in one sentence."""
    words = parser()
    if "_ARGCOMPLETE" in os.environ:
        complete(words, connect)
    options = words.parse_args(argv)
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


def parser() -> Parser:
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


class _HelpfulParser(Parser):
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


if __name__ == "__main__":
    sys.exit(main())
