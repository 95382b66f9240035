"""From the rows of a study to its cases: each rendered, made a Tapis request, and given its id."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.batch_script import LONGEST_NAME
from ..model.case_identity import app_identity, case_id, local_input, remote_input
from ..model.case_template import Template, rendered
from ..model.case_values import Row, row_words
from ..model.errors import InvalidInputError, NotFoundError
from ..model.urls import TAPIS, system_and_path
from .builder import RequestBuilder
from .carrier import INLINE_FILE, Carrier, inlined
from .connection import path_text, segment
from .study_calls import Case
from .study_template import StudyTemplate

if TYPE_CHECKING:
    from .tapis import Tapis

#: Bytes of one content that travel inside requests again and again, before it is uploaded once for all.
_REPEATED = 256 * 1024
#: First rows that are rendered in any case: a preview shows them.
_SHOWN = 10
_DATA = "data:"


@dataclass(slots=True)
class Built:
    """The cases of some rows, and what is wrong with the others."""

    cases: list[Case] = field(default_factory=list)
    #: ``row caseId message field`` of each row that is no case.
    errors: list[Mapping[str, Any]] = field(default_factory=list)
    #: Bytes that travel with a case on average, and once for all.
    bytes_each: int = 0
    bytes_once: int = 0
    #: The app of the first case.
    app: Mapping[str, Any] = field(default_factory=dict)
    #: Case id -> its row among those given.
    rows: dict[str, int] = field(default_factory=dict)

    def at_home(self, errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return what the server says of cases, by the rows that the person knows."""
        given = {case.case_id: case.parameters or {} for case in self.cases} if errors else {}
        return [self._at_home(error, given) for error in errors]

    def _at_home(self, error: Mapping[str, Any], given: Mapping[str, Row]) -> Mapping[str, Any]:
        case = str(error.get("caseId"))
        row = self.rows.get(case)
        if row is None:
            return {**error, "row": None}
        return {**error, "row": row, "message": _of_row(row, given[case], str(error.get("message")))}


