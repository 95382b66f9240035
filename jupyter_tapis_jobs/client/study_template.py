"""What a study runs for each of its cases, in a form that the server can keep."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from ..model.case_template import CaseFunction, CaseTemplate, Template
from ..model.case_values import Plain
from ..model.errors import InvalidInputError
from ..model.placeholders import OPEN
from ..model.shorthands import merged
from ..model.texts import shown

#: A function of the user's: the row of a case -> its request.
Function = Callable[[dict[str, Plain]], Mapping[str, Any]]
#: What of a request decides on the app and the inputs that are no templates.
_DECIDING = ("appId", "appVersion", "inputs", "fileInputs", "fileInputArrays")
#: How bytes are kept in JSON.
_BYTES = "base64"


@dataclass(frozen=True, slots=True)
class StudyTemplate:
    """Fields of a Tapis request and shorthands, with ``{{ column }}`` in their texts."""

    given: Mapping[str, Any]
    #: Makes the request of a case, over ``given``; it lives in this kernel only.
    function: Function | None = None
    defaults: Mapping[str, Plain] = field(default_factory=dict)
    #: Columns that the template need not use.
    labels: tuple[str, ...] = ()
    #: Variables of the notebook that expressions use.
    names: Mapping[str, Any] = field(default_factory=dict)

    def of(self, columns: Sequence[str]) -> Template:
        """Return what renders cases with these *columns*.

        Raises ``InvalidInputError`` where template and columns do not fit.
        """
        if self.function is not None:
            return CaseFunction(self.function, columns)
        if self.given.get(_FUNCTION):
            raise InvalidInputError(
                f"The cases of this study are made by a function, {self.given[_FUNCTION]}(row), which is not "
                "kept. Give it again: tapis.study(name, app, cases=…, request=function)."
            )
        labels = [name for name in self.labels if name in columns]
        return CaseTemplate(self.given, columns, defaults=self.defaults, names=self.names, labels=labels)

    @property
    def has_steady_inputs(self) -> bool:
        """True where app, inputs and work of all cases are the same but for what their columns make."""
        deciding = [self.given.get(name) for name in _DECIDING]
        return self.function is None and OPEN not in repr(deciding)

    def extended(
        self, defaults: Mapping[str, Plain], changes: Mapping[str, Any], labels: Collection[str] = ()
    ) -> StudyTemplate:
        """Return the template with further *defaults* and with *changes* of its fields."""
        return replace(
            self,
            given={**self.given, **changes},
            defaults={**self.defaults, **defaults},
            labels=tuple(dict.fromkeys([*self.labels, *labels])),
        )

    def request(self, rendered: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is given for a case; what a function made goes over the fields of all."""
        return merged(self.given, rendered) if self.function is not None else dict(rendered)

    def to_wire(self) -> dict[str, Any]:
        """Return the template as JSON data; of a function only its name is kept."""
        kept = dict(self.given)
        if self.function is not None:
            kept[_FUNCTION] = getattr(self.function, "__name__", "function")
        parts = {"request": kept, "defaults": self.defaults, "labels": self.labels, "names": self.names}
        return {name: _plain(part) for name, part in parts.items() if part}

    @classmethod
    def from_wire(cls, told: Mapping[str, Any]) -> StudyTemplate:
        """Read what ``to_wire`` wrote."""
        given = {name: _restored(value) for name, value in (told.get("request") or {}).items()}
        if isinstance(given.get("inputs"), list):
            given["inputs"] = [tuple(item) if isinstance(item, list) else item for item in given["inputs"]]
        return cls(
            given,
            defaults=told.get("defaults") or {},
            labels=tuple(told.get("labels") or ()),
            names=told.get("names") or {},
        )


def label_names(labels: Any) -> tuple[str, ...]:
    """Return names of columns, given as one text or several; raises ``InvalidInputError`` for others."""
    found = (labels,) if isinstance(labels, str) or not isinstance(labels, Iterable) else tuple(labels)
    if not all(isinstance(name, str) for name in found):
        raise InvalidInputError(
            f"labels must be names of columns, such as ['note'], not {shown(labels)}.", field="labels"
        )
    return found


#: Where the name of a function stands that is not kept.
_FUNCTION = "function"


def _plain(value: Any) -> Any:
    """Return *value* as JSON data."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise InvalidInputError(
        f"A study's request holds {type(value).__name__}, which cannot be kept as JSON: {value!r:.80}.",
        value=str(value)[:80],
    )


def _restored(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {_BYTES}:
            return base64.b64decode(value[_BYTES])
        return {key: _restored(item) for key, item in value.items()}
    return [_restored(item) for item in value] if isinstance(value, list) else value
