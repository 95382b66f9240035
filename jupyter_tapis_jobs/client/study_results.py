"""What is looked at once cases of a study have run: their results, pictures, and why some failed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, NotFoundError
from ..model.texts import shown
from .job import Job
from .study_frame import chosen, results_of, with_results

if TYPE_CHECKING:
    import pandas as pd

    from .failure_groups import CaseFailure, FailureReport
    from .study_plots import Picture
    from .tapis import Tapis


#: Kinds of failure that the progress names.
_GROUPS = 5


class StudyResults(ABC):
    """The looking half of a ``Study``; the other half gives its table."""

    tapis: Tapis
    #: Results of one row a case, by job, as they were collected last.
    _results: pd.DataFrame | None = None

    @property
    @abstractmethod
    def name(self) -> str:
        """The study's name."""

    @abstractmethod
    def _table(self, attempts: str = "last", **options: bool) -> pd.DataFrame:
        """Return the study's table as the server has it."""

    def frame(self, attempts: str = "last", *, progress: bool = False) -> pd.DataFrame:
        """Return one row a case, in the order they were given in; with ``attempts="all"`` one an attempt.

        Columns: the parameters, in the kinds they were given in; ``caseId jobUuid status condition`` (text);
        ``exitCode attempt`` (Int64); ``queueSeconds runSeconds`` (float, of what is over);
        ``created remoteStarted ended`` (times, UTC); with *progress* what applications tell of it while they
        run: ``progress`` (float, percent), ``progressMessage`` (text), ``progressTold`` (time, UTC); then
        results, once collected. Raises ``NotFoundError`` where the server has no such study,
        ``InvalidInputError`` for other *attempts*, and for *progress* of a study with such a parameter.
        """
        return with_results(self._table(attempts, progress=progress), self._results)

    def _collected(self) -> pd.DataFrame | None:
        """Return the table with results, where some were collected."""
        return None if self._results is None else self.frame()

    def collect(self, what: str | Callable[[Job], Any], **options: Any) -> pd.DataFrame:
        """Return the results of all cases as one tidy frame, their parameters in front.

        *what* is an output (``"disp.csv"``), a glob (``"*.json"``), or a function of a ``Job``. A case
        without a result keeps its row; the column ``problem`` says why. *options*: ``parser``,
        ``pattern``, ``unfinished``, ``fresh``, ``to`` (a Parquet file), and those of pandas' reader, as
        for ``study_collect.collect``. Results of one row a case are in ``frame()`` from then on.

        Columns: the parameters, ``caseId jobUuid status`` (text), ``file`` (text, of a glob), the columns of
        the outputs in their own types, ``problem`` (text, missing where there is none). Raises
        ``InvalidInputError`` for a parser, pattern or column that cannot be.
        """
        from .study_collect import collect

        found = collect(self.tapis, self._table(), what, **options)
        self._results = results_of(found, self._results)
        return found

    def plot(self, result: str | None = None, *, kind: str | None = None, **options: Any) -> Picture:
        """Return a picture: of a collected *result* over the parameters, else of how the cases stand.

        *kind* is ``response``, ``heatmap``, ``parallel``, ``states``, ``timeline`` or ``failures``;
        *options* are ``x``, ``y``, ``by`` and ``units``, as for ``study_plots.plot``.
        """
        from .study_plots import plot

        if kind == "failures":
            options.setdefault("report", self.failures())
        return plot(self.frame(), result, kind=kind, **options)

    def failures(self) -> FailureReport:
        """Return the failed cases, grouped by what ended them, each with the call that may mend it."""
        from .failure_groups import failures_of

        return failures_of(self.tapis, self._table())

    def failure_lines(self) -> tuple[str, ...]:
        """Return a line of each group of failed cases, as the progress shows them."""
        groups = self.failures()
        lines = [f"{len(group):,}  {group.headline}{_where(group.where)}" for group in groups[:_GROUPS]]
        if len(groups) > _GROUPS:
            lines.append(f"{len(groups) - _GROUPS} more kinds: study.failures()")
        return tuple(lines)

    def show(self, case: int | str | None = None) -> CaseFailure | FailureReport:
        """Return why one case failed, by its row in ``frame()`` or its id; without one: ``failures()``."""
        from .failure_groups import case_failure

        if case is None:
            return self.failures()
        table = self._table()
        return case_failure(self.tapis, table, str(self._row(table, case)["caseId"]))

    def job(self, case: int | str) -> Job:
        """Return the job of a case's last attempt; *case* is its row in ``frame()``, or its id."""
        return self.tapis.job(str(self._row(self._table(), case)["jobUuid"]))

    def _row(self, table: pd.DataFrame, case: int | str) -> pd.Series[Any]:
        if isinstance(case, str):
            return chosen(table, [case]).iloc[0]
        if not hasattr(case, "__index__"):
            raise InvalidInputError(
                f"{shown(case)} names no case. Give its row in study.frame(), counted from 0, or its caseId.",
                value=case,
            )
        if not -len(table) <= case < len(table):
            raise NotFoundError(f"Study '{self.name}' has {len(table):,} cases; there is no row {case}.")
        return table.iloc[case]


def _where(condition: str) -> str:
    return f"  ({condition})" if condition else ""
