"""A host as the server tells of it: what it asks for before it lets anybody in, and what is found there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
from fake_tapis import FakeTapis, error, result

FINGERPRINT = "SHA256:Zk3xJ0fHZk3xJ0fHZk3xJ0fHZk3xJ0fHZk3xJ0fHZk3"
OTHER = "SHA256:" + "0" * 43
REPORT = {
    "scheduler": "Slurm 23.11",
    "queues": [{"name": "development", "nodes": 40, "cores": 56, "memoryMB": 192_000, "minutes": 120}],
    "arrays": {"max": 1000},
    "workDir": "$SCRATCH/tapis",
    "fingerprint": FINGERPRINT,
    "lines": [
        "Slurm 23.11 · queues development (40 nodes, 2 h) · arrays up to 1000 · apptainer 1.3",
        "work directory $SCRATCH/tapis · ready",
    ],
    "warnings": ["no python3 on the login node"],
}
SYSTEM = {
    "id": "frontera",
    "host": "frontera.tacc.utexas.edu",
    "batchDefaultLogicalQueue": "normal",
    "batchLogicalQueues": [
        {"name": "development", "maxNodeCount": 40, "maxCoresPerNode": 56, "maxMemoryMB": 192_000,
         "maxMinutes": 120},
        {"name": "normal", "maxNodeCount": 512, "maxCoresPerNode": 2147483647, "maxMemoryMB": 2147483647,
         "maxMinutes": 2880},
    ],
    "notes": {"tapisjobs": {"slurm": "23.11", "maxArraySize": 1001, "arrays": True}},
}  # fmt: skip


@dataclass
class FakeHost:
    """Answers for one host of a ``FakeTapis``."""

    fake: FakeTapis
    #: The fingerprint that the server has pinned, "" for none.
    pinned: str = ""
    #: What it wants: field of the body -> the right value.
    wants: dict[str, str] = field(default_factory=dict)
    #: Whether there is a system of its name.
    taken: bool = False
    #: The bodies of all calls.
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fake.instead["/v3/tapisjobs/hosts"] = self._hosts
        self.fake.instead["/v3/tapisjobs/hosts/frontera/check"] = self._check

    def _hosts(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return result(
                [{"id": "frontera", "state": "trouble", "message": "It refuses connections.",
                  "nextTry": "2026-11-21T05:02:00.000000Z", "user": "train301"}]
            )  # fmt: skip
        body = json.loads(request.content)
        return self._refused(body) or self._added()

    def _added(self) -> httpx.Response:
        if self.taken:
            return error(409, "SYSTEMS_EXISTS System frontera already exists; change it with put or patch.")
        self.fake.systems["frontera"] = SYSTEM
        return result({"system": SYSTEM, "report": REPORT})

    def _check(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        return self._refused(body | {"trust": self.pinned}) or result(REPORT)

    def _refused(self, body: dict[str, Any]) -> httpx.Response | None:
        self.bodies.append(dict(body))
        if body.get("trust") != FINGERPRINT:
            told = {"fingerprint": FINGERPRINT, "keyType": "ssh-ed25519", "known": self.pinned or None}
            return _told(409, "JOBS_HOST_KEY The key of frontera is not the one that is known.", told)
        for word, value in self.wants.items():
            if body.get(word) != value:
                return _wanted(word)
        return None


def _wanted(word: str) -> httpx.Response:
    if word == "code":
        return _told(409, "JOBS_HOST_CODE frontera asks for a code.", {"prompts": ["TACC Token Code:"]})
    return _told(400, f"JOBS_HOST_SIGN_IN frontera does not take this {word}.", {"needs": word})


def _told(code: int, message: str, told: dict[str, Any]) -> httpx.Response:
    body = error(code, message).json() | {"result": told}
    return httpx.Response(code, json=body)


@dataclass
class Answers:
    """A person who gives prepared answers, and remembers the questions; None: nobody is there."""

    answers: list[Any] | None = None
    questions: list[str] = field(default_factory=list)

    def _next(self, question: str) -> Any:
        self.questions.append(question)
        return None if self.answers is None else self.answers.pop(0)

    agrees = secret = _next

    def is_there(self) -> bool:
        return self.answers is not None

    def instead(self, word: str, value: str = "") -> str:
        return f"pass {word}='{value}'"
