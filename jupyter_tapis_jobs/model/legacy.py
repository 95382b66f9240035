"""Old spellings that live on in tutorials, put into today's words.

- ``"meta": {"name": ..., "required": ...}`` on an argument or input: its own ``name`` and ``inputMode``.
- ``"notifications": [{"url", "event", "persistent"}]``: ``subscriptions``.
- ``"ttlminutes"`` of a subscription (so the published OpenAPI document has it): ``ttlMinutes``.
- ``eventCategoryFilter`` in an app, or ``jobEventCategoryFilter`` in a request: each other's word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .status import JobStatus

_ARGUMENT_LISTS = ("appArgs", "containerArgs", "schedulerOptions")
_STATUS_EVENT = "JOB_NEW_STATUS"
_STATUSES = frozenset(status.value for status in JobStatus)

Found = tuple[dict[str, Any], list[str]]


def translated_request(raw: Mapping[str, Any]) -> Found:
    """Return a request in today's words, and one sentence for each thing translated."""
    return _translated(raw, filter_name="eventCategoryFilter", modes=None)


def translated_app(raw: Mapping[str, Any]) -> Found:
    """Return an app definition in today's words, and one sentence for each thing translated."""
    attributes = raw.get("jobAttributes")
    if not isinstance(attributes, Mapping):
        return dict(raw), []
    inner, warnings = _translated(
        attributes,
        filter_name="jobEventCategoryFilter",
        modes={"argument": ("INCLUDE_BY_DEFAULT", "REQUIRED"), "input": ("OPTIONAL", "REQUIRED")},
    )
    return {**raw, "jobAttributes": inner}, [f"jobAttributes.{warning}" for warning in warnings]


def _translated(
    raw: Mapping[str, Any], *, filter_name: str, modes: dict[str, tuple[str, str]] | None
) -> Found:
    plain, warnings = dict(raw), list[str]()
    if "notifications" in plain:
        _notifications(plain, filter_name, warnings)
    if plain.get("subscriptions"):
        plain["subscriptions"] = [
            _with_filter(today_subscription(item), filter_name) for item in _items(plain["subscriptions"])
        ]
    if _has_meta(plain.get("fileInputs")):
        plain["fileInputs"] = list(_without_meta(plain["fileInputs"], "fileInputs", "input", modes, warnings))
    parameters = plain.get("parameterSet")
    if isinstance(parameters, Mapping):
        for name in _ARGUMENT_LISTS:
            if _has_meta(parameters.get(name)):
                place = f"parameterSet.{name}"
                items = list(_without_meta(parameters[name], place, "argument", modes, warnings))
                parameters = {**parameters, name: items}
        plain["parameterSet"] = parameters
    return plain, warnings


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _has_meta(items: Any) -> bool:
    return isinstance(items, list) and any(
        isinstance(item, Mapping) and isinstance(item.get("meta"), Mapping) for item in items
    )


def _without_meta(
    items: list[Any], place: str, kind: str, modes: dict[str, tuple[str, str]] | None, warnings: list[str]
) -> Iterator[Any]:
    for number, item in enumerate(items):
        if not (isinstance(item, Mapping) and isinstance(item.get("meta"), Mapping)):
            yield item
            continue
        meta = item["meta"]
        today = {key: value for key, value in item.items() if key not in ("meta", "inPlace")}
        for key in ("name", "description"):
            if meta.get(key) is not None:
                today.setdefault(key, meta[key])
        if modes is not None:
            today.setdefault("inputMode", modes[kind][bool(meta.get("required"))])
        warnings.append(f"{place}[{number}].meta is an old spelling; it was read as name and inputMode.")
        yield today


def _notifications(plain: dict[str, Any], filter_name: str, warnings: list[str]) -> None:
    old = [item for item in _items(plain.pop("notifications") or []) if isinstance(item, Mapping)]
    if not old:
        return
    plain["subscriptions"] = [
        *(plain.get("subscriptions") or []),
        *(_from_notification(item, filter_name) for item in old),
    ]
    warnings.append("notifications is an old spelling; it was read as subscriptions.")


def _from_notification(item: Mapping[str, Any], filter_name: str) -> dict[str, Any]:
    address = str(item.get("url", ""))
    is_mail = "@" in address and "://" not in address
    target = {
        "deliveryMethod": "EMAIL" if is_mail else "WEBHOOK",
        "deliveryAddress": address.removeprefix("mailto:"),
    }
    event = str(item.get("event") or "*")
    category = "ALL" if event in ("*", "ALL") else _STATUS_EVENT
    only = {"eventDetailFilter": [event]} if event in _STATUSES else {}
    return {filter_name: category, "deliveryTargets": [target], **only}


def _with_filter(item: Any, filter_name: str) -> Any:
    """Return a subscription whose filter has the name that an app, or a request, gives it."""
    (other,) = {"eventCategoryFilter", "jobEventCategoryFilter"} - {filter_name}
    if not isinstance(item, Mapping) or filter_name in item or other not in item:
        return item
    return {filter_name if key == other else key: value for key, value in item.items()}


def today_subscription(item: Any) -> Any:
    """Return a subscription with its time to live in today's spelling."""
    if not (isinstance(item, Mapping) and "ttlminutes" in item):
        return item
    today = {key: value for key, value in item.items() if key != "ttlminutes"}
    return {"ttlMinutes": item["ttlminutes"], **today}
