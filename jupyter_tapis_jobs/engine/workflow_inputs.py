"""The request of a node once all before it is FINISHED: outputs of these in the place of their names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ..model.errors import ConflictError, InvalidInputError
from ..model.job import Job
from ..model.user import User
from ..model.workflow import group_and_row, job_name
from ..model.workflow_outputs import named_nodes, target_of, with_outputs
from ..model.workflow_progress import Progress
from ..store import jobs as job_rows
from ..store import workflows as rows
from .given_outputs import EMPTY, csv_text, given_output, table_address
from .outputs import output_place
from .ports import Ports

#: Inputs that one node may have from a fan-out.
MOST_INPUTS = 100_000
#: What the table of a fan-out says of each node behind its parameters.
_COLUMNS = ("node", "status", "exitCode", "jobUuid", "created", "remoteStarted", "ended")


@dataclass(frozen=True, slots=True)
class Asked:
    """Nodes that want jobs: their requests as given, and what is known of the nodes that these name."""

    requests: Mapping[int, Mapping[str, Any]]
    #: Position -> job, and where its outputs lie (system, directory).
    jobs: Mapping[int, Job]
    places: Mapping[int, tuple[str, str]]
    #: Position -> row of the table behind a node of a fan-out.
    parameters: Mapping[int, Mapping[str, Any]]


def read_asked(conn: Connection, number: int, progress: Progress, positions: Sequence[int]) -> Asked:
    """Return what is needed for the requests of nodes of the workflow *number*."""
    requests = {place: json.loads(text) for place, text in rows.requests(conn, number, positions).items()}
    named = {unit for request in requests.values() for unit in named_nodes(request)}
    before = sorted({place for unit in named for place in progress.units[unit]})
    uuids = {progress.standings[place].job_uuid or "": place for place in before}
    jobs = {uuids[uuid]: job for uuid, job in job_rows.get_many(conn, uuids).items()}
    definitions = job_rows.definitions(conn, [job.id for job in jobs.values()])
    told = rows.parameters(conn, number, before)
    return Asked(
        requests=requests,
        jobs=jobs,
        places={place: output_place(job, definitions[job.id]) for place, job in jobs.items()},
        parameters={place: json.loads(text) for place, text in told.items()},
    )


def checkable(flow: str, node: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request as it can be checked before any job of its workflow is there."""
    bare = with_outputs(
        request, lambda unit, path, item: [{**item, "sourceUrl": EMPTY, "targetPath": target_of(item, path)}]
    )
    return {**bare, "name": job_name(flow, node)}


class NodeRequests:
    """Makes the requests of nodes that get jobs together; a table that several take is made once."""

    def __init__(self, ports: Ports, owner: User, flow: str, progress: Progress, asked: Asked) -> None:
        self._ports = ports
        self._owner = owner
        self._flow = flow
        self._progress = progress
        self._asked = asked
        self._tables: dict[str, str] = {}

    async def of(self, position: int) -> dict[str, Any]:
        """Return the request of one node; ``ConflictError`` where a job before it was removed."""
        given = self._asked.requests[position]
        for unit in named_nodes(given):
            await self._prepare(unit)
        made = with_outputs(given, self._brought)
        made["name"] = job_name(self._flow, self._progress.nodes[position].name)
        return made

    async def _prepare(self, unit: str) -> None:
        """See that all of a node or group is still there, and make the table of a group."""
        places = self._progress.units[unit]
        gone = next((place for place in places if place not in self._asked.places), None)
        if gone is not None:
            raise ConflictError(
                f"The job of node {self._progress.nodes[gone].name} was removed, and its outputs with it. "
                "Run the workflow anew: flow.run(fresh=True)."
            )
        if self._is_group(unit) and unit not in self._tables:
            text = self._table(places)
            self._tables[unit] = await table_address(self._ports, self._owner, f"{unit}.csv", text)

    def _is_group(self, unit: str) -> bool:
        return self._progress.nodes[self._progress.units[unit][0]].name != unit

    def _brought(self, unit: str, path: str, item: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the inputs that stand for one that names an output."""
        places = self._progress.units[unit]
        if not self._is_group(unit):
            source = given_output(self._asked.places[places[0]], path, target_of(item, path))
            return [{**item, **source}]
        if len(places) > MOST_INPUTS:
            raise InvalidInputError(
                f"The fan-out {unit} has {len(places):,} nodes; {MOST_INPUTS:,} inputs are taken.",
                field="fileInputs",
            )
        table = {"sourceUrl": self._tables[unit], "targetPath": f"{unit}.csv"}
        return [table, *(self._of_row(unit, place, path) for place in places)]

    def _of_row(self, unit: str, place: int, path: str) -> dict[str, str]:
        row = group_and_row(self._progress.nodes[place].name)[1]
        return given_output(self._asked.places[place], path, f"{unit}/{row}/{path}")

    def _table(self, places: Iterable[int]) -> str:
        members = sorted(places, key=lambda place: group_and_row(self._progress.nodes[place].name)[1])
        found = [self._asked.parameters[place] for place in members]
        names = list(dict.fromkeys(name for row in found for name in row))
        told = (
            [*(row.get(name) for name in names), *self._told(place)]
            for place, row in zip(members, found, strict=True)
        )
        return csv_text([*names, *_COLUMNS], told)

    def _told(self, place: int) -> tuple[Any, ...]:
        job = self._asked.jobs[place]
        name = self._progress.nodes[place].name
        return name, job.status, job.exit_code, job.uuid, job.created, job.remote_started, job.ended
