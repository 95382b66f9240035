"""Parts of the front door that have a subject of their own: functions, studies, workflows, hosts and more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import frames, sharing
from .bulk import checked_launch_mode
from .hosts import Host, add_host, host_named, host_rows
from .job_lists import uuids_of
from .job_table import ACTIONS, COLUMNS, JobTable, table_of
from .panel import EXTRAS, panel_of
from .processing import processed_frame

if TYPE_CHECKING:
    import pandas as pd

    from .calls import Calls
    from .job import Job
    from .panel_extras import Kind
    from .study import Study
    from .tapis import Tapis
    from .templates import Template
    from .workflow import Workflow

_F = TypeVar("_F", bound=Callable[..., Any])


class WithCalls:
    """Functions of this Python as jobs."""

    def call(
        self,
        function: Callable[..., Any],
        /,
        *args: Any,
        kwargs: Mapping[str, Any] | None = None,
        system: str | None = None,
        python: str | None = None,
        packages: Sequence[str] = (),
        **fields: Any,
    ) -> Job:
        """Call *function* with *args* and *kwargs* as a job on *system*, and return the job at once.

        ``job.result()`` waits for what it returns, or raises what it raised. The Python there (*python*: a
        name, a path, or a script that starts one in a container; default ``python3``, on this machine the
        kernel's own) must have this one's version; cloudpickle travels along. *packages* are modules or
        distributions that must be there. A module that was not installed but lies beside the notebook
        goes along with its own functions; others by ``inputs=["helpers.py"]``. *fields* are those of
        ``submit``. What the function prints and writes are the job's outputs.

        Raises ``InvalidInputError`` that names what cannot be pickled, or what the function does not take.
        """
        from .call_request import CallRequests
        from .pickled import Arguments

        requests = CallRequests(
            _whole(self), function, common={}, packages=packages, system=system, python=python, fields=fields,
        )  # fmt: skip
        return _whole(self).submit(requests.request([Arguments(args, kwargs or {})]))

    def map(
        self,
        function: Callable[..., Any],
        cases: pd.DataFrame | Iterable[Any],
        /,
        *,
        kwargs: Mapping[str, Any] | None = None,
        system: str | None = None,
        python: str | None = None,
        packages: Sequence[str] = (),
        chunksize: int = 1,
        launchMode: str | None = "auto",  # noqa: N803 - Tapis's style
        **fields: Any,
    ) -> Calls:
        """Call *function* for each of *cases*, each a job, and return the calls at once.

        A row of a frame gives its columns as keyword arguments; an item of another iterable is the one
        argument, a tuple too. *kwargs* are arguments of all calls, and travel once, as the function does.
        ``calls.results()`` waits for the values, in order. *launchMode* is as in ``submit_many``, the rest
        as in ``call``.

        A *chunksize* above 1 has as many calls share a job, one after another, as in ``multiprocessing``'s
        ``Pool.map``: each job costs a start of Python, which is more than a short call takes. ``maxMinutes``
        is for all calls of a job; those that were made before it was stopped or killed have their values.
        """
        from .calls import map_calls

        return map_calls(
            _whole(self), function, cases, chunksize, launch_mode=checked_launch_mode(launchMode),
            common=kwargs or {}, packages=packages, system=system, python=python, fields=fields,
        )  # fmt: skip


class WithStudies:
    """Many cases of one request."""

    def study(self, name: str, app: Any = None, /, **given: Any) -> Study:
        """Return a new study: many cases of one request; or the one of that *name*, by its name alone.

        *app* is an app, a Tapis request, or a function ``row -> request``. *given* are ``cases`` (a
        frame, a list of mappings, a mapping of lists for their grid, a CSV file), the fields and
        shorthands of ``submit`` with ``{{ column }}`` in their texts, ``launchMode``, ``maxRunning``,
        ``maxFailures``, ``labels`` (columns that the request need not use), ``defaults`` (of columns
        that came later). Nothing is submitted before ``study.run()``; ``study.preview()`` shows it.
        """
        from .studies import study_of

        return study_of(_whole(self), name, app, **given)

    def studies(self, *, archived: bool = False) -> pd.DataFrame:
        """Return a frame of the caller's studies, newest first; *archived* adds those taken off the list.

        Columns: ``name launchMode`` (text), ``created`` (time, UTC), ``cases finished failed active``
        (Int64, numbers of cases; ``failed`` counts cancelled ones too), ``archived`` (bool).
        """
        from .studies import studies_frame

        return studies_frame(_whole(self), archived=archived)

    def import_study(
        self, path: str | Path, name: str | None = None, *, definitions: bool = False, **changes: Any
    ) -> Study:
        """Return the study in a file of ``study.export``, as *name*; ``run()`` runs it again here.

        *changes* go over every request (``execSystemId="frontera"``); *definitions* creates apps that
        are not here.
        """
        from .study_transfer import import_study

        return import_study(_whole(self), path, name, definitions=definitions, **changes)

    def workflow(self, name: str) -> Workflow:
        """Return a workflow to build, jobs that wait for one another; or the one of that *name*.

        ``flow.add(…)`` and ``flow.map(…)`` take what ``submit`` takes. Nothing is sent before ``flow.run()``.
        """
        from .workflow import workflow_of

        return workflow_of(_whole(self), name)

    def workflows(self) -> pd.DataFrame:
        """Return a frame of the caller's workflows, newest first.

        Columns: ``name status`` (text), ``created`` (time, UTC), ``nodes finished failed waiting`` (Int64).
        """
        from .workflow import workflows_frame

        return workflows_frame(_whole(self))


class WithTemplates:
    """Requests that are kept by name."""

    def template(
        self,
        name: str,
        app: str | Path | Mapping[str, Any] | None = None,
        /,
        *,
        required: Sequence[str] = (),
        description: str = "",
        replace: bool = False,
        **given: Any,
    ) -> Template:
        """Save a template of jobs, or return the one of that *name*, by its name alone.

        *app* (or ``app=``) is an app or a Tapis request, *given* are the fields and shorthands of
        ``submit``, which become its defaults; files beside the notebook travel in it. *required* names what
        has to be given with each job: fields, shorthands, or the app's inputs, arguments and variables;
        any other name is an environment variable. ``template.submit(script=text)`` submits a job.

        Raises ``ConflictError`` for a name that is taken, unless *replace*; ``InvalidInputError`` for what
        no request has, and on a Tapis that keeps no templates; ``NotFoundError`` with the nearest name.
        """
        from .templates import template_of

        return template_of(
            _whole(self), name, app if app is not None else given.pop("app", None),
            required=required, description=description, replace=replace, **given,
        )  # fmt: skip

    def templates(self) -> pd.DataFrame:
        """Return a frame of the caller's templates: ``name app required description updated`` (UTC)."""
        from .templates import templates_frame

        return templates_frame(_whole(self))


class WithOthers:
    """What others may use."""

    def share(self, what: Any, /, *users: str, everybody: bool = False) -> pd.DataFrame:
        """Let *users* (or *everybody*) use an app or a system, read a path, or read a job.

        *what* is an id or a definition (``"app:id"``, ``"system:id"`` where both have it), a path
        ``"tapis://system/path"``, or a job. Returns with whom it is shared: ``user gives``.
        """
        job = sharing.job_meant(_whole(self), what)
        if job is not None:
            return job.share(*users)
        found = sharing.thing(_whole(self), what)
        sharing.share(_whole(self), found, users, everybody=everybody)
        return sharing.as_frame(sharing.share_rows(_whole(self), found))

    def unshare(self, what: Any, /, *users: str, everybody: bool = False) -> pd.DataFrame:
        """Take back what ``share`` gave: from *users*, from *everybody*, or from all where none is named."""
        job = sharing.job_meant(_whole(self), what)
        if job is not None:
            return job.unshare(*users)
        found = sharing.thing(_whole(self), what)
        sharing.unshare(_whole(self), found, users, everybody=everybody)
        return sharing.as_frame(sharing.share_rows(_whole(self), found))

    def shares(self, what: Any, /) -> pd.DataFrame:
        """Return with whom something is shared: ``user gives``. *what* as in ``share``."""
        job = sharing.job_meant(_whole(self), what)
        if job is not None:
            return job.shares()
        return sharing.as_frame(sharing.share_rows(_whole(self), sharing.thing(_whole(self), what)))

    def grant(self, what: Any, /, user: str, *permissions: str) -> list[str]:
        """Grant READ, MODIFY or EXECUTE on an app, a system or a path; return what *user* has now."""
        return sharing.grant(_whole(self), sharing.thing(_whole(self), what), user, permissions)

    def revoke(self, what: Any, /, user: str, *permissions: str) -> list[str]:
        """Take permissions back, all where none is named; return what *user* has still."""
        return sharing.revoke(_whole(self), sharing.thing(_whole(self), what), user, permissions)


class WithPanel:
    """The jobs to be seen and steered without code."""

    def panel(self) -> Any:
        """Return the jobs as a widget: search, states, details; live, also while cells run.

        Raises ``JobError`` outside of a notebook, and for a Tapis that is not this Jupyter server.
        """
        return panel_of(_whole(self))

    def table(
        self,
        jobs: Any = None,
        columns: Any = COLUMNS,
        actions: Any = ACTIONS,
        results: Callable[[Job], Any] | None = None,
    ) -> JobTable:
        """Return *jobs* (default: the newest 100) as a table with buttons, for the end of a cell.

        *columns* are attributes of a job or ``{"Title": function}``, *actions* of ``run`` (lets a held job
        go on), ``pause``, ``resubmit``, ``logs``, ``terminate``, ``delete`` (hides it), ``"|"`` or
        ``{"Label": function}``; *results* is what the button of that name shows. Functions get the ``Job``;
        one that raises shows a sentence in its place. Raises ``InvalidInputError`` for what is none of these.
        """
        return table_of(_whole(self), jobs, columns, actions, results)

    def processed(self, jobs: Any) -> pd.DataFrame:
        """Return what functions have made of the outputs of many *jobs*: jobs, uuids, or a frame of them.

        ``jobUuid status name attempts result problem``, a row for each of one's own jobs that was submitted
        with ``process=``; for one job it is ``job.processed``.
        """
        return processed_frame(_whole(self), uuids_of(jobs))

    def in_panel(
        self,
        *,
        column: str | None = None,
        action: str | None = None,
        kind: Kind = "text",
        confirm: str | None = None,
        statuses: str | Sequence[str] = (),
    ) -> Callable[[_F], _F]:
        """Add a function of a ``Job`` to the panels of this kernel: ``@tapis.in_panel(action="Plot")``.

        As a *column* with this title it returns what stands in the job's row, of *kind* ``"text"``,
        ``"number"`` or ``"time"`` (ISO-8601 UTC); None is nothing. As an *action* it does something with
        the jobs that are chosen and may return a sentence; *confirm* is asked before, *statuses* are those
        that a job must have. It runs in the kernel, and so may wait for the running cell. The same title
        again takes the place of the earlier one. Raises ``InvalidInputError`` for what is none of these.
        """
        return EXTRAS.add(column, action, kind, confirm, statuses)


class WithHosts:
    """Machines that are reached over SSH."""

    def add_host(
        self,
        name: str,
        *,
        host: str | None = None,
        port: int | None = None,
        user: str | None = None,
        key: str | Path | None = None,
        password: str | None = None,
        passphrase: str | None = None,
        code: str | None = None,
        rootDir: str = "/",  # noqa: N803 - Tapis's own name, as the two below
        workDir: str | None = None,  # noqa: N803
        trust: str | bool | None = None,
        knownHosts: str | Path | None = None,  # noqa: N803
        dask: Mapping[str, Any] | None = None,
        replace: bool = False,
    ) -> Host:
        """Add a machine that is reached over SSH as system *name*, and say what was found there.

        *host* is an address or an alias of ``~/.ssh/config`` (default: *name*). Without *key* and
        *password* the server's agent and key files sign in. *key* is a private key, or the path of
        one, on this machine. What is left out and needed - trust in the host's key, password,
        passphrase, one-time code - is asked here and kept nowhere in this kernel; where nobody can
        answer, the error says what to pass. *trust* is the fingerprint ``SHA256:…`` that the host must
        show (True: whatever it shows now); *knownHosts* a known_hosts file or its text. *workDir* is
        where jobs work (default: found), *rootDir* what all paths are below. With *dask* its jobs go to a
        Dask cluster, which is reached or made as that says (``notes.dask`` in the README). *replace*
        changes a system that is there.

        Raises ``TapisJobsError`` with one sentence; nothing is stored unless it worked.
        """
        given = {
            "host": host or name, "port": port, "user": user, "privateKey": key, "password": password,
            "passphrase": passphrase, "code": code, "rootDir": rootDir, "jobWorkingDir": workDir,
            "trust": trust if isinstance(trust, str) else None, "knownHosts": knownHosts,
            "dask": dask, "replace": replace or None,
        }  # fmt: skip
        return add_host(_whole(self), name, given, trusting=trust is True)

    def host(self, name: str) -> Host:
        """Return a host: its queues, and ``check()`` to look at it now."""
        return host_named(_whole(self), name)

    def hosts(self) -> pd.DataFrame:
        """Return how each host is reached now: ``id state message nextTry user``."""
        return frames.from_rows(host_rows(_whole(self)), frames.HOSTS)


def _whole(part: WithCalls | WithStudies | WithTemplates | WithOthers | WithPanel | WithHosts) -> Tapis:
    """These are parts of one class, and know the whole of it."""
    return cast("Tapis", part)
