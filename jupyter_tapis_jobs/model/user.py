"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """A signed-in user of one tenant."""

    name: str
    tenant: str
    #: True for the user that the Jupyter server belongs to; only they may use the system ``local``.
    is_server_user: bool
