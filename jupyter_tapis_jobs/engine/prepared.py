"""A transport whose scripts find what only a login shell finds: Slurm's commands, at some sites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..transports.base import Answer
from ..transports.ssh import SshTransport
from .host_facts import exports


class PreparedTransport(SshTransport):
    """Runs every script with some variables set before."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prelude = ""

    def prepare(self, environment: Mapping[str, str]) -> None:
        """Set these variables before every script from now on."""
        self._prelude = exports(environment)

    async def run(
        self,
        script: str,
        *,
        timeout: float = 60.0,  # noqa: ASYNC109 - the verb's own
        live: bool = False,
    ) -> Answer:
        """Run *script*, as ``SshTransport`` does, with the variables set."""
        return await super().run(self._prelude + script, timeout=timeout, live=live)
