"""A user's own batch script: its ``#SBATCH`` lines, read as sbatch reads them.

A line counts when it begins with ``#SBATCH``, until the first line that is neither a comment nor blank.
Words end at blanks; single and double quotes keep blanks; a backslash takes the meaning of the next
character; ``#`` begins a comment (measured with Slurm 22.05).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .errors import InvalidInputError, did_you_mean
from .scheduler_options import Value, abbreviated_option, known_option, long_names, refusal
from .texts import CONTROL, shown
from .urls import data_bytes, is_data

#: The app that runs such scripts, and its input that holds one.
SCRIPT_APP, SCRIPT_INPUT = "slurm", "script"
FIELD = f"fileInputs.{SCRIPT_INPUT}"
#: Characters of a job's name.
LONGEST_NAME = 64
_MARK = "#SBATCH"
_BLANKS = " \t\v\f\r"
#: Lines of other schedulers, which sbatch would read as well.
_FOREIGN = ("#PBS", "#BSUB")
_HETEROGENEOUS = ("hetjob", "packjob")
#: Option -> why a script may not have it, where another sentence helps more than the general one.
_REFUSED = {
    "--array": (
        "asks for many tasks, and a job here is one. Take the line out and submit a study, or many jobs "
        "at once with launchMode=array; what differs comes as argument or variable."
    ),
    "--chdir": "moves the job out of its own directory. Take it out, and use cd in the script.",
    "--input": "is not supported. Take it out, and redirect the input in the script.",
}


@dataclass(frozen=True, slots=True)
class Directive:
    """One option of a script."""

    #: The long form: ``--nodes``.
    name: str
    value: str
    #: The number of its line, from 1.
    line: int

    def wrong(self, why: str) -> InvalidInputError:
        """Return the error that names the line."""
        said = f"{self.name}={self.value}" if self.value else self.name
        return _wrong(self.line, f"{said} {why}")


@dataclass(frozen=True, slots=True)
class BatchScript:
    """What a script says to its scheduler; the last of several directives of a name counts."""

    directives: dict[str, Directive]
    warnings: tuple[str, ...] = ()

    def value(self, name: str) -> str | None:
        """Return the value of the option *name*, None where it is not said."""
        return self.directives[name].value if name in self.directives else None


@lru_cache(maxsize=16)
def read_batch_script(content: bytes) -> BatchScript:
    """Read a script; raises ``InvalidInputError``, naming the line, for what cannot be understood."""
    text = content.decode("utf-8", "surrogateescape")
    if not text.startswith("#!"):
        raise _wrong(1, "a batch script begins with #! and its interpreter, for example #!/bin/bash.")
    if "\r\n" in text:
        raise _wrong(1, "the script has Windows line ends (CR LF), which no shell takes. Save it with LF.")
    if "\0" in text:
        raise _wrong(1, "the script holds a null character; it is not text.")
    lines = text.split("\n")
    end = next((n for n, line in enumerate(lines) if line.strip() and line.lstrip()[0] != "#"), len(lines))
    head = [(number, line) for number, line in enumerate(lines[:end], 1)]
    found = [d for number, line in head if line.startswith(_MARK) for d in _directives(number, line)]
    return BatchScript({directive.name: directive for directive in found}, tuple(_warnings(head, lines, end)))


def job_name_of(request: Mapping[str, Any]) -> str | None:
    """Return the name that the inline script of a request says; None also where it cannot be read."""
    inputs = request.get("fileInputs")
    items = inputs if request.get("appId") == SCRIPT_APP and isinstance(inputs, list) else []
    urls = [i.get("sourceUrl") for i in items if isinstance(i, Mapping) and i.get("name") == SCRIPT_INPUT]
    if not urls or not isinstance(urls[0], str) or not is_data(urls[0]):
        return None
    try:
        name = read_batch_script(data_bytes(urls[0])).value("--job-name")
    except InvalidInputError:
        # What is wrong with it is said, with its line, when the job is submitted.
        return None
    return (name or "")[:LONGEST_NAME].strip() or None


def _warnings(head: Iterable[tuple[int, str]], lines: list[str], end: int) -> Iterator[str]:
    for number, line in head:
        if line.startswith(_FOREIGN):
            yield f"line {number} of the script is not read: {line.split()[0]} lines are another scheduler's."
    for number, line in enumerate(lines[end:], end + 1):
        if line.startswith(_MARK):
            yield f"line {number} of the script is not read: {_MARK} lines end at the first command."


def _directives(number: int, line: str) -> Iterator[Directive]:
    """Yield the options of one line, as getopt_long(3) finds them."""
    words = iter(_words(number, line.removeprefix(_MARK)))
    for word in words:
        if word in _HETEROGENEOUS:
            raise _wrong(number, f"{word}: a job of several kinds of nodes is not supported.")
        if word.startswith("--") and len(word) > 2:
            yield _long(number, word, words)
        elif word.startswith("-") and len(word) > 1:
            yield from _letters(number, word, words)
        else:
            raise _wrong(number, f"{shown(word)} is not an option. Quote a value that holds blanks.")


def _long(number: int, word: str, words: Iterator[str]) -> Directive:
    name, is_given, value = word.partition("=")
    option = known_option(name) or abbreviated_option(name)
    if option is None:
        raise _wrong(number, f"{name} is no option of sbatch.{did_you_mean(name, long_names())}")
    if option.value is Value.NONE and is_given:
        raise _wrong(number, f"{name} takes no value.")
    if option.value is Value.NEEDED and not is_given:
        value = _next(number, name, words)
    return _allowed(number, option.name, value)


def _letters(number: int, word: str, words: Iterator[str]) -> Iterator[Directive]:
    """Read ``-N2``, ``-N 2`` and ``-HN2``."""
    at = 1
    while at < len(word):
        letter = f"-{word[at]}"
        option, at = known_option(letter), at + 1
        if option is None:
            raise _wrong(number, f"{letter} is no option of sbatch.")
        if option.value is Value.NONE:
            yield _allowed(number, option.name, "")
            continue
        value = word[at:]
        if not value and option.value is Value.NEEDED:
            value = _next(number, letter, words)
        yield _allowed(number, option.name, value)
        return


def _next(number: int, name: str, words: Iterator[str]) -> str:
    value = next(words, None)
    if value is None:
        raise _wrong(number, f"{name} needs a value.")
    return value


def _allowed(number: int, name: str, value: str) -> Directive:
    directive = Directive(name, value, number)
    if CONTROL.search(value):
        raise directive.wrong("holds a control character. Remove it.")
    if why := _REFUSED.get(name):
        raise directive.wrong(why)
    option = known_option(name)
    if option and name not in JOB_FIELDS and (why := refusal(option)):
        raise directive.wrong(why)
    return directive


#: Options that become fields of the job.
JOB_FIELDS = frozenset({"--nodes", "--ntasks", "--time", "--mem", "--partition"})


def _words(number: int, text: str) -> Iterator[str]:
    at = 0
    while True:
        while at < len(text) and text[at] in _BLANKS:
            at += 1
        letters, quote, is_word = [], "", False
        while at < len(text) and (quote or text[at] not in _BLANKS):
            letter, at = text[at], at + 1
            if letter == "\\":
                # A blank outside quotes ends the word all the same.
                if at < len(text) and (quote or text[at] not in _BLANKS):
                    letters.append(text[at])
                    at += 1
            elif quote and letter == quote:
                quote = ""
            elif not quote and letter in "\"'":
                quote, is_word = letter, True
            elif not quote and letter == "#":
                at = len(text)
                break
            else:
                letters.append(letter)
        if quote:
            raise _wrong(number, f"opens a quote {quote} and does not close it.")
        if letters or is_word:
            yield "".join(letters)
        if at >= len(text):
            return


def _wrong(number: int, why: str) -> InvalidInputError:
    return InvalidInputError(f"line {number} of the script: {why}", field=FIELD)
