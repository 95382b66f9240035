"""The environment of a job: the system's variables, the app's over them, the request's over both.

``!tapis_not_set`` means that a value is still to come; an empty text is a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .app import EnvVariable
from .errors import InvalidInputError
from .fields import NOT_SET, InputMode
from .job import EnvVariable as JobVariable
from .merge import is_included, joined_description, refuse_change, refuse_repeated
from .request import EnvVariableRequest
from .texts import VARIABLE_NAME, refuse_control, shown

#: Variables of this beginning are the job's own (``_tapisJobUUID`` ...).
RESERVED = "_tapis"
_ENV = "parameterSet.envVariables"


@dataclass(slots=True)
class _Variable:
    """A variable on its way; ``value`` is None as long as nobody gave one."""

    key: str
    value: str | None
    mode: InputMode
    description: str | None
    notes: dict[str, Any] | None
    include: bool | None = None


def merge_environment(
    system: Sequence[EnvVariable], app: Sequence[EnvVariable], request: Sequence[EnvVariableRequest]
) -> tuple[JobVariable, ...]:
    """Merge the environment: the system's, under the app's, under the request's; sorted by key.

    Raises ``InvalidInputError`` for keys that are repeated, reserved or no names; for changed FIXED
    values; and for a variable without a value.
    """
    merged = definition_environment(system, app)
    refuse_repeated([item.key for item in request], _ENV)
    asked = {item.key: item for item in request}
    kept = [_filled_variable(v, asked.get(v.key)) for v in merged.values() if _is_kept(v, asked.get(v.key))]
    kept += [_own_variable(item) for item in request if item.key not in merged]
    final = [_final_variable(variable) for variable in kept]
    return tuple(sorted(final, key=lambda variable: variable.key.lower()))


def definition_environment(system: Sequence[EnvVariable], app: Sequence[EnvVariable]) -> dict[str, _Variable]:
    """Lay the app's variables over the system's: key -> variable."""
    refuse_repeated([item.key for item in system], "jobEnvVariables of the system")
    refuse_repeated([item.key for item in app], f"the app's {_ENV}")
    merged = {item.key: _from_system(item) for item in system}
    for item in app:
        below = merged.get(item.key)
        merged[item.key] = _over_system(item, below) if below else _from_app(item)
    return merged


def _started(item: EnvVariable) -> _Variable:
    return _Variable(
        key=item.key,
        value=None if item.value == NOT_SET else item.value,
        mode=item.input_mode or InputMode.INCLUDE_BY_DEFAULT,
        description=item.description,
        notes=item.notes,
    )


def _from_system(item: EnvVariable) -> _Variable:
    variable = _started(item)
    if variable.mode is InputMode.FIXED and variable.value is None:
        raise _definition_fault("system", item.key, "is FIXED but has no value")
    if variable.mode is InputMode.REQUIRED and variable.value is not None:
        raise _definition_fault("system", item.key, f"is REQUIRED, so its value must be {NOT_SET}")
    return variable


def _from_app(item: EnvVariable) -> _Variable:
    variable = _started(item)
    if variable.mode is InputMode.FIXED and variable.value is None:
        raise _definition_fault("app", item.key, "is FIXED but has no value")
    return variable


def _over_system(item: EnvVariable, below: _Variable) -> _Variable:
    variable = _from_app(item)
    if below.mode is InputMode.FIXED:
        if variable.mode is not InputMode.FIXED or variable.value != below.value:
            raise _definition_fault(
                "app",
                item.key,
                f"is fixed by the system to {shown(below.value)}; the app must say the same or nothing",
            )
        refuse_change(below.notes, variable.notes, f"notes of variable '{item.key}'", _ENV)
    if below.mode is InputMode.REQUIRED and variable.mode is not InputMode.FIXED:
        variable.mode = InputMode.REQUIRED
    if variable.value is None:
        variable.value = below.value
    variable.description = joined_description(below.description, variable.description)
    variable.notes = below.notes if variable.notes is None else variable.notes
    return variable


def _definition_fault(whose: str, key: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"environment variable {key} of the {whose} {why}. The {whose}'s owner has to mend it.",
        field=_ENV,
        value=key,
    )


def _is_kept(variable: _Variable, wanted: EnvVariableRequest | None) -> bool:
    """An unset variable that the request ignores is no error when it is only there by default."""
    if not is_included(variable.mode, wanted is not None, wanted.include if wanted else None):
        return False
    return (
        variable.value is not None or wanted is not None or variable.mode is not InputMode.INCLUDE_BY_DEFAULT
    )


def _filled_variable(variable: _Variable, wanted: EnvVariableRequest | None) -> _Variable:
    if wanted is None:
        return variable
    value = None if wanted.value == NOT_SET else wanted.value
    if variable.mode is InputMode.FIXED:
        refuse_change(variable.value, value, f"environment variable {variable.key}", _ENV)
        refuse_change(variable.notes, wanted.notes, f"notes of variable {variable.key}", _ENV)
    return _Variable(
        key=variable.key,
        value=variable.value if value is None else value,
        mode=variable.mode,
        description=joined_description(variable.description, wanted.description),
        notes=variable.notes if wanted.notes is None else wanted.notes,
        include=wanted.include,
    )


def _own_variable(item: EnvVariableRequest) -> _Variable:
    value = None if item.value == NOT_SET else item.value
    return _Variable(
        item.key, value, InputMode.INCLUDE_BY_DEFAULT, item.description, item.notes, item.include
    )


def _final_variable(variable: _Variable) -> JobVariable:
    if variable.value is None:
        raise InvalidInputError(
            f"environment variable {variable.key} has no value. "
            f'Add {{"key": "{variable.key}", "value": ...}} to {_ENV}.',
            field=_ENV,
            value=variable.key,
        )
    refuse_bad_key(variable.key, _ENV)
    refuse_control(
        variable.value, f"value of environment variable {variable.key}", "Put such text into an input file."
    )
    return JobVariable(
        key=variable.key,
        value=variable.value,
        description=variable.description,
        include=variable.include,
        notes=variable.notes,
    )


def refuse_bad_key(key: str, field: str) -> None:
    """Raise ``InvalidInputError`` unless *key* can name a variable and is not one of the job's own."""
    if not VARIABLE_NAME.fullmatch(key):
        raise InvalidInputError(
            f"{field}: {shown(key)} cannot name a variable. Use letters, digits and _, no digit first.",
            field=field,
            value=key,
        )
    if key.startswith(RESERVED):
        raise InvalidInputError(
            f"{field}: {key} begins with {RESERVED}, which is kept for the job's own variables. "
            "Choose another name.",
            field=field,
            value=key,
        )


def with_input_keys(
    variables: tuple[JobVariable, ...], values: Iterable[tuple[str | None, str]]
) -> tuple[JobVariable, ...]:
    """Add the variables that inputs set by their ``envKey``: (key, target) pairs; a collision is an error."""
    added = [(key, target) for key, target in values if key]
    if not added:
        return variables
    taken = {variable.key for variable in variables}
    for key, _ in added:
        refuse_bad_key(key, "fileInputs.envKey")
        if key in taken:
            raise InvalidInputError(
                f"fileInputs.envKey {key} is already an environment variable of the job. "
                "Choose another name.",
                field="fileInputs.envKey",
                value=key,
            )
        taken.add(key)
    more = (JobVariable(key=key, value=target) for key, target in added)
    return tuple(sorted((*variables, *more), key=lambda variable: variable.key.lower()))
