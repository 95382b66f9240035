"""The options of ``%%tapisjob`` and ``%tapisjobs``: one table for parsing, help and completion."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ..model.errors import InvalidInputError, did_you_mean
from ..model.placeholders import CLOSE, OPEN, pieces
from .case_cells import columns_of, fill_but, rows_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a magic."""

    flags: tuple[str, ...]
    help: str
    #: What stands after it; "" for a switch.
    value: str = ""
    #: The request's field that it sets, or "".
    field: str = ""
    whole_number: bool = False
    repeats: bool = False

    @property
    def name(self) -> str:
        """The attribute under which the parsed value is found."""
        return self.flags[-1].lstrip("-").replace("-", "_")


_HELP = Option(flags=("-h", "--help"), help="show this help")

JOB_OPTIONS = (
    Option(flags=("--name",), value="NAME", field="name", help="the job's name; else APP-1, APP-2, …"),
    Option(flags=("--system",), value="SYSTEM", field="execSystemId", help="where it runs"),
    Option(
        flags=("--queue",), value="QUEUE", field="execSystemLogicalQueue", help="the system's logical queue"
    ),
    Option(flags=("--nodes",), value="N", field="nodeCount", whole_number=True, help="number of nodes"),
    Option(flags=("--cores",), value="N", field="coresPerNode", whole_number=True, help="cores on each node"),
    Option(
        flags=("--memory",),
        value="MB",
        field="memoryMB",
        whole_number=True,
        help="memory on each node, in MB",
    ),
    Option(
        flags=("--minutes",), value="M", field="maxMinutes", whole_number=True, help="time limit, in minutes"
    ),
    Option(flags=("--arg",), value="WORD", repeats=True, help="one argument of the program, one word"),
    Option(
        flags=("--input",),
        value="PATH[:TARGET]",
        repeats=True,
        help="a file beside the notebook, or an address (tapis://, https://), for the job's input directory",
    ),
    Option(flags=("--env",), value="K=V", repeats=True, help="an environment variable of the program"),
    Option(
        flags=("--set",),
        value="FIELD=VALUE",
        repeats=True,
        help="any other field of a Tapis request; dots go deeper: parameterSet.logConfig.stdoutFilename=a",
    ),
    Option(flags=("--script",), value="FILE", help="make the cell this file in the job's input directory"),
    Option(flags=("--wait",), help="wait until the job has ended"),
    Option(flags=("--follow",), help="print what the job prints until it has ended"),
    Option(flags=("-o",), value="VAR", help="keep the Job in this variable"),
    Option(
        flags=("--out",),
        value="PATH=VAR",
        repeats=True,
        help="wait, then read this output into a variable: a .csv as data frame, else as text",
    ),
    Option(
        flags=("--cases",),
        value="FRAME",
        help="make a study: a job for each row of this frame, grid, list or CSV file, whose columns "
        "{{ column }} takes; --name is the study's, -o keeps the Study, --out collects into a frame",
    ),
    Option(flags=("--dry-run",), help="show the request and the script; submit nothing"),
    Option(flags=("--raw",), help="take the cell as it is: no {{ expression }}"),
    _HELP,
)
LIST_OPTIONS = (
    Option(flags=("--since",), value="AGE", help="accepted since: 7d, 12h, 30m, or a date"),
    Option(flags=("--until",), value="AGE", help="accepted before"),
    Option(flags=("--app",), value="APP", help="jobs of this app"),
    Option(flags=("--name",), value="NAME", help="jobs of this name; * stands for anything"),
    Option(flags=("--system",), value="SYSTEM", help="jobs on this system"),
    Option(flags=("--limit",), value="N", whole_number=True, help="only the newest N"),
    Option(flags=("--debug",), help="show the last error in full instead"),
    _HELP,
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
