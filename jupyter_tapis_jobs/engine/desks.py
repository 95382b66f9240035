"""The desks that deal with hosts and credentials, for an engine whose hosts are real."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property

from ..model.errors import UnavailableError
from .credentials import CredentialDesk
from .host_desk import HostDesk
from .host_now import HostNow
from .host_variables import HostVariables
from .hosts import RealHosts
from .ports import Ports
from .systems import SystemCatalog


class Desks:
    """Made when first needed: what they need (SSH, encryption) is slow to load."""

    def __init__(
        self,
        ports: Ports,
        systems: SystemCatalog,
        variables: HostVariables,
        on_ready: Callable[[str], Awaitable[None]],
    ) -> None:
        self._ports = ports
        self._systems = systems
        self._variables = variables
        #: Called with a system that somebody has just seen to answer.
        self.on_ready = on_ready

    @cached_property
    def credentials(self) -> CredentialDesk:
        """Users' credentials for systems."""
        return CredentialDesk(self._ports, self._systems, self.pool)

    @cached_property
    def hosts(self) -> HostDesk:
        """Hosts added, listed and looked at."""
        return HostDesk(self._ports, self._systems, self.pool, self.credentials, self.on_ready)

    @cached_property
    def now(self) -> HostNow:
        """What hosts tell at this moment."""
        return HostNow(self._ports, self._systems, self.pool, self._variables)

    @property
    def pool(self) -> RealHosts:
        """The connections of the engine."""
        pool = self._ports.hosts
        if not isinstance(pool, RealHosts):
            raise UnavailableError("This engine reaches no hosts but the ones it was given.")
        return pool
