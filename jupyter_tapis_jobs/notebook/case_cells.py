"""A cell for many cases: ``--cases FRAME`` makes a study of it; its columns are filled for each case."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, did_you_mean
from ..model.placeholders import BUILTINS, CLOSE, OPEN, names_in, pieces, readable
from .values import evaluate

if TYPE_CHECKING:
    from ..client.study import Study
    from ..client.tapis import Tapis

#: Private-use characters: no person types them.
_MARK, _END = "\ue002", "\ue003"


def rows_named(text: str, names: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the cases that ``--cases`` means: a variable of the notebook, or the path of a CSV file."""
    from ..client.cases import cases_of

    if text in names:
        return cases_of(names[text])
    if Path(text).suffix and not text.isidentifier():
        return cases_of(text)
    public = [name for name in names if not name.startswith("_")]
    raise InvalidInputError(
        f"--cases {text}: there is no variable '{text}' in this notebook.{did_you_mean(text, public)} "
        "It takes a data frame, a grid (tj.grid(k=[1, 2])), a list of mappings, or a CSV file.",
        field="--cases",
        value=text,
    )


def columns_of(rows: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the columns of cases."""
    return frozenset(name for row in rows for name in row)


def is_for_cases(expression: str, columns: frozenset[str]) -> bool:
    """True when *expression* uses a column, and so has another value for each case."""
    return bool(columns) and readable(expression) and not names_in(expression).isdisjoint(columns)


def fill_but(text: str, names: Mapping[str, Any], columns: frozenset[str]) -> str:
    """Return *text* with the notebook's values in it.

    Expressions that use a column stay, and of cases also braces that hold none: the template reads them.
    """
    return "".join(
        piece if plain else _kept(piece) if _stays(piece, columns) else str(evaluate(piece, names))
        for plain, piece in pieces(text)
    )


def _stays(expression: str, columns: frozenset[str]) -> bool:
    return bool(columns) and (not readable(expression) or is_for_cases(expression, columns))


def names_for(texts: Iterable[str], names: Mapping[str, Any], columns: frozenset[str]) -> dict[str, Any]:
    """Return the variables of the notebook that stand beside columns in the expressions of *texts*."""
    used = {
        name
        for text in texts
        for plain, piece in pieces(text)
        if not plain and is_for_cases(piece, columns)
        for name in names_in(piece)
    }
    wanted = used - columns - set(BUILTINS)
    return {name: names[name] for name in sorted(wanted) if name in names}


def masked(text: str) -> tuple[str, list[str]]:
    """Return *text* with a mark for each expression, which YAML would take for a mapping; and these."""
    kept: list[str] = []
    parts: list[str] = []
    for plain, piece in pieces(text):
        if plain:
            parts.append(piece)
        else:
            parts.append(f"{_MARK}{len(kept)}{_END}")
            kept.append(_kept(piece))
    return "".join(parts), kept


def unmasked(value: Any, kept: list[str]) -> Any:
    """Return what was read from a masked text with its expressions back in place."""
    if isinstance(value, Mapping):
        return {unmasked(key, kept): unmasked(item, kept) for key, item in value.items()}
    if isinstance(value, list):
        return [unmasked(item, kept) for item in value]
    if isinstance(value, str):
        for number, text in enumerate(kept):
            value = value.replace(f"{_MARK}{number}{_END}", text)
    return value


def study_of_cell(
    tapis: Tapis, options: Namespace, request: Mapping[str, Any], rows: Any, names: Mapping[str, Any]
) -> Study:
    """Return the study that a cell asks for; not submitted yet."""
    if options.follow:
        raise InvalidInputError(
            "--follow is for one job; a study shows its progress, and --wait waits for it."
        )
    if not options.name:
        raise InvalidInputError("--cases makes a study, which needs a name to be found by: --name NAME.")
    fields = {key: value for key, value in request.items() if key != "name"}
    return tapis.study(options.name, fields, cases=rows, names=names)


def run_study(
    study: Study, options: Namespace, out: Iterable[tuple[str, str]], names: dict[str, Any]
) -> None:
    """Preview or run a cell's study, show it, and put results into variables of the notebook."""
    if options.o:
        names[options.o] = study
    if options.dry_run:
        _show(study.preview())
        return
    from .study_progress import show

    study.run()
    wanted = list(out)
    if options.wait or wanted:
        study.wait()
    else:
        show(study)
    for path, name in wanted:
        names[name] = study.collect(path)


def _show(preview: Any) -> None:
    from ..client.progress import in_notebook

    if not in_notebook():
        sys.stdout.write(f"{preview}\n")
        return
    from IPython.display import display

    display(preview)  # type: ignore[no-untyped-call]  # IPython's own


def _kept(expression: str) -> str:
    return f"{OPEN}{expression}{CLOSE}"