class CaseCarrier(Carrier):
    """Carries the content of many cases: what differs inside their requests, what is the same once.

    There is no limit for all together, as calls are cut to what the server takes.
    """

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        #: Digest of a content -> bytes of it that travel inside requests so far.
        self._repeated: dict[str, int] = {}
        self._contents: dict[Path, bytes] = {}
        #: Address of an upload -> its bytes.
        self.uploads: dict[str, int] = {}
        self.inline = 0
        #: What stands for the local files of the present case in its id.
        self.local: list[str] = []

    def file(self, path: Path, target: str) -> list[dict[str, Any]]:
        """Return the file inputs of a local file or folder, and note their content for the case's id."""
        if path.is_dir():
            return super().file(path, target)
        self.local.append(local_input(target, self._digest(path)))
        if path.stat().st_size > INLINE_FILE:
            return super().file(path, target)
        if path not in self._contents:
            self._contents[path] = path.read_bytes()
        return [self.content(target, self._contents[path])]

    def _source(self, target: str, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        so_far = self._repeated.get(digest, 0) + len(data)
        if not self._inline_left or len(data) > INLINE_FILE or so_far > _REPEATED:
            return self._uploaded_data(digest, target, data)
        self._repeated[digest] = so_far
        self.inline += len(data)
        return inlined(data)

    def _uploaded(self, digest: str, name: str, size: int, opened: Any) -> str:
        url = super()._uploaded(digest, name, size, opened)
        self.uploads[url] = size
        return url


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A row and what came of it: what is given for its case, or what is wrong with it."""

    number: int
    row: Row
    template: Template
    given: Mapping[str, Any] | None
    error: InvalidInputError | None
    #: The id of a case that needs no request.
    settled: str | None


class CaseBuilder:
    """Builds the cases of one study; made anew for each preview or run."""

    def __init__(self, tapis: Tapis, template: StudyTemplate, study: str) -> None:
        self._tapis = tapis
        self._template = template
        self._study = study
        self._requests = RequestBuilder(tapis, CaseCarrier)
        self._apps: dict[tuple[str, str], str] = {}
        self._facts: dict[str, tuple[int | None, str | None]] = {}

    def build(self, rows: Sequence[Row], first: int = 0, settled: Collection[str] = ()) -> Built:
        """Return the cases of *rows*; the first is number *first* of the study, from 0.

        Cases whose ids are *settled* need no request, as the server has them done or in flight; those of
        the first rows get one all the same, to be shown. What is wrong with single rows is collected;
        raises ``InvalidInputError`` for a template that fits none of them.
        """
        with _uncollected():
            return self._built(rows, first, settled)

    def _built(self, rows: Sequence[Row], first: int, settled: Collection[str]) -> Built:
        built = Built()
        for one in self._rendered(rows, settled):
            number = one.number
            if one.error is not None:
                built.errors.append({"row": number, "message": one.error.message, "field": one.error.field})
                continue
            try:
                case = self._case(one, first + number)
            except InvalidInputError as cause:
                message = _of_row(number, one.row, cause.message)
                built.errors.append({"row": number, "message": message, "field": cause.field})
                continue
            if case.case_id in built.rows:
                # Given with and without a column that has its default.
                continue
            built.rows[case.case_id] = number
            built.cases.append(case)
        self._tell_bytes(built)
        return built

    def _rendered(self, rows: Sequence[Row], settled: Collection[str]) -> list[_Rendered]:
        """Return each row with its template and what came of it; rows with the same columns go together."""
        numbered = sorted(enumerate(rows), key=lambda pair: list(pair[1]))
        found = []
        for columns, group in groupby(numbered, key=lambda pair: list(pair[1])):
            numbers, some = zip(*group, strict=True)
            template = self._template.of(columns)
            ids = self._settled_ids(template, some, settled)
            requests, errors = rendered(template, some, numbers=numbers, leave=ids)
            wrong = {error.row: error for error in errors}
            for place, (number, row) in enumerate(zip(numbers, some, strict=True)):
                error, known = wrong.get(number), ids.get(place)
                found.append(_Rendered(number, row, template, requests[place], error, known))
        return sorted(found, key=lambda one: one.number)

    def _settled_ids(
        self, template: Template, rows: Sequence[Row], settled: Collection[str]
    ) -> dict[int, str]:
        """Return place -> id of the settled cases among *rows*, as far as ids are known without requests.

        That is so where app and inputs are the same for all of them.
        """
        if not settled or not self._template.has_steady_inputs or len(rows) <= _SHOWN:
            return {}
        before = {carrier: carrier.inline for carrier in self._carriers()}
        try:
            wanted = {"name": self._study, **self._template.request(template.render(rows[0]))}
            identity = self._identity(template, wanted, self._request(wanted))
        except InvalidInputError:
            # Each row tells for itself.
            return {}
        for carrier in self._carriers():
            carrier.inline = before.get(carrier, 0)
        ids = ((place, identity(row)) for place, row in enumerate(rows[_SHOWN:], _SHOWN))
        return {place: found for place, found in ids if found in settled}

    def _case(self, one: _Rendered, number: int) -> Case:
        if one.settled is not None:
            return Case(one.settled, one.row)
        wanted = self._template.request(one.given or {})
        wanted.setdefault("name", _job_name(self._study, number + 1))
        request = self._request(wanted)
        return Case(self._identity(one.template, wanted, request)(one.row), one.row, request)

    def _request(self, wanted: dict[str, Any]) -> dict[str, Any]:
        for carrier in self._carriers():
            carrier.local = []
        return self._requests.request(wanted, {})

    def _identity(
        self, template: Template, wanted: Mapping[str, Any], request: Mapping[str, Any]
    ) -> Callable[[Row], str]:
        """Return what tells the id of a case with the app, the inputs and the work of *request*."""
        app, work = self._app(request), template.work_of(wanted)
        inputs = [*self._local(), *self._remote(request)]
        uses, defaults = template.uses, self._template.defaults
        return lambda row: case_id(row, uses, app, inputs, work=work, defaults=defaults)

    def _app(self, request: Mapping[str, Any]) -> str:
        key = (str(request["appId"]), str(request.get("appVersion") or ""))
        if key not in self._apps:
            self._apps[key] = app_identity(self._requests.app(*key))
        return self._apps[key]

    def _carriers(self) -> list[CaseCarrier]:
        return [carrier for carrier in self._requests.carriers if isinstance(carrier, CaseCarrier)]

    def _local(self) -> list[str]:
        return [told for carrier in self._carriers() for told in carrier.local]

    def _remote(self, request: Mapping[str, Any]) -> list[str]:
        """Return what stands for the inputs that are elsewhere; uploads are told by their content."""
        carriers = self._carriers()
        found = []
        for item in request.get("fileInputs") or ():
            url = str(item.get("sourceUrl") or "")
            if url.startswith(_DATA) or any(url in carrier.uploads for carrier in carriers):
                continue
            if url:
                found.append(remote_input(url, str(item.get("targetPath") or ""), *self._fact(url)))
        return found

    def _fact(self, url: str) -> tuple[int | None, str | None]:
        """Return size and time of a file on a system of Tapis, asked for once; of other addresses nothing."""
        if url not in self._facts:
            self._facts[url] = self._asked(url) if url.startswith(TAPIS) else (None, None)
        return self._facts[url]

    def _asked(self, url: str) -> tuple[int | None, str | None]:
        system, path = system_and_path(url)
        try:
            address = f"/v3/files/ops/{segment(system)}/{path_text(path)}"
            rows = self._tapis.connection.get(address, limit=1000) or []
        except NotFoundError:
            # The job itself will tell that it is not there.
            return None, None
        times = [str(row.get("lastModified") or "") for row in rows]
        return sum(int(row.get("size") or 0) for row in rows), max(times, default=None)

    def _tell_bytes(self, built: Built) -> None:
        carriers = self._carriers()
        built.bytes_once = sum(sum(carrier.uploads.values()) for carrier in carriers)
        if built.cases:
            whole = sum(case.request is not None for case in built.cases)
            built.bytes_each = sum(carrier.inline for carrier in carriers) // max(1, whole)
            request = built.cases[0].request or {}
            built.app = self._requests.app(str(request.get("appId")), request.get("appVersion"))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no cycles of objects: thousands are made that have none, and looking takes a third more."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _job_name(study: str, number: int) -> str:
    """A study may have a longer name than a job: as much of it as there is room for, and the number."""
    tail = f"-{number}"
    return study[: LONGEST_NAME - len(tail)] + tail


def _of_row(number: int, row: Row, message: str) -> str:
    """Return what is wrong with a case, by its row and what is in its columns."""
    return f"Row {number} ({row_words(row)}): {message}"
