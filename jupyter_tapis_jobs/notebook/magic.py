"""``%%tapisjob`` and ``%tapisjobs``: read the line, call the client, show the card."""

from __future__ import annotations

import sys
import traceback
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from ..model.cell_options import JOB_OPTIONS, cell_input, set_field
from ..model.errors import InvalidInputError
from ..model.placeholders import OPEN
from .case_cells import columns_of, fill_but, masked, names_for, run_study, study_of_cell, unmasked
from .options import job_parser, list_parser, pair, variable
from .values import fill

if TYPE_CHECKING:
    import pandas as pd

    from ..client.job import Job
    from ..client.preview import Preview
    from ..client.tapis import Tapis


@magics_class
class JobMagics(Magics):
    """The magics of this package."""

    @property
    def _names(self) -> dict[str, Any]:
        """The notebook's variables."""
        return {} if self.shell is None else self.shell.user_ns

    @no_var_expand
    @line_cell_magic
    def tapisjob(self, line: str, cell: str | None = None) -> None:
        """Submit a job; see ``%%tapisjob --help``."""
        parser = job_parser()
        options = parser.read(line, self._names)
        if options.help:
            sys.stdout.write(parser.format_help())
            return
        if not options.app and not options.template:
            raise InvalidInputError(
                "Which app? For example: %%tapisjob bash. tapis.apps() lists them; %%tapisjob --help helps."
            )
        _check_variables(options)
        options.process = self._function(options.process)
        tapis = _connected()
        body = cell or ""
        if options.cases:
            self._run_cases(tapis, options, body)
            return
        request = job_request(tapis, options, body if options.raw else fill(body, self._names))
        if options.dry_run:
            _show_preview(tapis.validate(request))
            return
        self._run(tapis.submit(request), options)

    @no_var_expand
    @line_magic
    def tapisjobs(self, line: str) -> Any:
        """Show jobs as a table; see ``%tapisjobs --help``."""
        parser = list_parser()
        options = parser.read(line, self._names)
        if options.help:
            sys.stdout.write(parser.format_help())
            return None
        if options.debug:
            sys.stdout.write(_last_error())
            return None
        limit = None if options.limit is None else _whole_number(options.limit, "--limit")
        tapis = _connected()
        table = tapis.jobs(
            status=options.status or None,
            since=options.since,
            until=options.until,
            app=options.app,
            name=options.name,
            system=options.system,
            limit=limit,
        )
        return _with_standing(tapis, table)

    def _function(self, name: str | None) -> Any:
        """Return the notebook's function of that name; else the name, which is one of a package."""
        found = self._names.get(name) if name else None
        return found if callable(found) else name

    def _run_cases(self, tapis: Tapis, options: Namespace, body: str) -> None:
        columns = columns_of(options.rows)
        names = names_for([body, *_texts(options)], self._names, columns)
        request = job_request(tapis, options, body if options.raw else fill_but(body, self._names, columns))
        study = study_of_cell(tapis, options, request, options.rows, names)
        run_study(study, options, [pair(text, "--out", "PATH=VAR") for text in options.out], self._names)

    def _run(self, job: Job, options: Namespace) -> None:
        from ..client.progress import in_notebook
        from .cards import show

        card = show(job)
        if options.o:
            self._names[options.o] = job
        if options.follow:
            job.follow()
        if options.wait or options.out:
            # In a notebook the card tells how it goes.
            job.wait(progress=not in_notebook())
        if options.wait or options.out or options.follow:
            card.settle()
        for path, name in (pair(text, "--out", "PATH=VAR") for text in options.out):
            self._names[name] = _output(job, path)


# ``%%tapisjob?`` shows the same as ``--help``.
JobMagics.tapisjob.__doc__ = job_parser().format_help()
JobMagics.tapisjobs.__doc__ = list_parser().format_help()


def _show_preview(preview: Preview) -> None:
    """Show a dry run: as a table in a notebook, as text elsewhere."""
    from ..client.progress import in_notebook

    if not in_notebook():
        sys.stdout.write(f"{preview}\n")
        return
    from IPython.display import display

    display(preview)  # type: ignore[no-untyped-call]  # IPython's own


def job_request(tapis: Tapis, options: Namespace, body: str) -> dict[str, Any]:
    """Return the request, with shorthands, that the options and the cell ask for."""
    if options.template:
        return _of_template(tapis, options, body)
    return _given_request(tapis, options, body, has_default=False)


def _of_template(tapis: Tapis, options: Namespace, body: str) -> dict[str, Any]:
    """Return the template's request with what the cell gives over it."""
    template = tapis.template(options.template)
    if options.app and options.app.partition("@")[0] != template.app.partition("@")[0]:
        raise InvalidInputError(
            f"Template {template.name} is for app {template.app}, not {options.app}. Leave the app out.",
            field="--template",
            value=options.template,
        )
    options.app = options.app or template.app
    return template.filled(_given_request(tapis, options, body, has_default=True))


