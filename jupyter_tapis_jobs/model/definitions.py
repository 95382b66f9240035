"""Definitions as files hold them: app, system or scheduler profile, told apart by what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .app import App, parse_app
from .errors import InvalidInputError, did_you_mean
from .profile import SchedulerProfile, parse_profile
from .system import System, parse_system


class Kind(StrEnum):
    """What a definition defines, in the order in which they refer to each other."""

    PROFILE = "profile"
    SYSTEM = "system"
    APP = "app"


#: What the service keeps and computes beside a definition: not the file's to say.
_COMPUTED: Mapping[Kind, frozenset[str]] = {
    Kind.PROFILE: frozenset({"tenant", "owner", "uuid", "created", "updated"}),
    Kind.SYSTEM: frozenset(
        {
            "tenant", "owner", "enabled", "deleted", "uuid", "created", "updated", "isPublic",
            "hasCredentials", "isDynamicEffectiveUser", "sharedWithUsers", "parentId",
        }
    ),
    Kind.APP: frozenset(
        {
            "tenant", "owner", "enabled", "versionEnabled", "locked", "deleted", "uuid", "created", "updated",
            "isPublic", "sharedWithUsers", "sharedAppCtx",
        }
    ),
}  # fmt: skip
#: Attributes whose null is a value of its own: an app without jobType runs as its system can.
_NULL_COUNTS = frozenset({"jobType"})
#: What only definitions of the kind have.
_SIGNS: Mapping[Kind, frozenset[str]] = {
    Kind.SYSTEM: frozenset(
        {"systemType", "defaultAuthnMethod", "canExec", "jobRuntimes", "jobWorkingDir", "batchLogicalQueues"}
    ),
    Kind.APP: frozenset({"containerImage", "jobAttributes", "runtime", "strictFileInputs"}),
    Kind.PROFILE: frozenset({"moduleLoads", "hiddenOptions"}),
}
_Parse = Callable[[Mapping[str, Any]], tuple[App | System | SchedulerProfile, list[str]]]
_PARSERS: Mapping[Kind, _Parse] = {
    Kind.APP: parse_app,
    Kind.SYSTEM: parse_system,
    Kind.PROFILE: parse_profile,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One definition that was read.

    ``wire`` is what it says in full, ``warnings`` what its owner should know.
    """

    kind: Kind
    #: Id of an app or system, name of a profile.
    name: str
    #: Of an app only.
    version: str | None
    raw: Mapping[str, Any]
    wire: Mapping[str, Any]
    warnings: tuple[str, ...]

    @property
    def title(self) -> str:
        """``app opensees 3.7``, ``system frontera``."""
        return " ".join(filter(None, (self.kind, self.name, self.version)))

    def to_send(self) -> dict[str, Any]:
        """Return the definition as a service takes it: without what that computes itself."""
        computed = _COMPUTED[self.kind] - {"enabled", "versionEnabled", "locked"}
        return {name: value for name, value in self.raw.items() if name not in computed}


def read_definition(raw: Any) -> Definition:
    """Return the definition in *raw*, also when it is still in the envelope of an answer.

    Raises ``InvalidInputError`` when it is none, or breaks a rule of its kind.
    """
    if isinstance(raw, Mapping) and isinstance(raw.get("result"), Mapping) and "status" in raw:
        raw = raw["result"]
    if not isinstance(raw, Mapping):
        raise InvalidInputError(f"a definition is an object, not {type(raw).__name__}.")
    kind = kind_of(raw)
    parsed, warnings = _PARSERS[kind](raw)
    wire = parsed.to_wire()
    return Definition(
        kind=kind,
        name=str(wire["name" if kind is Kind.PROFILE else "id"]),
        version=wire["version"] if kind is Kind.APP else None,
        raw=raw,
        wire=wire,
        warnings=tuple(warnings),
    )


def kind_of(raw: Mapping[str, Any]) -> Kind:
    """Return what *raw* defines; raises ``InvalidInputError`` with what would tell."""
    for kind, signs in _SIGNS.items():
        if signs & raw.keys():
            return kind
    if "appId" in raw:
        raise InvalidInputError(
            "it is a job request (it has appId), not a definition. "
            "Submit it: jupyter tapisjobs submit FILE, or tapis.submit(Path(FILE)).",
            field="appId",
        )
    if "id" in raw and "version" in raw:
        return Kind.APP
    names = sorted({name for signs in _SIGNS.values() for name in signs})
    near = next((hint for key in raw if (hint := did_you_mean(str(key), names))), "")
    raise InvalidInputError(
        "it is neither an app (id, version, containerImage, jobAttributes), nor a system (id, systemType, "
        f"host, canExec), nor a scheduler profile (name, moduleLoads, hiddenOptions).{near}"
    )


def own_part(kind: Kind, wire: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a definition itself says: without what a service computes, and without what is unset.

    Two definitions are the same when these are equal; read again, it is the same definition.
    """
    own = {name: value for name, value in wire.items() if name not in _COMPUTED[kind]}
    return {
        name: _without_nulls(value)
        for name, value in own.items()
        if value is not None or name in _NULL_COUNTS
    }


def differing(kind: Kind, first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Return the attributes in which two definitions differ; of jobAttributes and below each one."""
    return _differing(own_part(kind, in_full(kind, first)), own_part(kind, in_full(kind, second)), "")


def in_full(kind: Kind, wire: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a service tells of a definition with defaults put in; as it is if it is unreadable."""
    try:
        return _PARSERS[kind](wire)[0].to_wire()
    except InvalidInputError:
        return wire


def _differing(first: Mapping[str, Any], second: Mapping[str, Any], place: str) -> list[str]:
    names: list[str] = []
    for name in dict.fromkeys((*first, *second)):
        one, other = first.get(name), second.get(name)
        if one == other and (name in first) == (name in second):
            continue
        inside = name in ("jobAttributes", "parameterSet")
        if inside and isinstance(one, Mapping) and isinstance(other, Mapping):
            names += _differing(one, other, f"{place}{name}.")
        else:
            names.append(f"{place}{name}")
    return names


def _without_nulls(value: Any) -> Any:
    """Unset is unset at every depth, but for notes, which are the owner's own."""
    if isinstance(value, Mapping):
        return {
            name: inner if name == "notes" else _without_nulls(inner)
            for name, inner in value.items()
            if inner is not None
        }
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value
