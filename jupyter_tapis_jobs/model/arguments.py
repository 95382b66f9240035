"""Arguments: how their text is split into words, and what of it a host may still expand.

The rule. An argument is split into words as a POSIX shell splits them, by quotes, backslashes and
blanks. ``$NAME`` and ``${NAME}`` stay expandable on the host, outside quotes and inside double quotes.
Everything else is text: no command substitution, globbing, tilde, brace, comment or separator means
anything. Whatever a user puts in quotes reaches the program byte for byte, once the quotes are gone.

How this goes together with Tapis, which refuses ``& > < | ; ``` in application arguments and hands the
rest to a shell:

- Outside quotes such a character is refused: the writer meant a shell to act on it, and none will.
  ``echo a; rm b`` is an error that says to quote it.
- Inside quotes, or after a backslash, it is text. Tapis refuses it there too; we carry it.
- ``$(...)`` holds no character that Tapis refuses, and Tapis would run it. Here it is text wherever it
  stands, split at its blanks when it is not quoted; ``unexpanded`` tells of it, so that the job warns.
- A variable is expanded inside double quotes: its value stays in one word, whatever it holds, and
  names no files.
- Control characters, newlines among them, are refused everywhere, as in Tapis: such text travels
  in an input file.
- The value of a macro is data: ``insert`` quotes it for the place where it stands, so that a job name
  with a quote or a semicolon neither ends a word nor is refused.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from .errors import InvalidInputError
from .texts import DANGEROUS, refuse_control, refuse_dangerous, shown

_FIELD = "parameterSet.appArgs"
_WAY_OUT = "Put such text into an input file."

#: Words that need no thought at all.
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./\-]+(?: +[A-Za-z0-9_@%+=:,./\-]+)*", re.ASCII)
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})", re.ASCII)
#: What a backslash takes the meaning of inside double quotes (POSIX, 2.2.3).
_ESCAPED_IN_DOUBLE = '$`"\\'


@dataclass(frozen=True, slots=True)
class Text:
    """Characters that reach the program as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable of the host, expanded there."""

    name: str


Piece = Text | Variable
Word = tuple[Piece, ...]


@lru_cache(maxsize=4096)
def shell_words(text: str, field: str = _FIELD) -> str:
    """Return *text* for a POSIX shell: the same words, everything quoted but ``$NAME`` and ``${NAME}``.

    Raises ``InvalidInputError`` (naming *field*) for what ``split`` refuses.
    """
    if _PLAIN.fullmatch(text):
        return text
    return " ".join(map(_quoted_word, split(text, field)))


def split(text: str, field: str = _FIELD) -> list[Word]:
    """Return the words of *text*.

    Raises ``InvalidInputError`` (naming *field*) for control characters, for quotes that are not
    closed, and for characters outside quotes that a shell would act on.
    """
    refuse_control(text, field, _WAY_OUT)
    return _Splitter(text, field).words()


def expanded(text: str, variables: Mapping[str, str]) -> list[str]:
    """Return the words of *text* as the program gets them on a host with these *variables*."""
    return [
        "".join(p.text if isinstance(p, Text) else variables.get(p.name, "") for p in word)
        for word in split(text)
    ]


def unexpanded(text: str) -> str | None:
    """Return what in *text* a shell would have run or computed and we do not, or None."""
    return next((mark for mark in ("$(", "${") if mark in _VARIABLE.sub("", _unquoted(text))), None)


def insert(text: str, value_of: Callable[[str], str | None]) -> str:
    """Return *text* with each ``${Name}`` replaced by what *value_of* has for it, quoted for its place.

    A name without a value stays as it stands; so does what a backslash protects.
    """
    if "${" not in text:
        return text
    return "".join(_inserted(text, value_of))


def quoter_after(text: str) -> Callable[[str], str]:
    """Return how a value must be quoted that follows *text* in an argument, so that it stays data.

    Outside quotes it is one word, or part of one, whatever it holds; an empty one leaves nothing behind.
    """
    *_, (_, quote) = _places(text + "${x}")
    return _FOR_PLACE.get(quote, _FOR_PLACE[""])


def option_parts(option: str) -> tuple[str, str]:
    """Return name and value of an option written ``--opt``, ``--opt value`` or ``--opt=value``."""
    found = re.match(r"[^\s=]+", option.strip())
    name = found[0] if found else ""
    return name, option.strip()[len(name) :].lstrip(" =")


def refuse_bad_option(option: str, field: str) -> None:
    """Raise ``InvalidInputError`` unless *option* is one option of a command."""
    refuse_control(option, field)
    name, _ = option_parts(option)
    refuse_dangerous(name, field)
    if not name.startswith("-"):
        raise InvalidInputError(
            f"{field} {shown(option)} is not an option. Write one option an entry: "
            "'-o value', '--option value' or '--option=value'.",
            field=field,
            value=option,
        )


def _quoted_word(word: Word) -> str:
    return "".join(_quoted(piece) for piece in word) or "''"


def _quoted(piece: Piece) -> str:
    return f'"${{{piece.name}}}"' if isinstance(piece, Variable) else shlex.quote(piece.text)


@dataclass(slots=True)
class _Splitter:
    """Reads a text once, from left to right; each quote has its own reader."""

    text: str
    field: str
    at: int = 0
    #: None between words.
    word: list[Piece] | None = None
    letters: list[str] = dataclasses.field(default_factory=list)
    done: list[Word] = dataclasses.field(default_factory=list)

    def words(self) -> list[Word]:
        while self.at < len(self.text):
            letter = self.text[self.at]
            self._READERS.get(letter, _Splitter._bare)(self)
        self._end_word()
        return self.done

    def _blank(self) -> None:
        self._end_word()
        self.at += 1

    def _single(self) -> None:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise self._unclosed("'")
        self._add(self.text[self.at + 1 : end])
        self.at = end + 1

    def _double(self) -> None:
        self._add("")
        self.at += 1
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter == '"':
                self.at += 1
                return
            if letter == "\\" and self.text[self.at + 1 : self.at + 2] in (*_ESCAPED_IN_DOUBLE,):
                self._add(self.text[self.at + 1])
                self.at += 2
            elif letter == "$":
                self._dollar()
            else:
                self._add(letter)
                self.at += 1
        raise self._unclosed('"')

    def _backslash(self) -> None:
        if self.at + 1 == len(self.text):
            raise InvalidInputError(
                f"{self.field} {shown(self.text)} ends with a backslash. "
                "Write \\\\ for the character itself.",
                field=self.field,
                value=self.text,
            )
        self._add(self.text[self.at + 1])
        self.at += 2

    def _dollar(self) -> None:
        found = _VARIABLE.match(self.text, self.at)
        if found is None:
            self._add("$")
            self.at += 1
            return
        self._end_text()
        self._open().append(Variable(found[1] or found[2]))
        self.at = found.end()

    def _bare(self) -> None:
        letter = self.text[self.at]
        if DANGEROUS.match(letter):
            raise InvalidInputError(
                f"{self.field} {shown(self.text)} holds {letter!r} outside quotes, and no shell acts on it. "
                f"Quote it to pass it as text, for example {shlex.quote(self.text)}.",
                field=self.field,
                value=self.text,
            )
        self._add(letter)
        self.at += 1

    def _add(self, text: str) -> None:
        self._open()
        self.letters.append(text)

    def _open(self) -> list[Piece]:
        if self.word is None:
            self.word = []
        return self.word

    def _end_text(self) -> None:
        if text := "".join(self.letters):
            self._open().append(Text(text))
        self.letters.clear()

    def _end_word(self) -> None:
        self._end_text()
        if self.word is not None:
            self.done.append(tuple(self.word))
        self.word = None

    def _unclosed(self, quote: str) -> InvalidInputError:
        return InvalidInputError(
            f"{self.field} {shown(self.text)} opens a quote {quote} and does not close it. "
            f"Close it, or write \\{quote} for the character itself.",
            field=self.field,
            value=self.text,
        )

    _READERS: ClassVar[dict[str, Callable[[_Splitter], None]]] = {
        " ": _blank,
        "'": _single,
        '"': _double,
        "\\": _backslash,
        "$": _dollar,
    }


def _places(text: str) -> Iterator[tuple[str, str]]:
    """Yield the tokens of *text* with the quote they stand in, or '' ; ``\\`` for an escaped one."""
    quote, at = "", 0
    while at < len(text):
        letter = text[at]
        macro = _MACRO.match(text, at)
        if macro:
            yield macro[0], quote
            at = macro.end()
        elif letter == "\\" and quote != "'":
            yield text[at : at + 2], "\\"
            at += 2
        else:
            if letter == quote:
                quote = ""
            elif letter in "'\"" and not quote:
                quote = letter
            yield letter, quote
            at += 1


_MACRO = re.compile(r"\$\{([^{}$]*)\}")


def _inserted(text: str, value_of: Callable[[str], str | None]) -> Iterator[str]:
    for token, quote in _places(text):
        macro = _MACRO.fullmatch(token)
        value = value_of(macro[1]) if macro else None
        yield token if value is None else _FOR_PLACE[quote](value)


def _for_single(value: str) -> str:
    return value.replace("'", "'\\''")


def _for_double(value: str) -> str:
    return re.sub(r'[$`"\\]', r"\\\g<0>", value)


_FOR_PLACE: dict[str, Callable[[str], str]] = {
    # An empty value leaves nothing behind, as in Tapis.
    "": lambda value: shlex.quote(value) if value else "",
    "'": _for_single,
    '"': _for_double,
}


def _unquoted(text: str) -> str:
    """Return what of *text* a shell would look at: not what is in single quotes or escaped."""
    return "".join(token for token, quote in _places(text) if quote in ("", '"'))