def _given_request(tapis: Tapis, options: Namespace, body: str, *, has_default: bool) -> dict[str, Any]:
    """Return what options and cell say; where there *has_default* an empty cell says nothing."""
    from ..client.request import takes_script
    from ..model.shorthands import merged

    app = tapis.app(options.app)
    request: dict[str, Any] = {"appId": app["id"], "appVersion": app["version"], **_fields(options)}
    for field, value in (pair(text, "--set", "FIELD=VALUE") for text in options.set):
        request = merged(request, set_field(field, value))
    request |= {key: value for key, value in _shorthands(options).items() if value}
    if options.script:
        request["files"] = {options.script: _as_it_is(body, options)}
    if has_default and not body.strip():
        return request
    if takes_script(app):
        return {**request, "script": _as_it_is(_script(body, app["id"]), options)}
    return request if options.script else merged(request, _body_request(body, app["id"]))


def register(shell: Any) -> None:
    """Give *shell* the magics, their completion, and cards for jobs."""
    from .cards import register as register_cards
    from .completion import register as register_completion
    from .job_table import register as register_tables
    from .panel import register as register_panels
    from .study_progress import register as register_studies

    shell.register_magics(JobMagics)
    register_completion(shell)
    register_cards(shell)
    register_studies(shell)
    register_panels(shell)
    register_tables(shell)


def _connected() -> Tapis:
    from ..client.connect import connect

    return connect()


def _with_standing(tapis: Tapis, table: pd.DataFrame) -> pd.DataFrame:
    """Say beside the status of the newest active jobs what they are at, or wait for."""
    active = table.loc[~table["status"].isin(_ENDED), "uuid"].tolist()[:_TOLD]
    words = tapis.standing(active) if active else {}
    table.insert(3, "standing", table["uuid"].map(lambda uuid: words.get(uuid, "")).astype("str"))
    return table


#: Jobs whose standing is told in a table.
_TOLD = 1000
_ENDED = ("FINISHED", "FAILED", "CANCELLED")


def _check_variables(options: Namespace) -> None:
    """Find a slip in a variable's name before the job runs, not after."""
    if options.o:
        variable(options.o, "-o")
    for text in options.out:
        variable(pair(text, "--out", "PATH=VAR")[1], "--out")


def _fields(options: Namespace) -> dict[str, Any]:
    given = {option: getattr(options, option.name) for option in JOB_OPTIONS if option.field}
    return {
        option.field: _whole_number(value, option.flags[0]) if option.whole_number else value
        for option, value in given.items()
        if value is not None
    }


def _as_it_is(text: str, options: Namespace) -> str | bytes:
    """Bytes are never read for expressions."""
    return text.encode() if options.cases and options.raw else text


def _texts(options: Namespace) -> Iterator[str]:
    """Yield every text that was given on the line."""
    for value in vars(options).values():
        yield from (item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str))


def _whole_number(text: str, option: str) -> Any:
    if OPEN in text:
        # Of a study: a column tells it for each case.
        return text
    try:
        return int(text)
    except ValueError:
        raise InvalidInputError(
            f"{option} {text}: expected a whole number.", field=option, value=text
        ) from None


def _shorthands(options: Namespace) -> dict[str, Any]:
    return {
        "args": list(options.arg),
        "inputs": [cell_input(text) for text in options.input],
        "env": dict(pair(text, "--env", "K=V") for text in options.env),
        "process": options.process,
    }


def _script(body: str, app: str) -> str:
    if not body.strip():
        raise InvalidInputError(f"The cell is empty: write the script of app {app} below the line.")
    return body


def _body_request(body: str, app: str) -> dict[str, Any]:
    from ..model.shorthands import read_mapping

    text, kept = masked(body)
    try:
        found = read_mapping(text, "The cell")
    except InvalidInputError as cause:
        raise InvalidInputError(
            f"{cause.message} App {app} has no script of its own, so the cell is a request; to make the cell "
            "a file of the job: --script FILE."
        ) from cause
    filled: dict[str, Any] = unmasked(found, kept)
    return filled


def _output(job: Job, path: str) -> Any:
    if path.lower().endswith(".csv"):
        return job.read_csv(path)
    job.want_finished("--out")
    return job.read(path)


def _last_error() -> str:
    """The last error of the notebook in full, with its causes."""
    error = getattr(sys, "last_value", None)
    if error is None:
        return "There was no error.\n"
    return "".join(traceback.format_exception(error))
