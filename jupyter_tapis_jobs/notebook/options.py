"""The options of ``%%tapisjob`` and ``%tapisjobs``: one table for parsing, help and completion."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from ..model.cell_options import HELP, JOB_OPTIONS, Option
from ..model.errors import InvalidInputError, did_you_mean
from ..model.placeholders import CLOSE, OPEN, pieces
from .case_cells import columns_of, fill_but, rows_named

LIST_OPTIONS = (
    Option(flags=("--since",), value="AGE", help="accepted since: 7d, 12h, 30m, or a date"),
    Option(flags=("--until",), value="AGE", help="accepted before"),
    Option(flags=("--app",), value="APP", help="jobs of this app"),
    Option(flags=("--name",), value="NAME", help="jobs of this name; * stands for anything"),
    Option(flags=("--system",), value="SYSTEM", help="jobs on this system"),
    Option(flags=("--limit",), value="N", whole_number=True, help="only the newest N"),
    Option(flags=("--debug",), help="show the last error in full instead"),
    HELP,
)
_JOB_ABOUT = (
    "Submit a job. The cell is the text of the app's script where the app has one (bash, python, slurm), the "
    "file named by --script, or else a request in YAML or JSON, merged over the options. "
    "{{ expression }} takes the value of a variable of the notebook."
)
_LIST_ABOUT = "Show jobs as a table, newest first. STATUS is any of Tapis's statuses (FAILED RUNNING …)."


class MagicParser(argparse.ArgumentParser):
    """argparse whose mistakes are our errors, with the nearest known option."""

    options: tuple[Option, ...] = ()

    def error(self, message: str) -> NoReturn:
        """Raise the mistake as one sentence."""
        raise InvalidInputError(f"{message[:1].upper()}{message[1:]}. {self.prog} --help shows all options.")

    @property
    def flags(self) -> dict[str, Option]:
        """Every flag and its option."""
        return {flag: option for option in self.options for flag in option.flags}

    def read(self, line: str, names: Mapping[str, Any]) -> argparse.Namespace:
        """Parse *line*; ``{{ expression }}`` in it is one word, whatever its value holds.

        With ``--cases`` the attribute ``rows`` has the cases; expressions that use their columns stay.
        """
        masked, expressions = _masked(line)
        words = self._joined(_split(masked, self.prog))
        self._check_flags(words)
        found = self.parse_args(words)
        cases = getattr(found, "cases", None)
        rows = rows_named(cases, names) if cases and not found.help else []
        columns = columns_of(rows)
        values = [fill_but(text, names, columns) for text in expressions]
        for key, value in vars(found).items():
            setattr(found, key, _unmasked(value, values))
        found.rows = rows
        return found

    def _joined(self, words: Sequence[str]) -> list[str]:
        """Join an option and its value, so that the value may begin with a dash (``--arg -v``)."""
        joined: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            option = self.flags.get(word)
            if option and option.value and rest and rest[0] not in self.flags:
                value = rest.pop(0)
                joined.append(f"{word}={value}" if word.startswith("--") else word + value)
            else:
                joined.append(word)
        return joined

    def _check_flags(self, words: Sequence[str]) -> None:
        for word in words:
            flag = word.partition("=")[0]
            if flag.startswith("--") and flag not in self.flags:
                known = [name for name in self.flags if name.startswith("--")]
                raise InvalidInputError(
                    f"{self.prog} has no option {flag}.{did_you_mean(flag, known)} "
                    f"Options: {' '.join(known)}.",
                    value=flag,
                )


def job_parser() -> MagicParser:
    """Return the parser of ``%%tapisjob``."""
    parser = _parser("%%tapisjob", _JOB_ABOUT, JOB_OPTIONS)
    parser.add_argument(
        "app", nargs="?", metavar="APP[@VERSION]", help="the app to run, in its latest version"
    )
    return parser


def list_parser() -> MagicParser:
    """Return the parser of ``%tapisjobs``."""
    parser = _parser("%tapisjobs", _LIST_ABOUT, LIST_OPTIONS)
    parser.add_argument("status", nargs="*", metavar="STATUS", help="only jobs in these statuses")
    return parser


def pair(text: str, option: str, expected: str) -> tuple[str, str]:
    """Split ``K=V``; ``InvalidInputError`` names the option."""
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise InvalidInputError(f"{option} {text}: expected {expected}.", field=option, value=text)
    return key.strip(), value


def variable(name: str, option: str) -> str:
    """Return *name* when Python can have a variable of that name."""
    if not name.isidentifier():
        raise InvalidInputError(
            f"{option} {name}: '{name}' is not a name of a variable.", field=option, value=name
        )
    return name


def _parser(name: str, about: str, options: tuple[Option, ...]) -> MagicParser:
    parser = MagicParser(prog=name, description=about, add_help=False, allow_abbrev=False)
    parser.options = options
    for option in options:
        form: dict[str, Any] = {"help": option.help, "dest": option.name}
        if not option.value:
            form["action"] = "store_true"
        else:
            form |= {"metavar": option.value}
            form |= {"action": "append", "default": []} if option.repeats else {}
        parser.add_argument(*option.flags, **form)
    return parser


def _split(line: str, prog: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as cause:
        raise InvalidInputError(f"{prog}: a quote is not closed in: {line.strip()}", value=line) from cause


def _masked(line: str) -> tuple[str, list[str]]:
    """Put a mark without spaces or quotes in place of each expression; return these as well."""
    expressions: list[str] = []
    parts: list[str] = []
    for plain, piece in pieces(line):
        if plain:
            parts.append(piece)
        else:
            parts.append(_mark(len(expressions)))
            expressions.append(f"{OPEN}{piece}{CLOSE}")
    return "".join(parts), expressions


def _mark(number: int) -> str:
    # Private-use characters: no person types them.
    return f"\ue000{number}\ue001"


def _unmasked(value: Any, values: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_unmasked(item, values) for item in value]
    if isinstance(value, str):
        for number, text in enumerate(values):
            value = value.replace(_mark(number), text)
    return value
