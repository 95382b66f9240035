"""What requests want done with the outputs of their jobs, looked at before anything is accepted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..model.errors import NotAllowedError
from ..model.processing import Runs, process_wish, refuse_not_offered
from ..model.user import User
from .ports import Ports


class ProcessWishes:
    """The wishes of one call of a user; which functions there are is looked up once."""

    def __init__(self, ports: Ports, user: User) -> None:
        self._ports = ports
        self._user = user
        self._offered: Collection[str] | None = None

    async def check(self, notes: Mapping[str, Any]) -> None:
        """Raise what is wrong with the wish in *notes*: its words, a name that nobody offers, whose it is."""
        wish = process_wish(notes)
        if wish is None or wish.runs is Runs.KERNEL:
            return
        functions = self._ports.functions
        if self._offered is None:
            self._offered = () if functions is None else await self._ports.workers.read(functions.offered)
        refuse_not_offered(wish.name, self._offered)
        if functions is not None and not (functions.for_others or self._user.is_server_user):
            raise NotAllowedError(
                "Functions of packages run as the server's own user, for that user's jobs only. Use a "
                "function of the kernel (process=function); or the server's owner sets "
                "c.TapisJobsApp.process_for_others = True."
            )
