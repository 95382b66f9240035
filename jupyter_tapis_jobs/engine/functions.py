"""What the engine is given to run functions of packages by: their names, and workers that call them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ..model.processing import Outcome, Processing


class Shift(Protocol):
    """A worker for one owner and one function, for as many jobs as are given to it, one after the other."""

    async def run(self, item: Processing) -> Outcome:
        """Call the function with a job; whatever goes wrong is the outcome's ``problem``."""
        ...


class Functions(Protocol):
    """The functions that packages offer."""

    @property
    def for_others(self) -> bool:
        """Whether they process also the jobs of others than the server's own user."""
        ...

    def offered(self) -> Collection[str]:
        """Return the names of the functions; it reads what is installed, so away from every loop."""
        ...

    def shift(self) -> AbstractAsyncContextManager[Shift]:
        """Return a worker, whose processes are all gone when the block is left."""
        ...
