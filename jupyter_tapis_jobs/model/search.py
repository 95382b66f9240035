"""What is looked for: a tree of conditions, read from any of Tapis's three grammars.

- query parameters ``status.eq=FINISHED&created.gt=2026-01`` (``from_query``), all of them must hold;
- a list ``(status.eq.FINISHED)~(name.like.case*)`` (``from_list``), all of them must hold;
- text like SQL's WHERE: ``status = 'FINISHED' AND (name LIKE 'case%' OR nodeCount > 1)`` (``from_sql``).

Attributes are written ``memoryMB`` or ``memory_mb``; the tree has our names and typed values: numbers,
truth values, texts, and times as ``model.times`` writes them, which sort as they compare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from .errors import InvalidInputError, did_you_mean
from .names import inner_name, wire_name
from .texts import shown
from .wire import JOB_FIELDS

Value = str | int | bool


class Kind(StrEnum):
    """What the values of an attribute are."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"
    TIME = "time"
    #: A list of texts; ``contains`` asks for one of them.
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One attribute compared with a value.

    ``op``: eq neq gt gte lt lte with one value; in nin with a tuple; between nbetween with a tuple of
    two; like nlike with a pattern as in SQL (``%``, ``_``, and a backslash before what is meant
    literally), capitals and small letters differ; contains ncontains with a tuple of texts.
    """

    field: str
    op: str
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by AND or OR, or one condition under NOT. AND of nothing is always true."""

    joint: Literal["AND", "OR", "NOT"]
    parts: tuple[Condition, ...]


Condition = Comparison | Group
EVERYTHING = Group("AND", ())

_T, _N, _B, _W, _L = Kind.TEXT, Kind.NUMBER, Kind.TRUTH, Kind.TIME, Kind.LIST

#: What jobs can be searched and sorted by: fields of the job and of its definition.
JOB_ATTRIBUTES: Mapping[str, Kind] = MappingProxyType(
    {
        **dict.fromkeys(
            [
                "uuid",
                "name",
                "owner",
                "tenant",
                "description",
                "status",
                "condition",
                "last_message",
                "app_id",
                "app_version",
                "job_type",
                "exec_system_id",
                "exec_system_logical_queue",
                "archive_system_id",
                "createdby",
                "createdby_tenant",
                "remote_job_id",
                "remote_job_id2",
                "remote_outcome",
                "remote_result_info",
                "remote_queue",
                "tracking_id",
                "effective_user_id",
                "launch_mode",
                "archive_mode",
                "archive_system_dir",
                "exec_system_exec_dir",
                "exec_system_input_dir",
                "exec_system_output_dir",
                "dtn_system_id",
                "dtn_system_input_dir",
                "dtn_system_output_dir",
                "mpi_cmd",
                "cmd_prefix",
            ],
            _T,
        ),
        **dict.fromkeys(
            [
                "id",
                "node_count",
                "cores_per_node",
                "memory_mb",
                "max_minutes",
                "blocked_count",
                "remote_submit_retries",
                "attempt",
                "exit_code",
            ],
            _N,
        ),
        **dict.fromkeys(
            [
                "created",
                "ended",
                "last_updated",
                "remote_submitted",
                "remote_started",
                "remote_ended",
                "remote_last_status_check",
            ],
            _W,
        ),
        **dict.fromkeys(["visible", "archive_on_app_error", "dynamic_exec_system", "mpi"], _B),
        "tags": _L,
    }
)
APP_ATTRIBUTES: Mapping[str, Kind] = MappingProxyType(
    {
        **dict.fromkeys(
            [
                "id",
                "version",
                "tenant",
                "description",
                "owner",
                "runtime",
                "runtime_version",
                "container_image",
                "job_type",
                "uuid",
            ],
            _T,
        ),
        **dict.fromkeys(["max_jobs", "max_jobs_per_user"], _N),
        **dict.fromkeys(
            ["enabled", "version_enabled", "locked", "deleted", "strict_file_inputs", "is_public"], _B
        ),
        **dict.fromkeys(["created", "updated"], _W),
        "tags": _L,
    }
)
SYSTEM_ATTRIBUTES: Mapping[str, Kind] = MappingProxyType(
    {
        **dict.fromkeys(
            [
                "id",
                "tenant",
                "description",
                "system_type",
                "owner",
                "host",
                "default_authn_method",
                "effective_user_id",
                "bucket_name",
                "root_dir",
                "dtn_system_id",
                "parent_id",
                "mpi_cmd",
                "job_working_dir",
                "batch_scheduler",
                "batch_default_logical_queue",
                "batch_scheduler_profile",
                "uuid",
            ],
            _T,
        ),
        **dict.fromkeys(["port", "proxy_port", "job_max_jobs", "job_max_jobs_per_user"], _N),
        **dict.fromkeys(
            [
                "enabled",
                "deleted",
                "use_proxy",
                "can_exec",
                "can_run_batch",
                "enable_cmd_prefix",
                "allow_children",
                "is_public",
            ],
            _B,
        ),
        **dict.fromkeys(["created", "updated"], _W),
        "tags": _L,
    }
)

