"""Workflows and their nodes as rows. Every function works inside the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, delete, func, null, select, update
from sqlalchemy import insert as insert_into

from ..model.errors import ConflictError
from ..model.status import JobStatus
from ..model.workflow import Node, Plan, Standing, Wish, Workflow
from ..model.workflow_progress import Progress
from .statements import Statement, given
from .tables import jobs
from .workflow_tables import workflow_nodes, workflows

_node = workflow_nodes.c
#: The status of a node's job; of a job that was removed, as it was then.
_STATUS = func.coalesce(jobs.c.status, _node.outcome)
_nodes = Statement(
    select(
        _node.name,
        _node.after,
        _node.retries,
        _node.attempt,
        _node.most_attempts,
        _node.job_uuid,
        _STATUS,
        _node.problem,
        jobs.c.created,
        jobs.c.remote_started,
        jobs.c.ended,
        jobs.c.last_message,
    )
    .select_from(workflow_nodes.outerjoin(jobs, jobs.c.uuid == _node.job_uuid))
    .where(_node.workflow_id == bindparam("workflow"))
    .order_by(_node.position)
)
_insert = Statement(insert_into(workflow_nodes))
_requests = Statement(
    select(_node.position, _node.request).where(
        _node.workflow_id == bindparam("workflow"), _node.position.in_(given("positions"))
    )
)
_parameters = Statement(
    select(_node.position, _node.parameters).where(
        _node.workflow_id == bindparam("workflow"), _node.position.in_(given("positions"))
    )
)
_submit = Statement(
    update(workflow_nodes)
    .ordered_values((_node.job_uuid, bindparam("uuid")), (_node.attempt, bindparam("number")))
    .where(
        _node.workflow_id == bindparam("workflow"),
        _node.position == bindparam("place"),
        _node.attempt == bindparam("before"),
    )
)
_refuse = Statement(
    update(workflow_nodes)
    .ordered_values((_node.problem, bindparam("why")), (_node.job_uuid, null()), (_node.outcome, null()))
    .where(_node.workflow_id == bindparam("workflow"), _node.position == bindparam("place"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """A stored node, and what is told of its last job. Times are ISO-8601 UTC text."""

    node: Node
    standing: Standing
    created: str | None = None
    started: str | None = None
    ended: str | None = None
    message: str | None = None


# -- workflows


def add(conn: Connection, workflow: Workflow, plans: Sequence[Plan]) -> Workflow:
    """Store a new workflow with its nodes; return it with its id."""
    values = {name: value for name, value in asdict(workflow).items() if name != "id"}
    number = conn.execute(insert_into(workflows).values(values).returning(workflows.c.id)).scalar_one()
    _insert.many(conn, (_row(number, place, plan) for place, plan in enumerate(plans)))
    return replace(workflow, id=number)


def _row(number: int, place: int, plan: Plan) -> Sequence[Any]:
    node = plan.node
    texts = [json.dumps(value) for value in (node.after, dict(plan.parameters), dict(plan.request))]
    return (number, place, node.name, node.retries, 0, 1 + node.retries, None, None, "", *texts)


def find(conn: Connection, owner: str, name: str) -> Workflow | None:
    """Return a workflow of a user, or None."""
    found = select(workflows).where(workflows.c.owner == owner, workflows.c.name == name)
    row = conn.execute(found).one_or_none()
    return _workflow(row) if row else None


def get(conn: Connection, number: int) -> Workflow | None:
    """Return the workflow of an id, or None."""
    row = conn.execute(select(workflows).where(workflows.c.id == number)).one_or_none()
    return _workflow(row) if row else None


def owned(conn: Connection, owner: str) -> list[Workflow]:
    """Return a user's workflows, newest first."""
    found = select(workflows).where(workflows.c.owner == owner).order_by(workflows.c.id.desc())
    return [_workflow(row) for row in conn.execute(found)]


def active(conn: Connection) -> list[int]:
    """Return the ids of all workflows that are not over."""
    return list(conn.execute(select(workflows.c.id).where(workflows.c.is_over == 0)).scalars())


def change(conn: Connection, number: int, **columns: Any) -> None:
    """Store other values of a workflow."""
    conn.execute(update(workflows).where(workflows.c.id == number).values(columns))


def remove(conn: Connection, number: int) -> None:
    """Forget a workflow and its nodes; their jobs stay."""
    conn.execute(delete(workflows).where(workflows.c.id == number))


