"""Calls of running applications back to this server: look at my job now, and this is how far I am.

They come at any rate and cost no more than a round a second for each lane: what is told meanwhile waits for
the next one, the newest word of a job wins. The jobs' schedulers are not asked for it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from ..model.errors import NotAllowedError, StoreError, TransportError
from ..model.job import EnvVariable, Job
from ..model.progress import Progress
from ..secrets.callback_tokens import CallbackTokens
from ..store.lease import LeaseLostError
from .conveyor import Conveyor, is_on_host
from .lane import Lane, LaneKey, by_lane
from .ports import Ports
from .told_progress import ToldProgress

log = logging.getLogger(__name__)

#: Seconds between two rounds of a lane, at least; a round that takes long is followed by a longer pause.
PAUSE = 1.0
#: The variables that tell a job where to call, and by which token.
URL, TOKEN = "TAPISJOBS_CALLBACK_URL", "TAPISJOBS_CALLBACK_TOKEN"

_REFUSED = (
    "This token is not that of this job. Send the job's own TAPISJOBS_CALLBACK_TOKEN "
    "as the header X-Tapis-Callback-Token to its TAPISJOBS_CALLBACK_URL."
)


class Callbacks:
    """Takes callbacks, and gives jobs what they need for them. Lives on the engine's loop only.

    *url* is the address of this server's API as hosts reach it; '' where they do not.
    """

    def __init__(
        self,
        ports: Ports,
        conveyor: Conveyor,
        progress: ToldProgress,
        *,
        tokens: CallbackTokens,
        url: str,
        lane: Callable[[LaneKey], Lane],
        look: Callable[[Lane, Sequence[str]], Awaitable[None]],
    ) -> None:
        self._ports = ports
        self._conveyor = conveyor
        self._progress = progress
        self._tokens = tokens
        self._url = url.rstrip("/")
        self._lane = lane
        self._look = look
        #: What was told since the last round; None asks for a look only.
        self._told: dict[str, Progress | None] = {}
        self._is_busy = False

    def variables(self, job: Job) -> tuple[EnvVariable, ...]:
        """Return the variables that a job calls back by; none where no host reaches this server."""
        if not self._url:
            return ()
        url = f"{self._url}/v3/jobs/{job.uuid}/callback"
        return (EnvVariable(key=URL, value=url), EnvVariable(key=TOKEN, value=self._tokens.of(job.uuid)))

    def refuse_foreign(self, uuid: str, token: str) -> None:
        """Raise ``NotAllowedError`` unless the token is the job's: the same where there is no such job."""
        if not self._tokens.is_of(uuid, token):
            raise NotAllowedError(_REFUSED)

    async def take(self, uuid: str, told: Progress | None) -> bool:
        """Take a callback of a job; False when it has ended, and then nothing of it is kept."""
        if uuid not in self._conveyor.jobs:
            return False
        self._told[uuid] = told or self._told.get(uuid)
        if not self._is_busy:
            self._is_busy = True
            self._ports.spawn(self._work(), "callbacks")
        return True

    async def _work(self) -> None:
        """Make rounds as long as there are callbacks."""
        try:
            while self._told:
                told, self._told = self._told, {}
                begun = self._ports.clock.ticks()
                await self._round(told)
                await self._ports.clock.sleep(max(PAUSE, 4 * (self._ports.clock.ticks() - begun)))
        finally:
            self._is_busy = False

    async def _round(self, told: dict[str, Progress | None]) -> None:
        """Keep what was told, and look at the jobs; trouble of one lane is none of another's."""
        jobs = [self._conveyor.jobs[uuid] for uuid in told if uuid in self._conveyor.jobs]
        # Kept before the look, which may find that the job has ended.
        await self._keep(told)
        for lane, members in by_lane(jobs, self._lane):
            here = [job for job in members if is_on_host(job)]
            try:
                await self._progress.look_at_some(lane, [job for job in here if not told[job.uuid]])
                await self._look(lane, [job.uuid for job in here])
            except (TransportError, OSError, StoreError, LeaseLostError) as trouble:
                log.warning("jobs of %s that called back cannot be looked at: %s", lane.key[0], trouble)

    async def _keep(self, told: dict[str, Progress | None]) -> None:
        """Keep what was told; what the store does not take waits for the next round."""
        words = {uuid: progress for uuid, progress in told.items() if progress}
        try:
            await self._progress.keep(words)
        except StoreError as trouble:
            log.warning("progress of %d jobs could not be stored: %s", len(words), trouble)
            self._told = {**words, **self._told}