LIST_TYPES = ("MY_JOBS", "SHARED_JOBS", "ALL_JOBS")
DEFAULT_LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which jobs, in which order, how many."""

    where: Condition = EVERYTHING
    #: Zero or below is all.
    limit: int = DEFAULT_LIMIT
    skip: int = 0
    #: Only what comes after this value of the first ``order_by`` field.
    start_after: str | None = None
    order_by: tuple[tuple[str, Literal["asc", "desc"]], ...] = ()
    compute_total: bool = False
    #: Our names of the fields to show; ``allAttributes`` and ``summaryAttributes`` stand for themselves.
    select: tuple[str, ...] = ("summaryAttributes",)
    list_type: str = "MY_JOBS"
    include_hidden: bool = False


# --- the three grammars ----------------------------------------------------------------------------

_ORDERED = ("eq", "neq", "gt", "gte", "lt", "lte", "in", "nin", "between", "nbetween")
OPS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        _T: (*_ORDERED, "like", "nlike"),
        _N: _ORDERED,
        _W: _ORDERED,
        _B: ("eq", "neq"),
        _L: ("contains", "ncontains"),
    }
)
_MANY = frozenset({"in", "nin", "contains", "ncontains"})
_TWO = frozenset({"between", "nbetween"})
_ALL_OPS = tuple(dict.fromkeys(op for ops in OPS.values() for op in ops))
#: Query parameters that are not conditions.
PAGING = frozenset(
    [
        "limit",
        "skip",
        "startAfter",
        "orderBy",
        "computeTotal",
        "select",
        "listType",
        "pretty",
        "showDeleted",
        "search",
        "includeHidden",
        "format",
        "requireExecPerm",
        "hasCredentials",
        "impersonationId",
        "resourceTenant",
    ]
)


def from_query(params: Mapping[str, str], attributes: Mapping[str, Kind] = JOB_ATTRIBUTES) -> Condition:
    """Read ``attribute.op=value`` parameters; those of ``PAGING`` are passed over, no operator means eq."""
    parts = [
        _comparison(*_attribute_and_op(key), value, attributes)
        for key, value in params.items()
        if key not in PAGING
    ]
    return _all_of(parts)


def from_list(text: str, attributes: Mapping[str, Kind] = JOB_ATTRIBUTES) -> Condition:
    r"""Read ``(attribute.op.value)~(…)``; ``\`` before ``~ , ( )`` takes their meaning."""
    parts = []
    for item in _split_unescaped(text.strip(), "~"):
        inner = item.strip()
        if inner.startswith("(") and inner.endswith(")") and not inner.endswith("\\)"):
            inner = inner[1:-1]
        name, dot, rest = inner.partition(".")
        op, second_dot, value = rest.partition(".")
        if not (name and dot and op and second_dot):
            raise InvalidInputError(
                f"search {shown(item)} cannot be read. Write (attribute.operator.value), joined by '~'.",
                field="search",
                value=text,
            )
        parts.append(_comparison(name, op.lower(), value, attributes))
    return _all_of(parts)


def from_sql(text: str, attributes: Mapping[str, Kind] = JOB_ATTRIBUTES) -> Condition:
    """Read a WHERE clause: comparisons, LIKE, IN, BETWEEN, AND, OR, NOT and parentheses."""
    return _Sql(text, attributes).condition()


def _all_of(parts: Sequence[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else Group("AND", tuple(parts))


def _attribute_and_op(key: str) -> tuple[str, str]:
    name, _, op = key.partition(".")
    return name, op.lower() or "eq"


def _comparison(name: str, op: str, text: str, attributes: Mapping[str, Kind]) -> Comparison:
    attribute = known_attribute(name, attributes)
    kind = attributes[attribute]
    _check_op(op, name, kind)
    if op in ("like", "nlike"):
        return Comparison(attribute, op, _sql_pattern(text))
    if op in _MANY or op in _TWO:
        values = tuple(_typed(part, kind, name) for part in _split_unescaped(text, ","))
        return Comparison(attribute, op, _checked_pair(values, op, name, text))
    return Comparison(attribute, op, _typed(_unescaped(text), kind, name))


def known_attribute(name: str, attributes: Mapping[str, Kind]) -> str:
    """Return our name of the attribute that a user wrote; raises ``InvalidInputError`` for an unknown one."""
    own = inner_name(name)
    if own not in attributes:
        names = sorted(map(wire_name, attributes))
        raise InvalidInputError(
            f"'{name}' cannot be searched or sorted by.{did_you_mean(name, names)} "
            f"Attributes: {', '.join(names)}.",
            field=name,
            value=name,
        )
    return own


def _check_op(op: str, name: str, kind: Kind) -> None:
    if op not in OPS[kind]:
        known = f" for {name}, which is a {kind}" if op in _ALL_OPS else ""
        raise InvalidInputError(
            f"'{op}' is not an operator{known}.{did_you_mean(op, OPS[kind])} "
            f"Operators: {', '.join(OPS[kind])}.",
            field=name,
            value=op,
        )


def _checked_pair(values: tuple[Value, ...], op: str, name: str, text: str) -> tuple[Value, ...]:
    if op in _TWO and len(values) != 2:
        raise InvalidInputError(
            f"{name} {op} needs two values, not {shown(text)}. Write them with a comma between.",
            field=name,
            value=text,
        )
    return values


# --- values ----------------------------------------------------------------------------------------


def _typed(text: str, kind: Kind, name: str) -> Value:
    match kind:
        case Kind.NUMBER:
            if re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
                return int(text)
            raise _wrong_value(name, text, "a whole number")
        case Kind.TRUTH:
            return truth(text, name)
        case Kind.TIME:
            return _time(text, name)
    return text


def truth(text: str, field: str) -> bool:
    """Return what ``true`` or ``False``, in any capitals, says."""
    said = {"true": True, "false": False}.get(text.strip().lower())
    if said is None:
        raise _wrong_value(field, text, "true or false")
    return said


_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?)?)?"
    r"(Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)


def _time(text: str, name: str) -> str:
    """Return a time, of which the end may be missing (``2026-11``), as ``model.times`` writes it."""
    found = _TIME.fullmatch(text.strip())
    try:
        if found:
            return _utc_text(found)
    except (ValueError, OverflowError):
        pass
    raise _wrong_value(name, text, "a time such as 2026-11-21T04:48:47Z or 2026-11")


def _utc_text(found: re.Match[str]) -> str:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    plain = (
        f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}"
        f".{(fraction or '0')[:6].ljust(6, '0')}{zone or 'Z'}"
    )
    return datetime.fromisoformat(plain).astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _wrong_value(name: str, text: str, expected: str) -> InvalidInputError:
    return InvalidInputError(f"{name} must be {expected}, not {shown(text)}.", field=name, value=text)


def _split_unescaped(text: str, at: str) -> Iterator[str]:
    r"""Split *text* at *at* where no backslash stands before it; the parts keep other escapes for later."""
    parts = re.split(rf"(?<!\\){re.escape(at)}", text)
    return (_unescaped(part) if at == "," else part for part in parts)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([~,().!*\\])", r"\1", text)


def _sql_pattern(text: str) -> str:
    r"""Return a pattern of ours (``*`` any text, ``!`` one character, ``\`` escapes) as SQL has it."""
    return re.sub(r"\\?.", lambda found: _SQL_OF.get(found[0], _escaped(found[0])), text, flags=re.DOTALL)


_SQL_OF = {"*": "%", "!": "_", "%": r"\%", "_": r"\_", "\\": r"\\", "\\\\": r"\\"}


def _escaped(token: str) -> str:
    return token if len(token) == 1 else f"\\{token[1]}" if token[1] in "%_" else token[1]


# --- SQL -------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>[+-]?\d+(?!\w))|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign><>|!=|<=|>=|=|<|>|\(|\)|,))",
    re.ASCII,
)
_SIGNS = {"=": "eq", "!=": "neq", "<>": "neq", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_DEEPEST = 50


@dataclass(slots=True)
class _Sql:
    """A parser by descent: OR over AND over NOT over comparisons."""

    text: str
    attributes: Mapping[str, Kind]
    tokens: list[tuple[str, str]] = field(default_factory=list)
    at: int = 0
    depth: int = 0

    def condition(self) -> Condition:
        if not self.text.strip():
            return EVERYTHING
        self.tokens = list(self._tokens())
        found = self._or()
        if self.at < len(self.tokens):
            raise self._fault(f"is not understood from {shown(self._peek()[1])} on")
        return found

    def _tokens(self) -> Iterator[tuple[str, str]]:
        at, end = 0, len(self.text.rstrip())
        while at < end:
            found = _TOKEN.match(self.text, at)
            if found is None:
                raise self._fault(f"cannot be read from {shown(self.text[at : at + 20])} on")
            at = found.end()
            kind = found.lastgroup or ""
            yield kind, found[kind]

    def _or(self) -> Condition:
        return self._joined("OR", self._and)

    def _and(self) -> Condition:
        return self._joined("AND", self._not)

    def _joined(self, joint: Literal["AND", "OR"], part: Callable[[], Condition]) -> Condition:
        parts: list[Condition] = [part()]
        while self._takes(joint):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Group(joint, tuple(parts))

    def _not(self) -> Condition:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self._fault(f"is nested more than {_DEEPEST} deep")
        found = Group("NOT", (self._not(),)) if self._takes("NOT") else self._primary()
        self.depth -= 1
        return found

    def _primary(self) -> Condition:
        if self._takes("("):
            found = self._or()
            self._needs(")")
            return found
        kind, word = self._next()
        if kind != "word":
            raise self._fault(f"has {shown(word)} where an attribute is expected")
        return self._comparison(word)

    def _comparison(self, name: str) -> Condition:
        attribute = known_attribute(name, self.attributes)
        kind = self.attributes[attribute]
        op = self._op()
        _check_op(op, name, Kind.TEXT if kind is Kind.LIST else kind)
        if op in ("like", "nlike"):
            return Comparison(attribute, op, self._literal(Kind.TEXT, name))
        if op in _TWO:
            low = self._literal(kind, name)
            self._needs("AND")
            return Comparison(attribute, op, (low, self._literal(kind, name)))
        if op in _MANY:
            return Comparison(attribute, self._for_list(op, kind), self._list(kind, name))
        value = self._literal(kind, name)
        if kind is Kind.LIST:
            return Comparison(attribute, self._for_list(op, kind), (value,))
        return Comparison(attribute, op, value)

    def _for_list(self, op: str, kind: Kind) -> str:
        """``tags = 'a'`` and ``tags IN ('a')`` ask what ``contains`` asks."""
        if kind is not Kind.LIST:
            return op
        asks = {"eq": "contains", "in": "contains", "neq": "ncontains", "nin": "ncontains"}
        if op not in asks:
            raise self._fault("compares a list; use =, <>, IN or NOT IN there")
        return asks[op]

    def _op(self) -> str:
        kind, word = self._next()
        if kind == "sign" and word in _SIGNS:
            return _SIGNS[word]
        negated = kind == "word" and word.upper() == "NOT"
        if negated:
            kind, word = self._next()
        if kind == "word" and word.upper() in ("LIKE", "IN", "BETWEEN"):
            return ("n" if negated else "") + word.lower()
        raise self._fault(f"has {shown(word)} where =, <>, <, >, LIKE, IN or BETWEEN is expected")

    def _list(self, kind: Kind, name: str) -> tuple[Value, ...]:
        self._needs("(")
        values = [self._literal(kind, name)]
        while self._takes(","):
            values.append(self._literal(kind, name))
        self._needs(")")
        return tuple(values)

    def _literal(self, kind: Kind, name: str) -> Value:
        token, text = self._next()
        if token == "text":  # noqa: S105 - a kind of token
            return _typed(text[1:-1].replace("''", "'"), kind, name)
        if token == "number" or (token == "word" and text.lower() in ("true", "false")):  # noqa: S105
            return _typed(text, kind, name)
        raise self._fault(f"has {shown(text)} where a value is expected. Put texts in single quotes")

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "its end")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self.at += 1
        return token

    def _takes(self, word: str) -> bool:
        kind, text = self._peek()
        if kind in ("word", "sign") and text.upper() == word:
            self.at += 1
            return True
        return False

    def _needs(self, word: str) -> None:
        if not self._takes(word):
            raise self._fault(f"has {shown(self._peek()[1])} where {word} is expected")

    def _fault(self, why: str) -> InvalidInputError:
        return InvalidInputError(
            f"the search {shown(self.text, 200)} {why}.", field="search", value=self.text
        )


# --- paging ----------------------------------------------------------------------------------------


def job_query(
    params: Mapping[str, str], where: Condition = EVERYTHING, *, include_hidden: bool = False
) -> JobQuery:
    """Read the paging parameters of a list or search (limit, skip, startAfter, orderBy, ...)."""
    query = JobQuery(
        where=where,
        limit=_whole(params, "limit", DEFAULT_LIMIT),
        skip=max(0, _whole(params, "skip", 0)),
        start_after=params.get("startAfter") or None,
        order_by=order_by(params.get("orderBy", "")),
        compute_total=truth(params.get("computeTotal", "false"), "computeTotal"),
        select=selected(params.get("select", "")),
        list_type=_list_type(params.get("listType") or "MY_JOBS"),
        include_hidden=include_hidden,
    )
    if query.start_after is not None and not query.order_by:
        raise InvalidInputError(
            "startAfter needs orderBy, which says after what. Add orderBy.", field="startAfter"
        )
    if query.start_after is not None and query.skip:
        raise InvalidInputError("startAfter and skip cannot be used together. Leave one out.", field="skip")
    return query


def order_by(
    text: str, attributes: Mapping[str, Kind] = JOB_ATTRIBUTES
) -> tuple[tuple[str, Literal["asc", "desc"]], ...]:
    """Read ``created(desc),name``; no direction means asc."""
    found: list[tuple[str, Literal["asc", "desc"]]] = []
    for part in filter(None, map(str.strip, text.split(","))):
        match = re.fullmatch(
            r"([A-Za-z_][A-Za-z0-9_]*)\s*(?:\(\s*(asc|desc)\s*\))?", part, re.ASCII | re.IGNORECASE
        )
        if match is None:
            raise InvalidInputError(
                f"orderBy {shown(part)} cannot be read. Write attribute(asc) or attribute(desc).",
                field="orderBy",
                value=text,
            )
        down = (match[2] or "asc").lower() == "desc"
        found.append((known_attribute(match[1], attributes), "desc" if down else "asc"))
    return tuple(found)


def selected(text: str) -> tuple[str, ...]:
    """Read ``select``: names of job attributes, ``summaryAttributes`` or ``allAttributes``."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    groups = ("summaryAttributes", "allAttributes")
    for name in names:
        if name not in groups and inner_name(name) not in JOB_FIELDS:
            known = sorted(map(wire_name, JOB_FIELDS))
            raise InvalidInputError(
                f"select names '{name}', which a job does not have.{did_you_mean(name, (*known, *groups))} "
                f"Attributes: {', '.join((*groups, *known))}.",
                field="select",
                value=name,
            )
    return tuple(name if name in groups else inner_name(name) for name in names) or ("summaryAttributes",)


def _whole(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        raise _wrong_value(name, text, "a whole number")
    return int(text)


def _list_type(text: str) -> str:
    name = text.upper()
    if name not in LIST_TYPES:
        raise InvalidInputError(
            f"listType '{text}' is not one of: {', '.join(LIST_TYPES)}.{did_you_mean(name, LIST_TYPES)}",
            field="listType",
            value=text,
        )
    return name
