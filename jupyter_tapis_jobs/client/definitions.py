"""Definitions of apps, systems and scheduler profiles: read from files, taken to a server, written back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.builtin import BUILTIN
from ..model.errors import ConflictError, InvalidInputError, NotFoundError, TapisJobsError, did_you_mean
from .connection import segment

if TYPE_CHECKING:
    from ..model.definitions import Definition, Kind
    from .tapis import Tapis

#: Names of files that are looked at in a folder.
SUFFIXES = (".json", ".yaml", ".yml")
_PROFILES = "/v3/systems/schedulerProfile"
#: Rows of one page of a list.
_PAGE = 1000


# --- reading files ----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Found:
    """What stands at one place of one file: a definition, or why it is none."""

    place: str
    definition: Definition | TapisJobsError


def definitions_in(paths: Iterable[str | Path]) -> list[Found]:
    """Return what *paths* hold: files of one definition or of a list, and folders of such files.

    Raises ``InvalidInputError`` for a path that is not there; what is wrong inside a file is told in place.
    """
    files = [file for path in paths for file in _files(Path(path))]
    return [found for file in dict.fromkeys(files) for found in definitions_of(_text(file), str(file))]


def definitions_of(text: str | TapisJobsError, place: str) -> list[Found]:
    """Return the definitions in a text of JSON or YAML; *place* is what it is called."""
    from ..model.definitions import read_definition

    if isinstance(text, TapisJobsError):
        return [Found(place, text)]
    try:
        raws = _items(text, place)
    except TapisJobsError as cause:
        return [Found(place, cause)]
    found = []
    for number, raw in enumerate(raws, start=1):
        here = place if len(raws) == 1 else f"{place} ({number} of {len(raws)})"
        try:
            found.append(Found(here, read_definition(raw)))
        except TapisJobsError as cause:
            found.append(Found(here, cause))
    return found


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if not inside:
            raise InvalidInputError(
                f"{path} holds no definitions: no file there ends in {', '.join(SUFFIXES)}.", field="FILE"
            )
        return [p for p in inside if not any(part.startswith(".") for part in p.relative_to(path).parts)]
    if path.is_file():
        return [path]
    beside = path.parent if path.parent.is_dir() else Path()
    names = sorted(p.name for p in beside.iterdir() if p.suffix.lower() in SUFFIXES or p.is_dir())
    raise InvalidInputError(
        f"{path} is not there.{did_you_mean(path.name, names)} "
        f"Files here: {', '.join(names[:12]) or 'none of JSON or YAML'}.",
        field="FILE",
        value=str(path),
    )


def _text(file: Path) -> str | TapisJobsError:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return InvalidInputError("it is no text: a definition is JSON or YAML in UTF-8.")
    except OSError as cause:
        return InvalidInputError(f"it cannot be read: {cause.strerror}.")


def _items(text: str, place: str) -> list[Any]:
    """Return the items of a JSON text, or of the documents of a YAML text; lists are opened."""
    documents = _json(text) if text.lstrip()[:1] in ("{", "[") else None
    if documents is None:
        documents = _yaml(text, place)
    items = [item for one in documents for item in _opened(one)]
    if not items:
        raise InvalidInputError("it is empty: a definition is an object with an id or a name.")
    return items


def _opened(document: Any) -> list[Any]:
    """A list is its items, also in the envelope of an answer; nothing is no item."""
    if isinstance(document, Mapping) and isinstance(document.get("result"), list):
        document = document["result"]
    return [] if document is None else document if isinstance(document, list) else [document]


def _json(text: str) -> list[Any] | None:
    try:
        return [json.loads(text)]
    except ValueError:
        # YAML has braces, too, and tells the line better.
        return None


def _yaml(text: str, place: str) -> list[Any]:
    import yaml

    try:
        return list(yaml.safe_load_all(text))
    except yaml.YAMLError as cause:
        mark = getattr(cause, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark is not None else ""
        problem = getattr(cause, "problem", None) or "it cannot be parsed"
        raise InvalidInputError(f"it is neither YAML nor JSON{line}: {problem}.", field=place) from None


# --- taking them to a server ------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one definition, or would become of it."""

    place: str
    title: str
    #: created, updated, unchanged, exists or refused.
    state: str
    #: One sentence where there is more to say.
    message: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """True when the server has it now as the file says, or would have it."""
        return self.state in ("created", "updated", "unchanged")


