"""A job as a notebook holds it: where it stands, its outputs, and what can be done with it."""

from __future__ import annotations

import codecs
import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.errors import JobError, NotFoundError, TapisJobsError, UnavailableError, did_you_mean
from ..model.extensions import Extension
from ..model.files import STDOUT
from ..model.status import JobStatus
from . import frames
from .connection import segment
from .failure import Failure, exit_code_of, failure_of, last_words
from .notices import subscription
from .outputs import Outputs, missing, results
from .processing import Processed, process_again, process_here, processed_of
from .progress import Silent, choose_progress
from .sharing import PARTS, as_frame, job_share_rows, share_job, unshare_job
from .standing import Standing
from .waiting import WaitInterrupted, one_line, wait_for
from .words import is_terminal

if TYPE_CHECKING:
    import pandas as pd

    from .live import Live
    from .tapis import Tapis

#: Statuses in which nothing can have been written yet.
_BEFORE_START = frozenset(
    {
        JobStatus.PENDING,
        JobStatus.PROCESSING_INPUTS,
        JobStatus.STAGING_INPUTS,
        JobStatus.STAGING_JOB,
        JobStatus.SUBMITTING_JOB,
        JobStatus.QUEUED,
    }
)
#: Seconds between two looks at an output of a tenant: while it grows, and when it is long quiet.
_FOLLOW_FIRST, _FOLLOW_LAST = 3.0, 15.0
#: Bytes of output that are enough for its last lines.
_TAIL_BYTES = 64 * 1024


#: What is done with a job that has ended; what it returns is kept with it.
Function = Callable[["Job"], Any]


