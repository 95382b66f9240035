"""A parameter study as a notebook holds it: a frame of cases in, a frame of results out."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.errors import ConflictError, InvalidInputError, NotFoundError, TapisJobsError
from ..model.shorthands import SHORTHANDS, merged, variables
from ..model.status import JobStatus
from .progress import Silent
from .study_calls import Answer, Case, StudyCalls, refused_cases
from .study_cases import Built, CaseBuilder
from .study_chain import Chained, chain, chained
from .study_frame import BAD_ENDS, chosen, study_frame
from .study_info import counts, number, state_of, then_lines
from .study_preview import StudyPreview, measured_hours, most_hours
from .study_results import StudyResults
from .study_settings import settings_of
from .study_state import StudyState
from .study_steering import steer_cases
from .study_template import StudyTemplate, label_names
from .study_watch import TextDisplay, Watch, choose_display, wait_for_study

if TYPE_CHECKING:
    import pandas as pd

    from .tapis import Tapis

#: Cases from which on it is worth asking first which of them are done.
_MANY = 200
#: What a retry does not change: with it, it would be another case.
_MAKES_THE_CASE = frozenset({*SHORTHANDS, "appId", "appVersion", "fileInputs", "fileInputArrays"} - {"env"})


class Study(StudyResults):
    """One study. Made by ``tapis.study``, not by hand; the server keeps it."""

    def __init__(
        self,
        tapis: Tapis,
        name: str,
        template: StudyTemplate,
        *,
        rows: Sequence[Mapping[str, Any]] = (),
        settings: Mapping[str, Any] | None = None,
        is_there: bool = False,
        built: Built | None = None,
    ) -> None:
        #: The client that the study was made or found with.
        self.tapis = tapis
        largest = (tapis.server() or {}).get("maxBodyBytes")
        self._calls = StudyCalls(tapis.connection, name, largest=largest)
        self._template = template
        self._settings = dict(settings or {})
        self._rows = list(rows)
        #: How many of the rows were submitted, and what the others have become, once built.
        self._sent = 0
        self._built = built
        self._is_there = is_there
        #: What the last ``run`` or ``retry`` did.
        self.answer = Answer()

    def __repr__(self) -> str:
        try:
            state = self.state()
        except TapisJobsError as cause:
            return f"Study({self.name!r}): {cause.message}"
        unsent = len(self._rows) - self._sent
        more = f"\n  {unsent:,} rows given; study.run() runs what is new of them" if unsent else ""
        return state.text + more

    @property
    def name(self) -> str:
        """The study's name, one of its owner's."""
        return self._calls.name

    @property
    def template(self) -> Mapping[str, Any]:
        """The request with its placeholders, shorthands included."""
        return self._template.to_wire()

    # --- before ------------------------------------------------------------------------------
    def preview(self, samples: int = 1) -> StudyPreview:
        """Return what ``run()`` would do; nothing is submitted.

        Cases that are new, done or invalid, the way they are started, node hours, bytes, and the
        first *samples* rendered requests with their files.
        """
        info = self._info_or_none()
        built = self._ready()
        answer = self._tried(built)
        errors = [*built.errors, *answer.errors]
        hours = self._hours(built, answer)
        # What ended badly runs again, given here or not.
        failed = sum(counts(info).get(status, 0) for status in BAD_ENDS)
        return StudyPreview(
            name=self.name,
            cases=len(built.cases) + len(built.errors) + failed - answer.failed,
            new=len(built.cases) - answer.known - len(answer.errors),
            done=answer.done,
            in_flight=answer.in_flight,
            failed=failed,
            others=max(0, number(info, "cases") - answer.known - (failed - answer.failed)),
            launch_mode=answer.launch_mode or str(self._settings.get("launchMode") or "auto"),
            launch_reason=answer.launch_reason,
            bytes_each=built.bytes_each,
            bytes_once=built.bytes_once,
            node_hours=hours[0],
            measured=hours[1],
            then=then_lines(info),
            samples=[case.request for case in built.cases if case.request][:samples],
            errors=tuple(errors),
        )

    def extend(
        self,
        more: Any = None,
        /,
        *,
        defaults: Mapping[str, Any] | None = None,
        labels: Any = (),
        **changes: Any,
    ) -> Study:
        """Add cases, in any form that ``tapis.study`` takes; ``run()`` then runs what is new of them.

        *more* may have further columns: *defaults* gives the value that a column had without being
        named, so that cases from before keep their ids. *labels* are those that the request need not
        use; *changes* fields of the template that take new columns in (``args=["{{ temp }}"]``).
        """
        from .cases import cases_of

        if defaults or changes or labels:
            named = label_names(labels)
            self._template = self._template.extended(dict(defaults or {}), changes, named)
            self._is_there = False
        if more is not None:
            # A row that was given before is the same case, not a mistake.
            here = {_key(row) for row in self._rows}
            self._rows += [row for row in cases_of(more) if _key(row) not in here]
        self._built = None
        return self

    # --- running -----------------------------------------------------------------------------
    def run(self, *, fresh: bool = False, atomic: bool = True) -> Study:
        """Submit what is not done: new cases, and those that ended badly; return at once.

        A case in flight is joined, not doubled. *fresh* runs everything anew. All or nothing: one
        invalid case keeps all from being submitted, unless *atomic* is False; then the invalid ones
        are left out with a warning.
        """
        built = self._ready(again=fresh)
        self._refuse_errors(built, atomic=atomic)
        if built.cases or self._rows:
            self._make()
        cases = built.cases if fresh else self._not_done(built.cases)
        others = self._elsewhere(built.cases, fresh=fresh)
        self.answer = self._submit(built, [*cases, *others], fresh=fresh, atomic=atomic)
        self._sent, self._built = len(self._rows), None
        return self

    def retry(self, which: Any = None, /, **changes: Any) -> Study:
        """Make new attempts of ended cases, with *changes* in them (``maxMinutes=30``, ``env={…}``).

        *which* is a status, a condition or its last word (``"TIMEOUT"``), a query (``"k > 55"``), a
        mask, or rows of ``frame()``; by default all that ended badly. The old attempts are kept:
        ``frame(attempts="all")``. Cases that have not ended are left alone.
        """
        wrong = [name for name in changes if name in _MAKES_THE_CASE]
        if wrong:
            raise InvalidInputError(
                f"retry changes fields of the request and env, not {wrong[0]}: what is run makes the case. "
                f"A changed {wrong[0]} is a new study, or study.extend(…, {wrong[0]}=…).",
                field=wrong[0],
            )
        if "env" in changes:
            changed = {"envVariables": variables(changes.pop("env"))}
            changes["parameterSet"] = merged(changes.get("parameterSet") or {}, changed)
        rows = chosen(self._there().frame(), which)
        ready = rows[rows["status"].isin((str(JobStatus.FINISHED), *BAD_ENDS))]
        if not len(ready):
            why = "all of them are in flight" if len(rows) else "no case fits"
            raise ConflictError(f"Nothing to retry in study '{self.name}': {why}.")
        rows_of = dict(zip(ready["caseId"], ready.index.tolist(), strict=True))
        try:
            self.answer = Answer(submitted=self._calls.retry(list(rows_of), changes))
        except InvalidInputError as refused:
            if not refused.errors:
                raise
            told = [{**error, "row": rows_of.get(error.get("caseId"))} for error in refused.errors]
            raise refused_cases(told) from None
        return self

    def cancel(self, which: Any = "all", /) -> Study:
        """Cancel the cases that have not ended: all, or those that *which* names as for ``retry``."""
        if not (isinstance(which, str) and which == "all"):
            return steer_cases(self, "cancel", which)
        self._there()
        self._calls.cancel()
        return self

    def pause(self, which: Any = "all", /) -> Study:
        """Hold back the cases that have not begun, *which* as for ``retry``; those that run go on."""
        return steer_cases(self, "pause", which)

    def resume(self, which: Any = "all", /) -> Study:
        """Let held cases go on, *which* as for ``retry``."""
        return steer_cases(self, "resume", which)

    def wait(self, timeout: float | None = None, *, check: bool = False, progress: bool = True) -> Study:
        """Wait until no case is in flight, and show how it goes.

        *timeout* in seconds; when it passes, or on Ctrl-C, the cases go on. With *check* a case that
        did not end FINISHED raises ``JobError``.
        """
        from ..model.errors import JobError

        display = choose_display() if progress else TextDisplay(Silent())
        state = wait_for_study(self.watch(), display, timeout, self.tapis.rest)
        bad = sum(state.counts.get(status, 0) for status in BAD_ENDS)
        if check and bad:
            raise JobError(
                f"{bad:,} of {state.total:,} cases of study '{self.name}' did not end well. "
                "study.show() tells why; study.retry() tries them again."
            )
        return self

    def then(self, app: Any, /, *, outputs: str | Sequence[str], **given: Any) -> Chained:
        """Have one job submitted when no case is in flight, with the cases' *outputs*; return at once.

        *app* and *given* are as for ``tapis.submit``. The job finds the study's frame as ``cases.csv``,
        and the outputs of the case in row 7 of it below ``cases/7/``; cases that did not end well have
        none. The server submits it, once, whatever becomes of this kernel; ``.wait()`` waits for it. The
        same call again means the same job, until that fails or the cases are others.
        """
        return chain(self._there(), self._calls, app, outputs, given)

    def chained(self) -> list[Chained]:
        """Return the jobs that go on with the study's cases, oldest first."""
        return chained(self._there(), self._calls)

    # --- looking -----------------------------------------------------------------------------
    def state(self) -> StudyState:
        """Return how the study stands now, at the server; before it is there: how many cases are given."""
        return state_of(self.name, self._info_or_none(), len(self._rows) - self._sent)

    def watch(self) -> Watch:
        """Return what looks at the study again and again, for a display of its progress."""
        return Watch(self.state, explain=self.failure_lines)

    # --- keeping -----------------------------------------------------------------------------
    def rename(self, name: str) -> Study:
        """Give the study another name."""
        self._there()._calls.change(name=name)
        return self

    def archive(self, archived: bool = True) -> Study:
        """Take the study off the list (``tapis.studies(archived=True)`` has it), or put it back."""
        self._there()._calls.change(archived=archived)
        return self

    def set(self, **settings: Any) -> Study:
        """Change ``maxRunning`` (cases at a time) or ``maxFailures`` (failed cases after which it stops)."""
        self._there()._calls.change(**settings_of(settings))
        return self

    def export(self, path: str | Path) -> Path:
        """Write the study to one file, a zip that is an RO-Crate; ``tapis.import_study`` reads it.

        With it anybody can run it again: template, cases, requests, apps, uploaded files; and see what
        became of it: all attempts, and the results that were collected.
        """
        from .study_transfer import export_study

        return export_study(self.tapis, self._there().name, path, results=self._collected())

    def delete(self) -> None:
        """Remove the study with its table; its jobs stay, as jobs."""
        self._there()._calls.delete()
        self._is_there, self._sent = False, 0

    # --- parts -------------------------------------------------------------------------------
    def _table(self, attempts: str = "last", **options: bool) -> pd.DataFrame:
        if attempts not in ("last", "all"):
            raise InvalidInputError(
                f"attempts='{attempts}' is neither 'last' nor 'all'.", field="attempts", value=attempts
            )
        return study_frame(self._there()._calls.columns(attempts), self._template.defaults, **options)

    def _there(self) -> Study:
        """Raise ``NotFoundError`` unless the server has the study."""
        if not self._is_there:
            if self._rows and self._info_or_none() is None:
                raise NotFoundError(f"Study '{self.name}' has not run yet. study.run() submits its cases.")
            self._calls.info()
        return self

    def _info_or_none(self) -> Mapping[str, Any] | None:
        try:
            return self._calls.info()
        except NotFoundError:
            return None

    def _make(self) -> None:
        if not self._is_there:
            self._calls.make(self._template.to_wire(), self._settings)
            self._is_there = True

    def _ready(self, *, again: bool = False) -> Built:
        """Return the cases that were not submitted yet, rendered; with *again* all that are here."""
        if again:
            self._sent, self._built = 0, None
        if self._built is None:
            rows = self._rows[self._sent :]
            first = number(self._info_or_none(), "cases") if rows else 0
            settled = self._settled() if first and len(rows) >= _MANY and not again else ()
            self._built = CaseBuilder(self.tapis, self._template, self.name).build(rows, first, settled)
        return self._built

    def _settled(self) -> Collection[str]:
        """Return the ids of the cases that the server has done or in flight."""
        return {case_id for case_id, status in self._standing().items() if status and status not in BAD_ENDS}

    def _tried(self, built: Built) -> Answer:
        """Let the server check the cases; the study need not be there yet."""
        if not built.cases:
            return Answer()
        answer = self._calls.try_out(built.cases, self._settings.get("launchMode"))
        answer.errors = built.at_home(answer.errors)
        return answer

    def _refuse_errors(self, built: Built, *, atomic: bool) -> None:
        if not built.errors:
            return
        if atomic:
            raise refused_cases(built.errors)
        self._warn_left_out(len(built.errors), len(self._rows) - self._sent)

    def _submit(self, built: Built, cases: Sequence[Case], *, fresh: bool, atomic: bool) -> Answer:
        try:
            return self._calls.add(cases, fresh=fresh) if cases else Answer()
        except InvalidInputError as refused:
            if not refused.errors:
                raise
            if atomic:
                raise refused_cases(built.at_home(refused.errors)) from None
            bad = {error.get("caseId") for error in refused.errors}
            kept = [case for case in cases if case.case_id not in bad]
            self._warn_left_out(len(cases) - len(kept), len(cases))
            return self._calls.add(kept, fresh=fresh) if kept else Answer()

    def _not_done(self, cases: Sequence[Case]) -> Sequence[Case]:
        """Leave out what the server has done or has in flight, where sending all would cost more."""
        if len(cases) < _MANY:
            return cases
        standing = self._standing()
        return [case for case in cases if standing.get(case.case_id, BAD_ENDS[0]) in BAD_ENDS]

    def _elsewhere(self, cases: Sequence[Case], *, fresh: bool) -> list[Case]:
        """Return what ended badly and is not among *cases*; with *fresh* all that is not."""
        standing = counts(self._calls.info())
        if not (fresh or any(standing.get(status) for status in BAD_ENDS)):
            return []
        here = {case.case_id for case in cases}
        return [
            Case(case_id)
            for case_id, status in self._standing().items()
            if case_id not in here and (fresh or status in BAD_ENDS)
        ]

    def _standing(self) -> dict[str, str]:
        """Return case id -> status of its last attempt."""
        columns = self._calls.columns()
        return dict(zip(columns.get("caseId") or (), columns.get("status") or (), strict=True))

    def _warn_left_out(self, count: int, cases: int) -> None:
        from .tapis import TapisJobsWarning

        warnings.warn(
            f"{count:,} of {cases:,} cases are invalid and left out; study.preview() lists them.",
            TapisJobsWarning,
            stacklevel=4,
        )

    def _hours(self, built: Built, answer: Answer) -> tuple[float | None, bool]:
        """Return the node hours of the cases to run, and whether they were measured on cases done."""
        count = len(built.cases) - answer.done - answer.in_flight
        if not count:
            return None, False
        if answer.done:
            measured = measured_hours(self._calls.columns(), count)
            if measured is not None:
                return measured, True
        return most_hours([case.request for case in built.cases if case.request], built.app, count), False


def _key(row: Mapping[str, Any]) -> frozenset[tuple[str, bool, Any]]:
    return frozenset((name, isinstance(value, bool), value) for name, value in row.items())
