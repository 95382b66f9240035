"""Completion of the magics: options, apps, systems, queues, statuses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..model.errors import TapisJobsError
from ..model.status import JobStatus
from .options import MagicParser, job_parser, list_parser

if TYPE_CHECKING:
    from ..client.tapis import Tapis

#: Seconds for which names from the server are kept: completion asks at every key.
_KEPT = 20.0
#: Options whose values IPython itself completes: files and variables.
_FILE_OPTIONS = ("--input", "--script", "--cases")


class Completer:
    """Knows what can come next on the line of one of our magics."""

    def __init__(self, connected: Callable[[], Tapis], now: Callable[[], float] = time.monotonic) -> None:
        self._connected = connected
        self._now = now
        self._names: dict[tuple[str, ...], tuple[float, list[str]]] = {}

    def candidates(self, line: str) -> list[str] | None:
        """Return what the last word of *line* (up to the cursor) can become; None when it is not ours.

        Candidates replace the last word as IPython cuts it: after a blank, ``=`` or ``@``.
        """
        magic, _, rest = line.lstrip().partition(" ")
        parser = _PARSERS.get(magic)
        if parser is None or magic == line.lstrip():
            return None
        words = rest.split(" ")
        fragment = words[-1]
        before = [word for word in words[:-1] if word]
        found = self._next(parser(), before, fragment)
        return (
            None if found is None else sorted(name for name in found if name.startswith(_last_part(fragment)))
        )

    def _next(self, parser: MagicParser, before: list[str], fragment: str) -> Iterable[str] | None:
        flag, sign, _ = fragment.partition("=")
        asked = flag if sign else (before[-1] if before else "")
        option = parser.flags.get(asked)
        if option is not None and option.value:
            return None if asked in _FILE_OPTIONS else self._values(asked, before)
        if fragment.startswith("-"):
            used = {word.partition("=")[0] for word in before}
            return (name for name, known in parser.flags.items() if known.repeats or name not in used)
        if parser.prog == "%tapisjobs":
            return [str(status) for status in JobStatus]
        if _positional(parser, before) is None:
            app, sign, _ = fragment.partition("@")
            return self._ask("app", app) if sign else self._ask("apps")
        return parser.flags

    def _values(self, flag: str, before: list[str]) -> Iterable[str]:
        if flag == "--system":
            return self._ask("systems")
        if flag == "--app":
            return self._ask("apps")
        if flag == "--template":
            return self._ask("templates")
        if flag == "--queue":
            system = next((value for word, value in pairwise(before) if word == "--system"), "")
            return self._ask("queues", system) if system else []
        return []

    def _ask(self, *question: str) -> list[str]:
        """Names from the server, kept for a while; none when it does not answer."""
        kept = self._names.get(question)
        if kept is None or kept[0] < self._now():
            try:
                names = _QUESTIONS[question[0]](self._connected(), *question[1:])
            except TapisJobsError:
                names = []
            kept = (self._now() + _KEPT, names)
            self._names[question] = kept
        return kept[1]


def register(shell: Any) -> None:
    """Let *shell* complete our magics."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    from .magic import _connected

    ours = Completer(_connected)

    @context_matcher(identifier="jupyter_tapis_jobs", priority=200)  # type: ignore[untyped-decorator]
    def matcher(context: Any) -> Any:
        line = context.full_text.split("\n")[context.cursor_line][: context.cursor_position]
        found = ours.candidates(line)
        completions = [SimpleCompletion(text, type="magic") for text in found or []]
        return {
            "completions": completions,
            "suppress": found is not None,
            "matched_fragment": _last_part(_word(line)),
        }

    known = shell.Completer.custom_matchers
    known[:] = [other for other in known if getattr(other, "matcher_identifier", "") != "jupyter_tapis_jobs"]
    known.append(matcher)


def _positional(parser: MagicParser, before: list[str]) -> str | None:
    """Return the first word that is neither an option nor an option's value."""
    skip = False
    for word in before:
        option = parser.flags.get(word)
        if skip:
            skip = False
        elif option is not None:
            skip = bool(option.value)
        elif not word.startswith("-"):
            return word
    return None


def _word(line: str) -> str:
    return line.rsplit(" ", 1)[-1]


def _last_part(fragment: str) -> str:
    """What IPython takes for the word under the cursor: the part after ``=`` or ``@``."""
    return fragment.rsplit("=", 1)[-1].rsplit("@", 1)[-1]


_PARSERS: dict[str, Callable[[], MagicParser]] = {
    "%%tapisjob": job_parser,
    "%tapisjob": job_parser,
    "%tapisjobs": list_parser,
}


def _template_names(tapis: Tapis) -> list[str]:
    from ..client.templates import template_rows

    return [str(row["name"]) for row in template_rows(tapis)]


_QUESTIONS: dict[str, Callable[..., list[str]]] = {
    "apps": lambda tapis: sorted(tapis.app_names()),
    "app": lambda tapis, name: tapis.app_names().get(name, []),
    "templates": _template_names,
    "systems": lambda tapis: tapis.system_names(),
    "queues": lambda tapis, name: [
        str(queue.get("name")) for queue in tapis.system(name).get("batchLogicalQueues") or []
    ],
}
