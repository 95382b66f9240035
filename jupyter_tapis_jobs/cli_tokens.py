"""``jupyter tapisjobs token``: tokens for scripts and other users, made, listed and taken back."""

from __future__ import annotations

from .cli_parts import Command, Options, Parser, show, table, tapis_of, whole_number, with_server
from .client.connection import Connection, segment
from .model.errors import InvalidInputError

_MAKE, _LIST, _REVOKE = "make", "list", "revoke"
_COLUMNS = ("id", "username", "created", "expires", "revoked")


def _token(options: Options) -> int:
    """Make a token, list those that are good, or take one back."""
    connection = tapis_of(options).connection
    named = options.revoke or options.which
    if options.revoke or options.what == _REVOKE:
        return _revoke(connection, options, named)
    if options.which:
        raise InvalidInputError(
            f"'{options.which}' is one word too many; a name is given as --user {options.which}.", field="ID"
        )
    return _list(connection, options) if options.what == _LIST else _make(connection, options)


def _make(connection: Connection, options: Options) -> int:
    told = connection.post("/v3/tapisjobs/tokens", {"username": options.user, "days": options.days})
    return show(options, told, str(told["access_token"]["access_token"]))


def _list(connection: Connection, options: Options) -> int:
    rows = connection.get("/v3/tapisjobs/tokens", username=options.user) or []
    shown = table({name: str(row.get(name) or "")[:32] for name in _COLUMNS} for row in rows)
    return show(options, rows, shown if rows else "No tokens yet.")


def _revoke(connection: Connection, options: Options, token: str | None) -> int:
    """Take back a token by its text or by its id; a text has points in it, an id has none."""
    if not token:
        raise InvalidInputError(
            "Which token? `jupyter tapisjobs token list` shows the ids; token revoke ID takes one back.",
            field="ID",
        )
    if "." in token:
        told = connection.post("/v3/oauth2/tokens/revoke", {"token": token})
    else:
        told = connection.call("DELETE", f"/v3/tapisjobs/tokens/{segment(token)}").result
    return show(options, told, str(told["message"]))


def _arguments(sub: Parser) -> None:
    sub.add_argument(
        "what", nargs="?", choices=(_MAKE, _LIST, _REVOKE), default=_MAKE, help="default: make one"
    )
    sub.add_argument("which", nargs="?", metavar="ID", help="with revoke: the token's id, or the token")
    sub.add_argument(
        "--user", metavar="U", help="for another user, who then needs systems and credentials of their own"
    )
    sub.add_argument("--days", type=whole_number, default=365, help="how long it is good (default 365)")
    sub.add_argument("--revoke", metavar="TOKEN", help="take this token back instead")
    with_server(sub)


COMMANDS = (
    Command("token", "make a token for scripts and other users, list or revoke them", _arguments, _token),
)