def imported(
    tapis: Tapis, found: Iterable[Found], *, update: bool = False, dry_run: bool = False
) -> Iterator[Outcome]:
    """Take definitions to the server: profiles first, then systems, then apps, which refer to each other.

    What is there already and differs is left alone and told, unless *update*. With *dry_run* nothing is
    changed, and the outcomes are what would be. One that is refused keeps none of the others back.
    """
    from ..model.definitions import Kind

    desk = _Desk(tapis, update=update, dry_run=dry_run)
    all_found = list(found)
    order = list(Kind)
    good = [
        (one.place, one.definition) for one in all_found if not isinstance(one.definition, TapisJobsError)
    ]
    for one in all_found:
        if isinstance(one.definition, TapisJobsError):
            message = one.definition.message
            yield Outcome(place=one.place, title="", state="refused", message=message)
    places: dict[str, str] = {}
    for place, definition in sorted(good, key=lambda pair: order.index(pair[1].kind)):
        first = places.setdefault(definition.title, place)
        if first != place:
            yield Outcome(
                place=place, title=definition.title, state="refused", message=f"{first} holds it already."
            )
        else:
            yield desk.take(place, definition)


class _Desk:
    """Looks at what the server has and changes it."""

    def __init__(self, tapis: Tapis, *, update: bool, dry_run: bool) -> None:
        self._connection = tapis.connection
        self._update = update
        self._dry_run = dry_run

    def take(self, place: str, definition: Definition) -> Outcome:
        """Take one definition; what goes wrong is its outcome."""
        told: list[str] = list(definition.warnings)
        try:
            state, message = self._taken(definition, told)
        except TapisJobsError as cause:
            state, message = "refused", cause.message
        return Outcome(
            place=place,
            title=definition.title,
            state=state,
            message=message,
            warnings=tuple(dict.fromkeys(told)),
        )

    def _taken(self, definition: Definition, told: list[str]) -> tuple[str, str]:
        from ..model.definitions import Kind, differing

        stored = self._stored(definition)
        if stored is None:
            if not self._dry_run:
                told += self._created(definition)
            return "created", ""
        names = differing(definition.kind, stored, definition.wire)
        if not names:
            return "unchanged", ""
        what = f"differs in {', '.join(names[:6])}{' …' if len(names) > 6 else ''}"
        if not self._update:
            return "exists", f"it is there already and {what}; --update replaces it."
        if not self._dry_run:
            told += (
                self._replaced_profile(definition, stored)
                if definition.kind is Kind.PROFILE
                else self._warnings("PUT", _address(definition), definition)
            )
        return "updated", f"it {what.replace('differs', 'differed')}."

    def _stored(self, definition: Definition) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._connection.get(_address(definition))
        except NotFoundError:
            return None
        return found

    def _created(self, definition: Definition) -> list[str]:
        try:
            return self._warnings("POST", _folder(definition), definition)
        except ConflictError as cause:
            if not self._update or "deleted" not in cause.message:
                raise
        self._connection.post(f"{_folder(definition)}/{segment(definition.name)}/undelete")
        if self._stored(definition) is None:
            # The app is back, but this version of it never was.
            return self._warnings("POST", _folder(definition), definition)
        return self._warnings("PUT", _address(definition), definition)

    def _replaced_profile(self, definition: Definition, stored: Mapping[str, Any]) -> list[str]:
        """Delete a profile and make it anew, the old one if that fails: no call of Tapis changes one."""
        from ..model.definitions import own_part

        self._connection.call("DELETE", _address(definition))
        try:
            return self._warnings("POST", _PROFILES, definition)
        except TapisJobsError:
            self._connection.post(_PROFILES, own_part(definition.kind, stored))
            raise

    def _warnings(self, method: str, address: str, definition: Definition) -> list[str]:
        answer = self._connection.call(method, address, json=definition.to_send()).result
        return list((answer or {}).get("warnings") or ())