def _workflow(row: Row[Any]) -> Workflow:
    return Workflow(**{**row._mapping, "wish": Wish(row.wish), "is_over": bool(row.is_over)})


# -- nodes


def nodes(conn: Connection, number: int) -> list[NodeRow]:
    """Return the nodes of a workflow in order, as they stand now."""
    return [_read(*row) for row in _nodes.run(conn, number)]


def _read(
    name: str,
    after: str,
    retries: int,
    attempt: int,
    most: int,
    uuid: str | None,
    status: str | None,
    problem: str,
    created: str | None,
    started: str | None,
    ended: str | None,
    message: str | None,
) -> NodeRow:
    standing = Standing(
        attempt=attempt,
        most_attempts=most,
        job_uuid=uuid,
        status=JobStatus(status) if status else None,
        problem=problem,
    )
    node = Node(name=name, after=tuple(json.loads(after)), retries=retries)
    return NodeRow(
        node=node, standing=standing, created=created, started=started, ended=ended, message=message
    )


def progress(nodes: Sequence[NodeRow]) -> Progress:
    """Return how far the workflow of *nodes* is."""
    return Progress([row.node for row in nodes], [row.standing for row in nodes])


def ends(conn: Connection, owner: str) -> dict[int, dict[str, int]]:
    """Return id -> the last status of its nodes' jobs, counted, of a user's workflows that are over.

    FAILED is also a node that got no job for what was wrong with it; '' one that never wanted a job.
    """
    status = case((_node.problem != "", JobStatus.FAILED.value), else_=func.coalesce(_STATUS, "")).label("s")
    found = (
        select(_node.workflow_id, status, func.count())
        .select_from(workflow_nodes.join(workflows).outerjoin(jobs, jobs.c.uuid == _node.job_uuid))
        .where(workflows.c.owner == owner, workflows.c.is_over == 1)
        .group_by(_node.workflow_id, status)
    )
    counts: dict[int, dict[str, int]] = {}
    for number, ended, count in conn.execute(found):
        counts.setdefault(number, {})[ended] = count
    return counts


def requests(conn: Connection, number: int, positions: Iterable[int]) -> dict[int, str]:
    """Return position -> the request of the node there, JSON text."""
    return dict(_requests.run(conn, number, json.dumps(list(positions))))


def parameters(conn: Connection, number: int, positions: Iterable[int]) -> dict[int, str]:
    """Return position -> the row of the table behind the node there, JSON text."""
    return dict(_parameters.run(conn, number, json.dumps(list(positions))))


def requests_holding(conn: Connection, text: str) -> Iterator[str]:
    """Yield the requests of nodes, as JSON, that hold *text*: each may become a job yet."""
    yield from conn.execute(select(_node.request).where(func.instr(_node.request, text) > 0)).scalars()


def submit(conn: Connection, number: int, made: Mapping[int, tuple[int, str]]) -> None:
    """Mark nodes as the jobs that are stored in the same transaction: position -> attempts before, uuid.

    ``ConflictError``, so that no job is stored, when one of them got a job meanwhile or is gone.
    """
    changed = _submit.many(
        conn, ((uuid, before + 1, number, place, before) for place, (before, uuid) in made.items())
    )
    if changed != len(made):
        raise ConflictError("A node of the workflow was submitted or removed meanwhile.")


def refuse(conn: Connection, number: int, problems: Mapping[int, str]) -> None:
    """Keep why nodes got no job."""
    _refuse.many(conn, ((problem, number, place) for place, problem in problems.items()))


def release(conn: Connection, number: int, positions: Iterable[int]) -> None:
    """Let nodes want another job, with all their retries."""
    chosen = given("positions")
    conn.execute(
        update(workflow_nodes)
        .where(_node.workflow_id == number, _node.position.in_(chosen))
        .values(job_uuid=None, outcome=None, problem="", most_attempts=_node.attempt + 1 + _node.retries),
        {"positions": json.dumps(list(positions))},
    )


def keep_outcomes(conn: Connection, job_uuids: Collection[str]) -> None:
    """Keep with their nodes how jobs have ended that are about to be removed."""
    status = select(jobs.c.status).where(jobs.c.uuid == _node.job_uuid).scalar_subquery()
    conn.execute(update(workflow_nodes).where(_node.job_uuid.in_(job_uuids)).values(outcome=status))
