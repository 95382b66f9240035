"""Requests for the app ``slurm``: the batch script is fetched and read, and the job says what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.batch_request import ScriptedRequest, with_batch_script
from ..model.batch_script import FIELD, SCRIPT_APP, SCRIPT_INPUT, job_name_of, read_batch_script
from ..model.errors import InvalidInputError, TooLargeError
from ..model.fields import JobType
from ..model.request import SubmitRequest
from ..model.system import System
from ..model.texts import shown
from ..model.urls import data_bytes, is_data
from ..model.user import User
from .ports import Ports
from .sources import Sources, effective_user

#: Bytes of a batch script; sbatch takes 4 MiB unless its site says otherwise.
LONGEST = 4 * 1024 * 1024
_FORK = "the #SBATCH lines of the script are not read: a FORK job does not go through a scheduler."


class BatchScripts:
    """Reads the script of a batch request, wherever it lies."""

    def __init__(self, ports: Ports, sources: Sources) -> None:
        self._ports = ports
        self._sources = sources

    async def read(
        self, user: User, raw: Mapping[str, Any], request: SubmitRequest, system: System
    ) -> ScriptedRequest | None:
        """Return the request with what its script says; None where there is none to read.

        Raises ``InvalidInputError`` for a script that is not there or cannot be understood.
        """
        if request.app_id != SCRIPT_APP or not system.can_run_batch:
            return None
        if request.job_type is JobType.FORK:
            return ScriptedRequest(raw=dict(raw), warnings=(_FORK,))
        url = next((i.source_url for i in request.file_inputs or () if i.name == SCRIPT_INPUT), None)
        if not url:
            return None
        content = data_bytes(url) if is_data(url) else await self._fetched(url, user, system)
        if len(content) > LONGEST:
            raise _too_large(url)
        return with_batch_script(raw, request, read_batch_script(content), system)

    async def _fetched(self, url: str, user: User, system: System) -> bytes:
        if not url.startswith("tapis://"):
            raise InvalidInputError(
                f"the #SBATCH lines of {shown(url)} cannot be read. "
                "Send the script with the request, or name a file on a system: tapis://system/path.",
                field=FIELD,
                value=url,
            )
        lane = (system.id, effective_user(system, user.name))
        host = await self._ports.hosts.transport(*lane)
        wish = (url, user.name, "")
        found = (await self._sources.find_all([wish], lane, host))[wish]
        if isinstance(found, Exception):
            raise found
        if found is None or found.is_directory:
            raise InvalidInputError(
                f"the batch script {url} does not exist. Correct the path, or upload it first.",
                field=FIELD,
                value=url,
            )
        if (found.size or 0) > LONGEST:
            raise _too_large(url)
        return await found.read()


def named(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a batch request with a name: where it has none, its script's --job-name, else the app's."""
    if not isinstance(raw, Mapping) or raw.get("appId") != SCRIPT_APP or raw.get("name"):
        return raw
    return {**raw, "name": job_name_of(raw) or SCRIPT_APP}


def _too_large(url: str) -> TooLargeError:
    return TooLargeError(f"the batch script {shown(url)} has more than {LONGEST:,} bytes.")
