"""Calls that are nearly right: made from the OpenAPI document, with true names here and junk there.

Nothing that is made here can harm the machine: what is written, moved or deleted lies below one
temporary folder, commands are ``env`` or nothing, hosts end in ``.invalid``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

#: Left out, because its answer has no end. A followed output ends, as the job that is followed has.
ENDLESS = frozenset({"jobs.getJobEvents"})

HOSTILE = (
    "x", "", " ", "'", '"', "a b", "😀", "é", "\u202e\u2028", "$(touch canary)", "`touch canary`",
    "; touch canary", "${JobUUID}", "${", "${None}", "HOST_EVAL($NONE)", "!tapis_not_set", "%00", "%", "\\",
    "x" * 300, "x" * 5000, "*", "REGEX:(", "1", "-1", "null", "(a.eq.b)~(", "' OR 1=1 --", "{{x}}", "\x00",
    "a\nb", "\x7f", "\ufeff", "a/b", "~", "0,", "bytes=5-2", "99999999999999999999", "1e400", "created(desc)",
)  # fmt: skip
JUNK = st.one_of(
    st.sampled_from(HOSTILE),
    st.sampled_from([None, True, False, 0, -1, 1.5, 2**31, 2**63, -(2**63) - 1, 1e308]),
    st.sampled_from([[], {}, [None], [[1]], {"a": {}}, {"self": 1}, [{}], [""]]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
#: How many in so many values are junk.
ODDS = 25


@dataclass(frozen=True, kw_only=True)
class Place:
    """What calls may be about."""

    #: The only directory below which something is written or deleted.
    folder: str
    #: A job that has ended.
    job: str
    owner: str
    #: A token that may be lost.
    token: str

    def names(self) -> Mapping[str, Sequence[Any]]:
        """Return what makes sense for a parameter or field, by its name."""
        directory = (f"{self.folder}/jobs/${{JobUUID}}", f"{self.folder}/one", "${JobWorkingDir}/x")
        return {
            "jobUuid": (self.job, "none-007"),
            "uuids": ([self.job], [self.job, "none"], []),
            "appId": ("bash", "bash", "python", "fuzz-app", "none"),
            "appVersion": ("1.0", "1.0", "1", "none"),
            "systemId": ("local", "fuzz-system", "none"),
            "execSystemId": ("local", "fuzz-system"),
            "archiveSystemId": ("local",),
            "id": ("fuzz-app", "fuzz-system", "fuzz-new"),
            "version": ("1", "2"),
            "name": ("script", "job", "${AppId}"),
            "owner": (self.owner,),
            "userName": (self.owner, "somebody"),
            "username": (self.owner, "somebody"),
            "tenantId": ("jupyter", "none"),
            "tenant": ("jupyter",),
            "grant_type": ("password",),
            "token": (self.token, "x.y.z"),
            "sourceUrl": ("data:,true", f"tapis://local{self.folder}/here.txt", "tapislocal://exec.tapis/x"),
            "targetPath": ("script.sh", "a/b", "*", "😀"),
            "targetDir": ("a", "*"),
            "containerImage": ("/nowhere.zip", "docker.invalid/x"),
            "runtime": ("ZIP",),
            "runtimeType": ("ZIP",),
            "host": ("host.invalid",),
            "rootDir": (self.folder,),
            "mpiCmd": ("env",),
            "cmdPrefix": ("env",),
            "key": ("KEY", "OTHER"),
            "arg": ("one", "'two words'", "--opt value", "$HOME"),
            "operation": ("COPY", "MOVE"),
            "newPath": (f"{self.folder}/a", f"{self.folder}/b/c"),
            "search": ("(id.like.*)", "(enabled.eq.true)", ["name LIKE '%'"], ["status = 'FINISHED'"]),
            "select": ("allAttributes", "summaryAttributes", "id", "id,name"),
            "orderBy": ("created(desc)", "name(asc)", "id"),
            "startAfter": ("a", "2026-01-01"),
            "range": ("0,3", "bytes=1-2", "bytes=-1"),
            "more": ("1", "2"),
            "pattern": ("*", "*.txt", "regex:.*"),
            "path": ("", f"{self.folder}/here.txt", f"{self.folder}/folder", "out.txt", "/"),
            **dict.fromkeys(
                (
                    "execSystemExecDir", "execSystemInputDir", "execSystemOutputDir", "archiveSystemDir",
                    "dtnSystemInputDir", "dtnSystemOutputDir", "jobWorkingDir",
                ),
                directory,
            ),
        }  # fmt: skip


#: Fields that say where something is written or what is run: no made-up text goes there.
GUARDED = frozenset(
    {
        "execSystemExecDir", "execSystemInputDir", "execSystemOutputDir", "archiveSystemDir", "jobWorkingDir",
        "dtnSystemInputDir", "dtnSystemOutputDir", "rootDir", "mpiCmd", "cmdPrefix", "sourceUrl",
        "sourceUrls", "containerImage", "newPath", "targetPath", "targetDir", "host",
    }
)  # fmt: skip
#: What is there from the start is looked at, but neither changed nor taken away.
OWN = {"appId": ("fuzz-app", "none"), "systemId": ("fuzz-system", "none")}


class Maker:
    """Draws calls of the operations of one OpenAPI document."""

    def __init__(self, document: Mapping[str, Any], place: Place) -> None:
        self._schemas = document["components"]["schemas"]
        self._place = place
        self._names = place.names()

    def call(self, draw: Any, path: str, method: str, operation: Mapping[str, Any]) -> dict[str, Any]:
        """Return method, URL and further arguments of one call."""
        # A zip file of the whole disk would never end.
        writes = path.startswith("/v3/files/content") or (path.startswith("/v3/files/") and method != "get")
        changes = method != "get" and path.startswith(("/v3/apps", "/v3/systems"))
        for parameter in operation["parameters"]:
            if parameter["in"] == "path":
                text = self._part(draw, parameter["name"], writes=writes, changes=changes)
                path = path.replace(f"{{{parameter['name']}}}", text)
        more: dict[str, Any] = {"params": self._texts(draw, operation, "query")}
        more["headers"] = {
            name: text.encode("ascii", "replace").decode()
            for name, text in self._texts(draw, operation, "header").items()
            if text.isprintable() and text.strip() == text
        }
        content = operation.get("requestBody", {}).get("content", {})
        if "multipart/form-data" in content:
            more["files"] = {draw(st.sampled_from(["file", "file", "other"])): ("x", b"content")}
        elif "application/json" in content:
            more["json"] = self._body(draw, content["application/json"]["schema"], writes=writes)
        return {"method": method.upper(), "url": path, **more}

    def _part(self, draw: Any, name: str, *, writes: bool, changes: bool) -> str:
        if name == "path" and writes:
            text = f"{self._place.folder}/{self._below(draw)}"
        elif name == "systemId" and writes:
            text = "local"
        elif changes and name in OWN:
            text = draw(st.sampled_from(OWN[name]))
        elif _is_odd(draw):
            text = str(draw(JUNK))
        else:
            text = draw(st.sampled_from([str(value) for value in self._names.get(name, HOSTILE)]))
        if name != "path":
            # A call without this part would be one of another route.
            text = text or "x"
        # Dots are encoded, for the client would resolve them itself.
        return quote(text, safe="").replace(".", "%2E")

    def _below(self, draw: Any) -> str:
        """Return a path below the folder: what is written or deleted can be nowhere else."""
        segments = draw(st.lists(st.sampled_from([*HOSTILE, "a", "b", "here.txt"]), min_size=1, max_size=3))
        return "/".join(segment for segment in segments if segment.strip(". /")) or "a"

    def _texts(self, draw: Any, operation: Mapping[str, Any], kind: str) -> dict[str, str]:
        """Return the query or the headers of a call."""
        found = {}
        for parameter in operation["parameters"]:
            if parameter["in"] == kind and draw(st.integers(0, 2)) == 0:
                value = self.value(draw, parameter["name"], parameter["schema"])
                found[parameter["name"]] = value if isinstance(value, str) else str(value)
        return found

    def _body(self, draw: Any, schema: Mapping[str, Any], *, writes: bool) -> Any:
        body = self.value(draw, "body", schema)
        if not (writes and isinstance(body, dict)):
            return body
        # mkdir has a path in its body, moveCopy a newPath.
        guarded = {key: f"{self._place.folder}/{self._below(draw)}" for key in ("path", "newPath")}
        return {key: guarded.get(key, value) for key, value in body.items()}

    def value(self, draw: Any, name: str, schema: Mapping[str, Any], depth: int = 0) -> Any:
        """Return a value for a field: one that makes sense, one of the schema's form, or junk."""
        if _is_odd(draw):
            junk = draw(JUNK)
            return draw(st.sampled_from([None, 5, []])) if name in GUARDED else junk
        if name == "fileInputs" and draw(st.booleans()):
            return [{"name": "script", "sourceUrl": "data:,true"}]
        if name in self._names:
            return draw(st.sampled_from(self._names[name]))
        return self._of_form(draw, name, self._resolved(schema), depth)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].rsplit("/", 1)[-1]]
        return schema

    def _of_form(self, draw: Any, name: str, schema: Mapping[str, Any], depth: int) -> Any:
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                chosen = draw(st.sampled_from(schema[choice]))
                return self._of_form(draw, name, self._resolved(chosen), depth)
        if "enum" in schema or "const" in schema:
            return draw(st.sampled_from(schema.get("enum", [schema.get("const")])))
        make = self._FORMS.get(schema.get("type", ""), Maker._anything)
        return make(self, draw, name, schema, depth)

    def _object(self, draw: Any, _: str, schema: Mapping[str, Any], depth: int) -> Any:
        fields = schema.get("properties", {})
        needed = set(schema.get("required", ()))
        chance = 3 if depth == 0 else 2
        wanted = [key for key in fields if key in needed or draw(st.integers(0, chance)) == 0]
        made = {key: self.value(draw, key, fields[key], depth + 1) for key in wanted}
        if not fields or _is_odd(draw):
            made[draw(st.sampled_from(["", "self", "unknown", "appid"]))] = draw(JUNK)
        return made

    def _array(self, draw: Any, name: str, schema: Mapping[str, Any], depth: int) -> Any:
        if name in GUARDED:
            return ["data:,true"] * draw(st.integers(0, 2))
        count = draw(st.integers(0, 2))
        return [self.value(draw, f"{name}[]", schema.get("items", {}), depth + 1) for _ in range(count)]

    def _string(self, draw: Any, name: str, *_: Any) -> Any:
        return draw(st.sampled_from(("x", "a text"))) if name in GUARDED else draw(st.sampled_from(HOSTILE))

    def _anything(self, draw: Any, name: str, *_: Any) -> Any:
        return None if name in GUARDED else draw(JUNK)

    _FORMS = {  # noqa: RUF012 - never changed
        "object": _object,
        "array": _array,
        "string": _string,
        "integer": lambda self, draw, *_: draw(st.sampled_from([1, 2, 0, -1, 100])),
        "number": lambda self, draw, *_: draw(st.sampled_from([1, 0.5])),
        "boolean": lambda self, draw, *_: draw(st.booleans()),
        "null": lambda self, draw, *_: None,
    }


def _is_odd(draw: Any) -> bool:
    # A number from the middle: hypothesis is fond of the ends.
    return bool(draw(st.integers(1, ODDS)) == ODDS // 2)
