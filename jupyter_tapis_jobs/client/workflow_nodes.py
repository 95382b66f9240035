"""The nodes of a workflow as they are wanted, and the requests that the server gets for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.case_values import Row
from ..model.errors import InvalidInputError
from ..model.shorthands import SHORTHANDS, merged
from ..model.workflow import job_name
from ..model.workflow_outputs import OUTPUT, node_and_path, output_url
from .builder import RequestBuilder
from .processing import named_process
from .request import read_request
from .study_cases import CaseCarrier
from .study_template import StudyTemplate, label_names

if TYPE_CHECKING:
    from .tapis import Tapis


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a workflow, or a whole fan-out; what others wait for, and take outputs of."""

    name: str

    def output(self, path: str) -> str:
        """Return the address of an output, for the ``inputs`` of a later node."""
        return output_url(self.name, path)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A node, or with ``rows`` a fan-out, as it was given."""

    name: str
    app: str | Path | Mapping[str, Any]
    given: Mapping[str, Any]
    after: tuple[str, ...]
    retries: int
    rows: Sequence[Row] | None = None
    labels: Any = ()

    @property
    def waits_for(self) -> list[str]:
        """What it waits for, as far as it can be told before its requests are made."""
        inputs = self.given.get("inputs") or ()
        given = inputs.values() if isinstance(inputs, Mapping) else [inputs] if _is_one(inputs) else inputs
        sources = [item[0] if isinstance(item, tuple) else item for item in given]
        used = [node_and_path(s)[0] for s in sources if isinstance(s, str) and s.startswith(OUTPUT)]
        return list(dict.fromkeys([*self.after, *used]))


def names_of(after: Any) -> tuple[str, ...]:
    """Return the names of what a node waits for: nodes or names, one or many."""
    many = [after] if isinstance(after, str | Node) else list(after)
    wrong = next((item for item in many if not isinstance(item, str | Node)), None)
    if wrong is not None:
        raise InvalidInputError(
            f"after must hold nodes of this workflow or their names, not {type(wrong).__name__}.",
            field="after",
        )
    return tuple(item.name if isinstance(item, Node) else item for item in many)


def built(tapis: Tapis, flow: str, wanted: Sequence[Wanted]) -> list[dict[str, Any]]:
    """Return the nodes as the server takes them; apps are asked for once, contents that repeat sent once."""
    build = RequestBuilder(tapis, CaseCarrier)
    return [node for one in wanted for node in _nodes(build, flow, one)]


def _nodes(build: RequestBuilder, flow: str, one: Wanted) -> list[dict[str, Any]]:
    base = _with(read_request(one.app), one.given)
    if one.rows is None:
        return [_node(build, flow, one, one.name, base, {})]
    template = StudyTemplate(base, labels=label_names(one.labels))
    fitting = template.of(list(one.rows[0]) if one.rows else [])
    rendered = [template.request(fitting.render(row, number)) for number, row in enumerate(one.rows)]
    return [
        _node(build, flow, one, f"{one.name}[{number}]", request, row)
        for number, (request, row) in enumerate(zip(rendered, one.rows, strict=True))
    ]


def _node(
    build: RequestBuilder, flow: str, one: Wanted, name: str, request: Mapping[str, Any], row: Row
) -> dict[str, Any]:
    named = {**request, "name": job_name(flow, name)}
    return {
        "name": name,
        "request": build.request(named, {}),
        "after": list(one.after),
        "retries": one.retries,
        "parameters": dict(row),
    }


def _with(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request with *given* over it; shorthands are taken as they are."""
    named_process(given.get("process"))
    fields = {key: value for key, value in given.items() if key not in SHORTHANDS}
    shorthands = {key: given[key] for key in SHORTHANDS if given.get(key) is not None}
    return {**merged(base, fields), **shorthands}


def _is_one(inputs: Any) -> bool:
    return isinstance(inputs, str | Path)
