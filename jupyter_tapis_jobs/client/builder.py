"""Builds the requests of one call; what must be asked of the server for it is asked once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..model.batch_script import job_name_of
from ..model.errors import InvalidInputError, did_you_mean
from ..model.extensions import Extension
from ..model.shorthands import SHORTHANDS, merged
from .carrier import Carrier
from .definition import Definition
from .request import app_variables, build, exec_systems

if TYPE_CHECKING:
    from .tapis import Tapis

_PYTHON = "TAPIS_PYTHON"
#: The fields of a request, Tapis's own names (a newer server may know more).
REQUEST_FIELDS = frozenset(
    {
        "name",
        "owner",
        "tenant",
        "description",
        "appId",
        "appVersion",
        "jobType",
        "archiveOnAppError",
        "archiveMode",
        "dynamicExecSystem",
        "execSystemConstraints",
        "execSystemId",
        "execSystemExecDir",
        "execSystemInputDir",
        "execSystemOutputDir",
        "execSystemLogicalQueue",
        "archiveSystemId",
        "archiveSystemDir",
        "dtnSystemInputDir",
        "dtnSystemOutputDir",
        "nodeCount",
        "coresPerNode",
        "memoryMB",
        "maxMinutes",
        "fileInputs",
        "fileInputArrays",
        "parameterSet",
        "subscriptions",
        "tags",
        "notes",
        "isMpi",
        "mpiCmd",
        "cmdPrefix",
    }
)


class RequestBuilder:
    """Made anew for each call: apps, systems and uploads are looked up once for all its jobs."""

    def __init__(self, tapis: Tapis, kind: type[Carrier] = Carrier) -> None:
        self._tapis = tapis
        self._kind = kind
        self._apps: dict[tuple[str, str], Definition] = {}
        self._carriers: dict[str | None, Carrier] = {}
        self._local_sets_python: bool | None = None

    def request(self, base: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the Tapis request for *base* with *given* over it."""
        wanted = merged(base, {key: value for key, value in given.items() if key not in SHORTHANDS})
        shorthands = {key: wanted.pop(key) for key in SHORTHANDS if key in wanted}
        shorthands |= {key: given[key] for key in SHORTHANDS if given.get(key) is not None}
        _check_names(wanted)
        if shorthands.get("process") is not None:
            self._tapis.need(Extension.PROCESSING, "process the outputs of jobs")
        request = exec_systems(wanted)
        app_id = request.get("appId")
        if not isinstance(app_id, str) or not app_id:
            raise InvalidInputError(
                "Which app? Give its id: tapis.submit('bash', …), or appId.", field="appId"
            )
        if request.get("appVersion") is None or shorthands:
            self._for_app(request, shorthands)
        if "name" not in request:
            request["name"] = job_name_of(request) or self._tapis.next_name(app_id)
        return request

    def _for_app(self, request: dict[str, Any], shorthands: Mapping[str, Any]) -> None:
        app = self.app(request["appId"], request.get("appVersion"))
        request["appVersion"] = app["version"]
        system = request.get("execSystemId") or (app.get("jobAttributes") or {}).get("execSystemId")
        env = {**self._kernel_python(app, system, request), **(shorthands.get("env") or {})}
        build(request, app, self._carrier(system), {**shorthands, "env": env or None})

    def app(self, app_id: str, version: Any) -> Definition:
        """Return the definition of an app, asked for once."""
        key = (app_id, str(version or ""))
        if key not in self._apps:
            self._apps[key] = self._tapis.app(*key)
        return self._apps[key]

    @property
    def carriers(self) -> list[Carrier]:
        """What has carried local content so far, one for each system."""
        return list(self._carriers.values())

    def _carrier(self, system: str | None) -> Carrier:
        if system not in self._carriers:
            self._carriers[system] = self._tapis.carrier(system, self._kind)
        return self._carriers[system]

    def _kernel_python(
        self, app: Mapping[str, Any], system: str | None, request: Mapping[str, Any]
    ) -> dict[str, str]:
        """On this machine ``python`` means this kernel's own Python, unless somebody says otherwise."""
        if system != "local" or _PYTHON not in app_variables(app) or not self._tapis.can(Extension.SERVER):
            return {}
        given = (request.get("parameterSet") or {}).get("envVariables") or []
        if any(item.get("key") == _PYTHON for item in given) or self._local_has_python():
            return {}
        return {_PYTHON: sys.executable}

    def _local_has_python(self) -> bool:
        if self._local_sets_python is None:
            variables = self._tapis.system("local").get("jobEnvVariables") or []
            self._local_sets_python = any(item.get("key") == _PYTHON for item in variables)
        return self._local_sets_python


def _check_names(request: Mapping[str, Any]) -> None:
    """A word that is nearly a shorthand is a slip; all other unknown words are the server's to refuse."""
    for name in request:
        if name not in REQUEST_FIELDS:
            hint = did_you_mean(name, {*REQUEST_FIELDS, *SHORTHANDS})
            if any(f"'{shorthand}'" in hint for shorthand in SHORTHANDS):
                raise InvalidInputError(f"'{name}' is not a field of a request.{hint}", field=name)
