"""What is to be done with cases that come for a study: which need an attempt, and which cannot have one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.errors import InvalidInputError, TapisJobsError
from ..model.study import Added, Case, CaseError, Standing, Study, Why
from ..model.texts import shown


@dataclass(frozen=True, slots=True)
class Wish:
    """An attempt that is to be made, of the case at ``row`` of what was given."""

    row: int
    case: Case
    why: Why
    raw: Mapping[str, Any]
    #: None for a new case.
    standing: Standing | None
    #: Changes over the case's own request.
    overrides: Mapping[str, Any]


def wished(
    cases: Sequence[Case],
    known: Mapping[str, Standing],
    before: Mapping[int, Mapping[str, Any]],
    *,
    fresh: bool,
) -> tuple[list[Wish], list[CaseError]]:
    """Return the attempts to be made of *cases*, and what is wrong with these in themselves."""
    wishes: list[Wish] = []
    errors: list[CaseError] = []
    rows_of: dict[str, int] = {}
    for row, case in enumerate(cases):
        standing = known.get(case.case_id)
        if (first := rows_of.setdefault(case.case_id, row)) != row:
            words = f"it is the same case as row {first}: all that the template uses is equal. Leave one out."
            errors.append(CaseError(case_id=case.case_id, row=row, message=words))
        elif standing is None and case.request is None:
            words = "the study does not know this case, so it needs its parameters and its request."
            errors.append(CaseError(case_id=case.case_id, row=row, message=words, field="request"))
        elif standing is None or not (standing.is_in_flight or (standing.is_done and not fresh)):
            wishes.append(_wish(row, case, standing, before, fresh=fresh))
    return wishes, errors


def _wish(
    row: int,
    case: Case,
    standing: Standing | None,
    before: Mapping[int, Mapping[str, Any]],
    *,
    fresh: bool,
) -> Wish:
    why = Why.FRESH if fresh and standing is not None else Why.RUN
    if case.request is not None or standing is None:
        return Wish(row, case, why, case.request or {}, standing, {})
    overrides = json.loads(standing.overrides)
    return Wish(row, case, why, laid_over(before[standing.position], overrides), standing, overrides)


def counted(cases: Sequence[Case], known: Mapping[str, Standing]) -> Added:
    """Return how the given cases stood before."""
    there = [known[name] for name in dict.fromkeys(case.case_id for case in cases) if name in known]
    in_flight = sum(standing.is_in_flight for standing in there)
    done = sum(standing.is_done for standing in there)
    return Added(known=len(there), in_flight=in_flight, done=done, failed=len(there) - in_flight - done)


def retried(
    cases: Sequence[Case],
    known: Mapping[str, Standing],
    before: Mapping[int, Mapping[str, Any]],
    study: Study,
    changes: Mapping[str, Any],
) -> tuple[list[Wish], list[CaseError]]:
    """Return the attempts that an owner asks for, with *changes* over the last ones."""
    wishes: list[Wish] = []
    errors: list[CaseError] = []
    for row, case in enumerate(cases):
        standing = known.get(case.case_id)
        if standing is None:
            words = f"study {study.name} has no case {shown(case.case_id)}."
            errors.append(CaseError(case_id=case.case_id, row=row, message=words, field="caseIds"))
        elif not standing.is_in_flight:
            overrides = laid_over(json.loads(standing.overrides), changes)
            raw = laid_over(before[standing.position], overrides)
            wishes.append(Wish(row, case, Why.RETRY, raw, standing, overrides))
    return wishes, errors


def laid_over(request: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return *request* with *changes* in place of its fields.

    Cases differ in arguments and variables: of ``parameterSet`` only the parts that are named change, and
    of ``envVariables`` only those with the same key.
    """
    found = {**request, **changes}
    old, new = request.get(_PARAMETERS), changes.get(_PARAMETERS)
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return found
    found[_PARAMETERS] = {**old, **new}
    given = new.get(_VARIABLES)
    if isinstance(given, list) and isinstance(old.get(_VARIABLES), list):
        keys = {item.get("key") for item in given if isinstance(item, Mapping)}
        kept = [item for item in old[_VARIABLES] if item.get("key") not in keys]
        found[_PARAMETERS][_VARIABLES] = [*kept, *given]
    return found


_PARAMETERS, _VARIABLES = "parameterSet", "envVariables"


def refused(wish: Wish, fault: TapisJobsError) -> CaseError:
    """Return why an attempt cannot be made."""
    field = fault.field if isinstance(fault, InvalidInputError) else ""
    return CaseError(
        case_id=wish.case.case_id, row=wish.row, message=fault.message, field=field or None
    )  # fmt: skip
