"""From the rows of a study to its cases: each rendered, made a Tapis request, and given its id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.batch_script import LONGEST_NAME
from ..model.case_identity import app_identity, case_id, local_input, remote_input
from ..model.case_template import Template, rendered
from ..model.case_values import Row, row_words
from ..model.errors import InvalidInputError, NotFoundError
from .builder import RequestBuilder
from .carrier import INLINE_FILE, Carrier, inlined
from .connection import path_text, segment
from .study_calls import Case
from .study_template import StudyTemplate

if TYPE_CHECKING:
    from .tapis import Tapis

#: Bytes of one content that travel inside requests again and again, before it is uploaded once for all.
_REPEATED = 256 * 1024
_DATA, _TAPIS = "data:", "tapis://"


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


class CaseBuilder:
    """Builds the cases of one study; made anew for each preview or run."""

    def __init__(self, tapis: Tapis, template: StudyTemplate, study: str) -> None:
        self._tapis = tapis
        self._template = template
        self._study = study
        self._requests = RequestBuilder(tapis, CaseCarrier)
        self._apps: dict[tuple[str, str], str] = {}
        self._facts: dict[str, tuple[int | None, str | None]] = {}

    def build(self, rows: Sequence[Row], first: int = 0) -> Built:
        """Return the cases of *rows*; the first is number *first* of the study, from 0.

        What is wrong with single rows is collected; raises ``InvalidInputError`` for a template that
        fits none of them.
        """
        built = Built()
        for number, row, template, given, error in self._rendered(rows):
            if error is not None:
                built.errors.append({"row": number, "message": error.message, "field": error.field})
                continue
            try:
                case = self._case(row, template, given, first + number)
            except InvalidInputError as cause:
                told = {"row": number, "message": _of_row(number, row, cause.message), "field": cause.field}
                built.errors.append(told)
                continue
            if case.case_id in built.rows:
                # Given with and without a column that has its default.
                continue
            built.rows[case.case_id] = number
            built.cases.append(case)
        self._tell_bytes(built)
        return built

    def _rendered(self, rows: Sequence[Row]) -> Iterator[tuple[int, Row, Template, Any, Any]]:
        """Yield number, row, template, rendered request and error of each row.

        Rows with the same columns are rendered together.
        """
        numbered = sorted(enumerate(rows), key=lambda pair: list(pair[1]))
        found = []
        for columns, group in groupby(numbered, key=lambda pair: list(pair[1])):
            numbers, some = zip(*group, strict=True)
            template = self._template.of(columns)
            requests, errors = rendered(template, some)
            wrong = {error.row: error for error in errors}
            for place, (number, row) in enumerate(zip(numbers, some, strict=True)):
                found.append((number, row, template, requests[place], wrong.get(place)))
        yield from sorted(found, key=lambda item: item[0])

    def _case(self, row: Row, template: Template, given: Mapping[str, Any], number: int) -> Case:
        wanted = self._template.request(given)
        wanted.setdefault("name", _job_name(self._study, number + 1))
        for carrier in self._carriers():
            carrier.local = []
        request = self._requests.request(wanted, {})
        identity = case_id(
            row,
            template.uses,
            self._app(request),
            [*self._local(), *self._remote(request)],
            work=template.work_of(wanted),
            defaults=self._template.defaults,
        )
        return Case(identity, row, request)

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
            self._facts[url] = self._asked(url) if url.startswith(_TAPIS) else (None, None)
        return self._facts[url]

    def _asked(self, url: str) -> tuple[int | None, str | None]:
        system, _, path = url.removeprefix(_TAPIS).partition("/")
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
            built.bytes_each = sum(carrier.inline for carrier in carriers) // len(built.cases)
            request = built.cases[0].request or {}
            built.app = self._requests.app(str(request.get("appId")), request.get("appVersion"))


def _job_name(study: str, number: int) -> str:
    """A study may have a longer name than a job: as much of it as there is room for, and the number."""
    tail = f"-{number}"
    return study[: LONGEST_NAME - len(tail)] + tail


def _of_row(number: int, row: Row, message: str) -> str:
    """Return what is wrong with a case, by its row and what is in its columns."""
    return f"Row {number} ({row_words(row)}): {message}"