def _folder(definition: Definition) -> str:
    from ..model.definitions import Kind

    folders = {Kind.APP: "/v3/apps", Kind.SYSTEM: "/v3/systems", Kind.PROFILE: _PROFILES}
    return folders[definition.kind]


def _address(definition: Definition) -> str:
    version = f"/{segment(definition.version)}" if definition.version else ""
    return f"{_folder(definition)}/{segment(definition.name)}{version}"


# --- writing them back ------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One definition of the server, as a file holds it."""

    kind: Kind
    name: str
    version: str | None
    definition: Mapping[str, Any]

    @property
    def file(self) -> str:
        """``apps/opensees-3.7.json``, below the folder of the export."""
        return f"{self.kind}s/{'-'.join(filter(None, (self.name, self.version)))}"


def exported(tapis: Tapis, names: Sequence[str] = (), *, kinds: Sequence[str] = ()) -> list[Exported]:
    """Return definitions of the server: the caller's own of all *kinds*, or those that *names* say.

    What every server of ours has from the start is exported by its name only. A name is an id or a
    profile's name; ``id@version`` is one version of an app, an id alone is all of them. Raises
    ``NotFoundError`` with the nearest name for one that is not there.
    """
    from ..model.definitions import Kind

    wanted = [Kind(kind) for kind in kinds] or list(Kind)
    rows = [row for kind in wanted for row in _rows(tapis, kind, "ALL" if names else "OWNED")]
    if not names:
        ours = tapis.server() is not None
        return [row for row in rows if not (ours and row.name in BUILTIN[row.kind])]
    chosen = [row for name in names for row in _named(name, rows)]
    return list({(row.kind, row.name, row.version): row for row in chosen}.values())


def _rows(tapis: Tapis, kind: Kind, list_type: str) -> list[Exported]:
    """Return what the server lists of a kind."""
    from ..model.definitions import Kind, own_part

    get = tapis.connection.get
    if kind is Kind.PROFILE:
        # Everybody sees all profiles; which are one's own is told by the name.
        me = get("/v3/oauth2/userinfo")["username"] if list_type == "OWNED" else None
        found = [row for row in get(_PROFILES) or [] if me is None or row.get("owner") == me]
    elif kind is Kind.SYSTEM:
        found = _all(tapis, "/v3/systems", list_type, {})
    else:
        # A search that names the version sees all versions, a plain list the latest only.
        found = _all(tapis, "/v3/apps", list_type, {"search": "(version.neq.-)"})
    return [
        Exported(
            kind=kind,
            name=str(row.get("id") or row.get("name")),
            version=row.get("version") if kind is Kind.APP else None,
            definition=own_part(kind, row),
        )
        for row in found
    ]


def _all(tapis: Tapis, path: str, list_type: str, more: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Return all rows of a list, page by page."""
    rows: list[Mapping[str, Any]] = []
    while True:
        query = {"listType": list_type, "select": "allAttributes", "limit": _PAGE, "skip": len(rows), **more}
        page = tapis.connection.get(path, **query) or []
        rows += page
        if len(page) < _PAGE:
            return rows


def _named(name: str, rows: Sequence[Exported]) -> list[Exported]:
    wanted, _, version = name.partition("@")
    versions = [row for row in rows if row.name == wanted]
    found = [row for row in versions if version in ("", row.version)]
    if found:
        return found
    if versions:
        there = ", ".join(str(row.version) for row in versions)
        raise NotFoundError(f"{wanted} has no version {version}. Versions: {there}.")
    names = sorted({row.name for row in rows})
    raise NotFoundError(
        f"'{name}' is no app, system or scheduler profile that you can see."
        f"{did_you_mean(name, names)} There are: {', '.join(names[:20])}{' …' if len(names) > 20 else ''}."
    )


def as_text(definition: Any, *, yaml: bool = False) -> str:
    """Return a definition, or a list of some, as JSON or YAML."""
    if not yaml:
        return json.dumps(definition, indent=2, ensure_ascii=False) + "\n"
    import yaml as yaml_module

    text: str = yaml_module.safe_dump(definition, sort_keys=False, allow_unicode=True, width=100)
    return text
