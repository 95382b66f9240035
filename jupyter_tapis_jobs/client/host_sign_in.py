"""Adds a host, asking for what it wants to know: trust in its key, a password, a passphrase, a code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..model.errors import (
    CodeNeededError,
    ConflictError,
    HostKeyError,
    HostSignInError,
    InvalidInputError,
    TapisJobsError,
    did_you_mean,
)
from .person import Person

#: Wrong answers to one question; a site that sees many more may shut the door.
_TRIES = 3
Say = Callable[[str], None]


def private_key(key: str | Path) -> str:
    """Return the text of a private key, given as text or as a path to its file on this machine."""
    if isinstance(key, str) and "-----BEGIN" in key:
        return key
    path = Path(key).expanduser()
    if path.suffix == ".pub":
        raise InvalidInputError(
            f"{key} is the public half of the key. The private one is wanted: key='{str(key)[:-4]}'.",
            field="key",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        text = ""
    except OSError as cause:
        raise InvalidInputError(_unreadable(path, cause), field="key", value=str(key)) from None
    if "-----BEGIN" not in text or "PRIVATE KEY" not in text:
        raise InvalidInputError(
            f"{key} is not a private key in OpenSSH's or PEM form. `ssh-keygen -f FILE` makes one.",
            field="key",
            value=str(key),
        )
    return text


def _unreadable(path: Path, cause: OSError) -> str:
    if path.exists():
        return f"The key {path} cannot be read: {cause.strerror}."
    there = sorted(found.name for found in path.parent.glob("id_*") if found.suffix != ".pub")
    keys = f" Keys in {path.parent}: {', '.join(there)}." if there else ""
    return f"There is no key file {path}.{did_you_mean(path.name, there)}{keys}"


class Stopped(KeyboardInterrupt):
    """Ctrl-C at a question: the rest of the cell does not run, and nothing was stored."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Conversation:
    """Sends one request again and again, each time with the answer to what the host asked last.

    ``settles`` are the refusals that the person is asked about; ``trusting`` says yes to a new key.
    """

    def __init__(
        self,
        name: str,
        post: Callable[[dict[str, Any]], Any],
        person: Person,
        say: Say,
        *,
        trusting: bool = False,
        settles: tuple[type[TapisJobsError], ...] = (HostKeyError, HostSignInError),
    ) -> None:
        self._name = name
        self._post = post
        self._person = person
        self._say = say
        self._trusting = trusting
        self._settles = settles
        self._asked: dict[str, int] = {}

    def held(self, body: dict[str, Any]) -> Any:
        """Return the server's answer; raises its refusal when there is no more to ask.

        *body* is emptied at the end, so that no secret stays behind.
        """
        try:
            while True:
                answer = self._sent(body)
                if not isinstance(answer, TapisJobsError):
                    return answer
                self._take_up(answer, body)
        except KeyboardInterrupt:
            raise Stopped(f"Stopped; {self._name} is as it was before.") from None
        finally:
            body.clear()

    def _sent(self, body: dict[str, Any]) -> Any:
        try:
            return self._post(body)
        except TapisJobsError as cause:
            refused = cause
        # The sent request, secrets and all, hangs on the error's story, which a notebook keeps.
        refused.__cause__ = refused.__context__ = None
        return refused.with_traceback(None)

    def _take_up(self, refused: TapisJobsError, body: dict[str, Any]) -> None:
        """Put the person's answer to *refused* into *body*, or raise it."""
        if isinstance(refused, ConflictError):
            way_out = self._person.instead("replace", "True")
            raise _with(refused, f"There is a system {self._name} already. To change it: {way_out}.")
        if not isinstance(refused, self._settles):
            raise refused
        match refused:
            case HostKeyError():
                body["trust"] = self._trust(refused, given=body.get("trust"))
            case CodeNeededError():
                prompt = " ".join(refused.prompts).strip() or "one-time code:"
                body["code"] = self._secret("code", prompt, refused, body)
            case HostSignInError(needs="password" | "passphrase" as needed):
                what = "passphrase of the key" if needed == "passphrase" else "password"
                body[needed] = self._secret(needed, f"{what}:", refused, body)
                # It was good for one try only.
                body.pop("code", None)
            case _:
                raise refused

    def _trust(self, refused: HostKeyError, given: Any) -> str:
        """Return the fingerprint that the person confirms. A changed key is never a question."""
        if refused.known or given:
            raise refused
        shown = f"{self._name}: key {refused.fingerprint} (new)."
        if self._trusting:
            self._say(f"{shown} Trusted, as asked.")
            return refused.fingerprint
        agreed = self._person.agrees(f"{shown} Trust it?")
        if agreed is None:
            raise _with(
                refused,
                f"{self._name} shows the key {refused.fingerprint}, and nobody is here to confirm it. "
                "Compare it with what your site publishes and "
                f"{self._person.instead('trust', refused.fingerprint)}.",
            )
        if not agreed:
            raise _with(refused, f"{self._name} was not added: its key {refused.fingerprint} is not trusted.")
        return refused.fingerprint

    def _secret(self, word: str, question: str, refused: TapisJobsError, body: dict[str, Any]) -> str:
        """Ask for a secret; where one was given, the server's sentence comes before the question."""
        tries = self._asked[word] = self._asked.get(word, 0) + 1
        is_wrong = bool(body.get(word))
        if tries > _TRIES or (is_wrong and not self._person.is_there()):
            raise refused
        if is_wrong:
            self._say(refused.message)
        answer = self._person.secret(f"{self._name}: {question}")
        if answer is None and is_wrong:
            raise refused
        if answer is None:
            raise _with(
                refused,
                f"{refused.message.rstrip('.')}. Nobody is here to ask: {self._person.instead(word)}.",
            )
        return answer


def _with(refused: TapisJobsError, message: str) -> TapisJobsError:
    """Return the same error with another sentence."""
    refused.message = message
    refused.args = (message,)
    return refused
