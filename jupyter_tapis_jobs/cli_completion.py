"""Tab completion of the command line: commands, options, choices, files, and the jobs of the server."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .cli_parts import Parser
from .client.tapis import Tapis
from .model.errors import TapisJobsError
from .model.texts import printable

Connect = Callable[[str | None], Tapis]
#: Jobs that are offered, the newest.
OFFERED = 50


def complete(words: Parser, connect: Connect) -> None:
    """Answer a shell that asks how the line may go on, and end (argcomplete's protocol)."""
    import argcomplete
    from argcomplete.completers import DirectoriesCompleter, FilesCompleter, SuppressCompleter

    #: What an argument is called in the help -> what it may be.
    by_name: Mapping[str, Callable[..., Any]] = {
        "FILE": FilesCompleter(),
        "FOLDER": DirectoriesCompleter(),
        "UUID": lambda parsed_args, **_: jobs(connect, parsed_args),
    }
    for action in _actions(words):
        if (completer := by_name.get(str(action.metavar))) is not None:
            action.completer = completer  # type: ignore[attr-defined]  # argcomplete's own
    argcomplete.autocomplete(words, default_completer=SuppressCompleter())


def jobs(connect: Connect, options: argparse.Namespace) -> dict[str, str]:
    """Return the newest jobs, uuid -> name and status; none when no server answers."""
    try:
        rows = connect(getattr(options, "url", None)).connection.get(
            "/v3/jobs/list", limit=OFFERED, orderBy="created(desc)"
        )
    except TapisJobsError:
        return {}
    return {str(row["uuid"]): printable(f"{row.get('name')} {row.get('status')}") for row in rows or []}


def _actions(words: Parser) -> Iterator[argparse.Action]:
    """Yield every argument of every command, at any depth."""
    for action in words._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from _actions(sub)
