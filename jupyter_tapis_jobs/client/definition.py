"""The definition of an app or a system: a mapping that shows what a person needs to use it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class Definition(dict[str, Any]):
    """All that the server tells of an app or a system, in Tapis's field names."""

    def __repr__(self) -> str:
        title = " ".join(str(self[key]) for key in ("id", "version") if self.get(key))
        lines = [title, *(line for line in (self.get("description") or "").splitlines() if line.strip())]
        lines += [f"  {name}: {', '.join(items)}" for name, items in self._parts() if items]
        return "\n".join(lines)

    def _parts(self) -> Iterable[tuple[str, list[str]]]:
        attributes = self.get("jobAttributes") or {}
        parameters = attributes.get("parameterSet") or {}
        yield "inputs", [_item(item, "name") for item in attributes.get("fileInputs") or []]
        yield "args", [_item(item, "name") for item in parameters.get("appArgs") or []]
        yield "env", [_item(item, "key") for item in parameters.get("envVariables") or []]
        yield "queues", [str(queue.get("name")) for queue in self.get("batchLogicalQueues") or []]
        yield "runtimes", [str(kind.get("runtimeType")) for kind in self.get("jobRuntimes") or []]


def _item(item: Mapping[str, Any], key: str) -> str:
    mode = str(item.get("inputMode") or "")
    return f"{item.get(key)} ({mode.lower()})" if mode in ("REQUIRED", "FIXED") else str(item.get(key))
