"""``jupyter tapisjobs token``: tokens for scripts and other users."""

from __future__ import annotations

from .cli_parts import Command, Options, Parser, show, tapis_of, whole_number, with_server


def _token(options: Options) -> int:
    """Make a token, or take one back; both need the sign-in of the server's own user."""
    connection = tapis_of(options).connection
    if options.revoke:
        told = connection.post("/v3/oauth2/tokens/revoke", {"token": options.revoke})
        return show(options, told, str(told["message"]))
    told = connection.post("/v3/tapisjobs/tokens", {"username": options.user, "days": options.days})
    return show(options, told, str(told["access_token"]["access_token"]))


def _token_arguments(sub: Parser) -> None:
    sub.add_argument(
        "--user", metavar="U", help="for another user, who then needs systems and credentials of their own"
    )
    sub.add_argument("--days", type=whole_number, default=365, help="how long it is good (default 365)")
    sub.add_argument("--revoke", metavar="TOKEN", help="take this token back instead")
    with_server(sub)


COMMANDS = (Command("token", "make a token for scripts and other clients", _token_arguments, _token),)
