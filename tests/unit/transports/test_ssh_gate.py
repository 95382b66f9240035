"""A host is not knocked at too often, and a wrong secret not a second time."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from jupyter_tapis_jobs.model.errors import CodeNeededError, HostSignInError, TransportError
from jupyter_tapis_jobs.transports.ssh_gate import AFTER_REFUSAL, PAUSES, Gate


@dataclass
class Host:
    """Answers attempts with what it is told; keeps the time."""

    error: Exception | None = None
    attempts: int = 0
    time: float = 1000.0
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        self.gate = Gate(self.connect, lambda: self.time)

    async def connect(self) -> str:
        self.attempts += 1
        if self.error is not None:
            raise self.error
        return "connection"

    async def fails(self) -> None:
        with pytest.raises(TransportError) as caught:
            await self.gate.connection()
        assert caught.value is self.error


async def test_a_host_that_is_away_is_tried_at_growing_pauses_and_the_error_is_told_meanwhile():
    host = Host(TransportError("away"))
    moments = []
    while len(moments) < len(PAUSES) + 2:
        attempts = host.attempts
        await host.fails()
        if host.attempts > attempts:
            moments.append(host.time)
        host.time = host.time + 0.25
    pauses = [after - before for before, after in pairwise(moments)]
    assert pauses == sorted(pauses)
    assert max(pauses) == PAUSES[-1]


async def test_a_host_that_is_back_is_reached_and_the_past_is_forgotten():
    host = Host(TransportError("away"))
    for _ in range(4):
        await host.fails()
        host.time = host.gate.next_try
    host.error = None
    assert await host.gate.connection() == "connection"
    assert (host.gate.trouble, host.gate.next_try) == (None, 0.0)


async def test_a_refused_sign_in_is_not_tried_again_by_itself_for_a_quarter_of_an_hour():
    host = Host(HostSignInError("no"))
    await host.fails()
    host.time += AFTER_REFUSAL - 1
    await host.fails()
    assert host.attempts == 1
    host.time += 1
    await host.fails()
    assert host.attempts == 2


async def test_a_code_that_is_needed_does_not_come_by_itself():
    host = Host(CodeNeededError("code?", prompts=("Code:",)))
    await host.fails()
    host.time += 1e9
    await host.fails()
    assert host.attempts == 1


async def test_somebody_may_ask_for_another_attempt_at_once():
    host = Host(HostSignInError("no"))
    await host.fails()
    host.error = None
    host.gate.retry_now()
    assert await host.gate.connection() == "connection"


async def test_a_sign_in_that_was_refused_beside_the_gate_is_not_tried_again_there_at_once():
    host = Host(HostSignInError("no"))
    host.gate.note(host.error)
    await host.fails()
    assert host.attempts == 0
    host.time += AFTER_REFUSAL
    await host.fails()
    assert host.attempts == 1
