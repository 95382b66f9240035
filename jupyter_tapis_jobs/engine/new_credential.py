"""A credential that was given, and what is stored of it once it has worked."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from ..model.errors import InvalidInputError
from ..model.names import wire_name
from ..model.new_host import NewCredential
from ..model.system import System
from ..secrets.credentials import Secrets
from ..store import credentials, host_keys
from ..store.credentials import CredentialRow
from ..store.host_keys import HostKeyRow
from .hosts import Door, is_dynamic

#: What Tapis takes besides, for systems that are no hosts.
_NOT_TAKEN = (
    "access_key", "access_secret", "access_token", "refresh_token", "certificate", "tms_private_key",
    "tms_public_key",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tried:
    """A credential that let its user in, and how: what is stored, and the connection it made."""

    credential: CredentialRow
    #: The host's key; None when nothing was tried.
    key: HostKeyRow | None
    door: Door | None

    def keep(self, conn: Connection) -> None:
        """Store it, in the caller's transaction."""
        credentials.put(conn, self.credential)
        if self.key is None:
            return
        known = {row.public for row in host_keys.of(conn, self.key.system_id, self.key.address)}
        if self.key.how == "pinned" or self.key.public not in known:
            host_keys.replace(conn, self.key)


def secrets_of(system: System, given: NewCredential, *, is_own: bool) -> Secrets:
    """Return the secrets of a credential in Tapis's words.

    *is_own*: the server's own user may leave them out: then the agent and ``~/.ssh`` are used. Raises
    ``InvalidInputError`` for what no host takes, and for nothing at all.
    """
    odd = next((name for name in _NOT_TAKEN if getattr(given, name)), None)
    if odd is not None:
        raise InvalidInputError(
            f"{wire_name(odd)} is not supported by this server: system {system.id} is signed in to over SSH. "
            "Give password, or privateKey.",
            field=wire_name(odd),
        )
    if not (given.password or given.private_key) and not is_own:
        raise InvalidInputError(
            f"The credential for system {system.id} is empty. Give password, or privateKey (and passphrase).",
            field="password",
        )
    return Secrets(
        password=given.password,
        private_key=given.private_key,
        public_key=given.public_key,
        passphrase=given.passphrase,
    )


def login_user_of(system: System, given: NewCredential) -> str | None:
    """Return the name on the host that a credential gives; a fixed effectiveUserId leaves no choice."""
    if given.login_user and not is_dynamic(system):
        raise InvalidInputError(
            f"loginUser cannot be given: on system {system.id} effectiveUserId {system.effective_user_id} "
            "is the name on the host.",
            field="loginUser",
            value=given.login_user,
        )
    return given.login_user