class Job(Standing):
    """One job. Made by ``tapis.submit`` and ``tapis.job``, not by hand."""

    def __init__(self, tapis: Tapis, row: Mapping[str, Any], process: Any = None) -> None:
        super().__init__(tapis, row)
        #: What this kernel does with the outputs when it has waited for the end.
        self._function: Function | None = None
        self.keep_function(process)

    def __repr__(self) -> str:
        return f"{one_line(self, time.time())}   {self.uuid}"

    @classmethod
    def copy_of(cls, job: Job) -> Job:
        """Return the same job with a memory of its own, for another thread."""
        return cls(job._tapis, job._row, job._function)

    @property
    def exit_code(self) -> int | None:
        """The exit code of the application, as last heard of; None where it has left none."""
        return exit_code_of(self._row)

    @property
    def failure(self) -> Failure | None:
        """Cause, evidence and next step of a job that FAILED; None for any other."""
        return failure_of(self._row, self.tail() if self.last_status == JobStatus.FAILED else ())

    def history(self) -> pd.DataFrame:
        """Return the job's events, oldest first: ``created event eventDetail description``."""
        return frames.from_rows(self.history_rows(), frames.HISTORY)

    def history_rows(self) -> list[dict[str, Any]]:
        """Return the job's events as Tapis gives them, oldest first."""
        rows: list[dict[str, Any]] = []
        while True:
            page = self._tapis.connection.get(self._path("history"), limit=1000, skip=len(rows)) or []
            rows += page
            if len(page) < 1000:
                return sorted(rows, key=lambda row: str(row.get("created")))

    def request(self) -> dict[str, Any]:
        """Return the request as it was submitted."""
        found = self._tapis.connection.get(self._path("resubmit_request"))
        if isinstance(found, str):
            import json

            found = json.loads(found)
        return dict(found)

    # --- waiting -----------------------------------------------------------------------------
    def wait(self, timeout: float | None = None, *, check: bool = False, progress: bool = True) -> Job:
        """Wait until the job has ended, and return it; a function given as ``process`` has seen it then.

        ``timeout`` in seconds; when it passes, or on Ctrl-C, the job goes on. With ``check`` a job that
        does not end FINISHED raises ``JobError``.
        """
        wait_for([self], self._tapis.live, choose_progress() if progress else Silent(), timeout)
        self.process_here()
        if check:
            self.want_finished("needed")
        return self

    def result(self, timeout: float | None = None, *, progress: bool = True) -> Any:
        """Wait for a call of ``tapis.call``, and return what the function returned, or raise what it raised.

        Its cause shows the traceback there. The result is unpickled, and a pickle runs code: it is done for
        the caller's own jobs only (``NotAllowedError`` for others). ``JobError`` where there is no result.
        """
        from .call_outcome import outcomes

        return outcomes(self._tapis, [self.wait(timeout, progress=progress)])[self.uuid].result()

    def follow(self, path: str = STDOUT) -> Job:
        """Print an output as it grows, until the job has ended; Ctrl-C stops the printing only."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        try:
            for piece in self._growing(path):
                sys.stdout.write(decoder.decode(piece))
                sys.stdout.flush()
        except KeyboardInterrupt:
            raise WaitInterrupted(
                "Stopped following. The job goes on; job.follow() shows it again."
            ) from None
        sys.stdout.write(decoder.decode(b"", final=True))
        return self.refresh()

    # --- outputs -----------------------------------------------------------------------------
    def outputs(self) -> pd.DataFrame:
        """Return the output files so far: ``path size type lastModified``."""
        return frames.from_rows(self.output_rows(), frames.OUTPUTS)

    def results(self) -> list[dict[str, Any]]:
        """Return the rows of the files that the program wrote: no launch files, no inputs."""
        return results(self.output_rows(), self._row)

    def output_rows(self) -> list[dict[str, Any]]:
        """Return the output files so far, as Tapis gives them, with ``path`` below the output directory."""
        return self._outputs().rows()

    def read(self, path: str = STDOUT, *, encoding: str = "utf-8") -> str:
        """Return the text of an output: what is there now, also while the job runs."""
        return self.read_bytes(path).decode(encoding, errors="replace")

    def read_bytes(self, path: str = STDOUT) -> bytes:
        """Return an output as it is now."""
        try:
            return self._outputs().read(path)
        except NotFoundError as cause:
            raise self._explained(path, cause) from None

    def read_csv(self, path: str, **options: Any) -> pd.DataFrame:
        """Return a CSV output of the finished job as a frame; *options* go to ``pandas.read_csv``."""
        self.want_finished("read_csv", f"job.read('{path}') gives what is there")
        return self._csv(path, **options)

    def download(self, path: str | None = None, to: str | Path = ".", *, unfinished: bool = False) -> Path:
        """Write one output, or all of them into ``jobs-UUID``, below the folder *to*; return where.

        A job that did not end well gives its files only with ``unfinished=True``.
        """
        if not unfinished:
            self.want_finished("download", "job.download(unfinished=True) takes what is there")
        folder = Path(to).expanduser()
        try:
            if path is None:
                return self._outputs().save_all(folder / f"jobs-{self.uuid}")
            return self._outputs().save(path, folder / Path(path).name)
        except NotFoundError as cause:
            raise self._explained(path or "", cause) from None

    @property
    def known_tail(self) -> list[str]:
        """The last lines as far as they were read before; asks nobody."""
        return (self._tail or [])[-3:]

    def tail(self, lines: int = 3) -> list[str]:
        """Return the last lines that the job has printed so far; empty when there are none to be had."""
        if self._tail is None or not is_terminal(self.last_status):
            self._tail = self._read_tail()
        return self._tail[-lines:]

    # --- processing --------------------------------------------------------------------------
    @property
    def processed(self) -> Processed | None:
        """How the function that was given as ``process`` stands, and what it returned; None without one."""
        return processed_of(self)

    def process_again(self, function: Function | None = None) -> Processed:
        """Have the outputs processed anew: by the server, or, of ``process=function``, here.

        *function* takes the place of one that this kernel does not have. Raises ``ConflictError`` before the
        job's end and while it is done.
        """
        self._function = function or self._function
        return process_again(self, self._function)

    def keep_function(self, process: Any) -> None:
        """Do *process* with the outputs once this kernel has waited for the end, if it is a function."""
        self._function = process if callable(process) else None

    def process_here(self) -> None:
        """Call the function that was given as ``process``, where the job has ended and nobody else has."""
        if self._function is not None and is_terminal(self.last_status):
            process_here(self, self._function)

    # --- steering ----------------------------------------------------------------------------
    def cancel(self) -> Job:
        """Ask for the job to be stopped; CANCELLED follows when it really is."""
        self._tapis.connection.post(self._path("cancel"))
        return self.refresh()

    def pause(self) -> Job:
        """Hold the job back before it begins; PAUSED follows when nothing can start it.

        Raises ``ConflictError`` for one that runs or has ended.
        """
        return self._asked("pause")

    def resume(self) -> Job:
        """Let the held job go on where it stopped; raises ``ConflictError`` for one that is not held."""
        return self._asked("resume")

    def _asked(self, verb: str) -> Job:
        self._tapis.need(Extension.HOLD, f"{verb} a job")
        self._tapis.connection.post(self._path(verb))
        return self.refresh()

    def resubmit(self, **changes: Any) -> Job:
        """Submit the same request again as a new job, with *changes* in it (``nodeCount=2``, ``env={…}``)."""
        again = self._tapis.resubmit(self, **changes)
        again._function = again._function or (None if "process" in changes else self._function)
        return again

    def share(self, *users: str, parts: str | Iterable[str] = tuple(PARTS)) -> pd.DataFrame:
        """Let *users* read the job; return with whom it is shared, ``user gives``.

        *parts* are of ``"history"`` (where it stands), ``"output"``, ``"input"`` and ``"request"``.
        """
        share_job(self._tapis, self, users, parts)
        return self.shares()

    def unshare(self, *users: str) -> pd.DataFrame:
        """Take the job back from *users*, from all where none is named; return with whom it is shared."""
        unshare_job(self._tapis, self, users)
        return self.shares()

    def shares(self) -> pd.DataFrame:
        """Return with whom the job is shared: ``user gives``."""
        return as_frame(job_share_rows(self._tapis, self))

    def notify(self, *addresses: str, on: str | Sequence[str] = "end") -> Job:
        """Let *addresses* be told of the job: e-mail, or the URL of a webhook.

        *on* is ``"end"``, ``"status"`` (each change), ``"all"``, statuses (``["RUNNING", "FINISHED"]``), or
        a kind of event (``"JOB_USER_EVENT"``). A Tapis tenant that is not ours knows kinds only: it tells
        every status instead of some.
        """
        words = subscription(addresses, on, details=self._tapis.can(Extension.SERVER))
        self._tapis.connection.post(f"/v3/jobs/subscribe/{segment(self.uuid)}", words)
        return self

    def notifications(self) -> pd.DataFrame:
        """Return who was told what: ``event eventDetail deliveryAddress state tries lastError updated``."""
        if not self._tapis.can(Extension.SERVER):
            raise UnavailableError("This Tapis does not tell what became of notifications.")
        rows = self._tapis.connection.get(self._path("notifications"), limit=-1) or []
        return frames.from_rows(rows, frames.NOTIFICATIONS)

    def want_finished(self, what: str, way_out: str = "") -> None:
        """Raise ``JobError`` with the job's last words unless it is FINISHED."""
        status = self.status
        if status == JobStatus.FINISHED:
            return
        if not is_terminal(status):
            more = f"; {way_out}" if way_out else ""
            raise JobError(
                f"{what} wants a finished job: {self.name} is {status}. job.wait() waits for it{more}."
            )
        words = last_words(self._row, self.tail())
        more = f" {way_out}." if way_out else ""
        wanted = "" if what == "needed" else f"{what} wants a finished job: "
        raise JobError(f"{wanted}{self.name} {status}: {words}.{more}")

    # --- for cards ---------------------------------------------------------------------------
    @property
    def live(self) -> Live:
        """The kernel's stream of news."""
        return self._tapis.live

    def can_follow(self) -> bool:
        """True where the server streams what a job prints."""
        return self._tapis.can(Extension.FOLLOW)

    def stdout_name(self) -> str:
        """Return where the job's text goes: its request can rename it."""
        parameters = self._row.get("parameterSet")
        if isinstance(parameters, str):
            import json

            parameters = json.loads(parameters or "{}")
        return str(((parameters or {}).get("logConfig") or {}).get("stdoutFilename") or STDOUT)

    def stdout_size(self) -> int:
        """Return how many bytes the job has printed so far."""
        name = self.stdout_name()
        return next((int(row.get("size") or 0) for row in self.output_rows() if row["path"] == name), 0)

    # --- parts -------------------------------------------------------------------------------
    def _outputs(self) -> Outputs:
        direct = not self._tapis.can(Extension.OUTPUTS)
        if direct and not self._whole:
            self.refresh()
        return Outputs(self._tapis.connection, self._row, direct=direct)

    def _csv(self, path: str, **options: Any) -> pd.DataFrame:
        import pandas as pd

        table: pd.DataFrame = pd.read_csv(io.BytesIO(self.read_bytes(path)), **options)
        return table

    def _explained(self, path: str, cause: NotFoundError) -> TapisJobsError:
        """Say why an output is not there: too early, misspelt, or never written."""
        if self.status in _BEFORE_START:
            return JobError(
                f"{self.name} has no outputs yet: it is {self.last_status}. job.wait() waits for it."
            )
        try:
            rows = self.output_rows()
        except TapisJobsError:
            return cause
        return missing(self.name, path, rows, did_you_mean(path, (str(row["path"]) for row in rows)))

    def _read_tail(self) -> list[str]:
        try:
            data = self._outputs().read(self.stdout_name())
        except TapisJobsError:
            return []
        text = data[-_TAIL_BYTES:].decode(errors="replace")
        return [line for line in text.splitlines() if line.strip()]

    def _growing(self, path: str) -> Iterator[bytes]:
        if self._tapis.can(Extension.FOLLOW):
            yield from self._outputs().follow(path)
            return
        # A tenant has no stream: what is new is read again and again, with the news of the job.
        done, gap = 0, _FOLLOW_FIRST
        while True:
            ended = is_terminal(self.status)
            try:
                data = self._outputs().read(path)
            except NotFoundError:
                data = b""
            yield data[done:]
            gap = _FOLLOW_FIRST if len(data) > done else min(_FOLLOW_LAST, gap * 1.5)
            done = max(done, len(data))
            if ended:
                return
            self._tapis.rest(gap)
