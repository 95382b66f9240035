"""Outputs of jobs as tables: by the end of their name, by a regular expression, or by a given parser."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, UnavailableError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

#: A parser of the caller's: an open binary file -> a table, row, list or single value.
Parser = Callable[[io.BytesIO], Any]
_Options = Mapping[str, Any]
_Reader = Callable[[bytes, str, _Options], Any]
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eEdD][-+]?\d+)?|[-+]?(nan|inf)", re.IGNORECASE)


class OpenOutput(io.BytesIO):
    """The content of an output as an open file that knows its ``name``."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


#: Rows of single values; one frame of all is made later, which costs less than a frame each.
Rows = list[dict[str, Any]]


def rows_of(
    content: bytes,
    path: str,
    *,
    parser: str | Parser | None = None,
    pattern: str | re.Pattern[str] | None = None,
    options: _Options = MappingProxyType({}),
) -> Rows | pd.DataFrame:
    """Return the output *path* with this *content* as a table, or as the rows of one.

    *parser* is one of ``csv tsv json jsonl parquet numpy text``, or a function of an open binary file;
    without one the end of the name decides. *pattern* makes a row of each match in a text: named groups
    are the columns. *options* go to pandas' reader. Raises ``InvalidInputError`` with one sentence.
    """
    chosen = parser_named(parser, path, pattern)
    if pattern is not None and chosen is _text:
        options = {**options, "pattern": compiled(pattern)}
    try:
        found = chosen(OpenOutput(content, path)) if chosen is parser else chosen(content, path, options)
    except UnavailableError:
        raise
    except InvalidInputError as cause:
        raise InvalidInputError(cause.message, field="path", value=path) from cause
    except Exception as cause:
        raise InvalidInputError(
            f"{path} cannot be read{_as(chosen)}: {_reason(cause)}", field="path", value=path
        ) from cause
    return as_rows(found, _stem(path))


def parser_named(
    parser: str | Parser | None, path: str, pattern: str | re.Pattern[str] | None = None
) -> Callable[..., Any]:
    """Return what reads *path*; raises ``InvalidInputError`` for a name that no parser has."""
    if callable(parser):
        return parser
    if parser is not None:
        if parser not in _PARSERS:
            raise InvalidInputError(
                f"parser '{parser}' is not one of: {', '.join(_PARSERS)}; or a function of an open file."
                f"{did_you_mean(str(parser), _PARSERS)}",
                field="parser",
                value=parser,
            )
        return _PARSERS[parser]
    if pattern is not None:
        return _text
    return _BY_SUFFIX.get(PurePosixPath(path).suffix.lower(), _text)


def is_plain_csv(path: str, parser: str | Parser | None, pattern: object) -> bool:
    """True where many files may be parsed as one table with commas."""
    return pattern is None and parser_named(parser, path) is _csv


def compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    """Return the regular expression; ``^`` and ``$`` are the ends of a line."""
    if isinstance(pattern, re.Pattern):
        return pattern
    try:
        return re.compile(pattern, re.MULTILINE)
    except re.error as cause:
        raise InvalidInputError(
            f"pattern {pattern!r} is no regular expression: {cause}.", field="pattern", value=pattern
        ) from cause


def as_rows(value: Any, name: str) -> Rows | pd.DataFrame:
    """Return a frame, row, list, array or single *value* as a table or its rows.

    What has no name is called *name*.

    A mapping is one row, with dotted names for mappings inside; where it holds lists of one length they
    become rows, and its single values are repeated. A list of mappings is a row each.
    """
    import numpy as np
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        named = any(label is not None for label in value.index.names)
        return _text_columns(value.reset_index(drop=not named))
    if isinstance(value, pd.Series):
        return as_rows({str(key): item for key, item in value.items()}, name)
    if isinstance(value, Mapping):
        return _of_mapping(_flat(value))
    if isinstance(value, np.ndarray):
        return _of_array(value, name)
    if isinstance(value, list | tuple):
        if value and all(isinstance(item, Mapping) for item in value):
            return [_flat(item) for item in value]
        return [{name: item} for item in value]
    return [{name: value}]


# --- the parsers ------------------------------------------------------------------------------
def _csv(content: bytes, path: str, options: _Options) -> Any:
    import pandas as pd

    return pd.read_csv(io.BytesIO(content), **options)


def _tsv(content: bytes, path: str, options: _Options) -> Any:
    return _csv(content, path, {"sep": "\t", **options})


def _json(content: bytes, path: str, options: _Options) -> Any:
    return json.loads(content)


def _json_lines(content: bytes, path: str, options: _Options) -> Any:
    return [json.loads(line) for line in content.splitlines() if line.strip()]


def _parquet(content: bytes, path: str, options: _Options) -> Any:
    import pandas as pd

    try:
        return pd.read_parquet(io.BytesIO(content), **options)
    except ImportError as cause:
        raise UnavailableError(
            f"{path} is Parquet, which needs pyarrow: pip install 'jupyter-tapis-jobs[studies]'."
        ) from cause


def _numpy(content: bytes, path: str, options: _Options) -> Any:
    import numpy as np

    # What a job wrote is not trusted: no pickled objects.
    found = np.load(io.BytesIO(content), allow_pickle=False)
    if isinstance(found, np.ndarray):
        return found
    with found:
        return {key: found[key].tolist() for key in found.files}


def _text(content: bytes, path: str, options: _Options) -> Any:
    text = content.decode("utf-8", errors="replace")
    pattern = options.get("pattern")
    if pattern is None:
        return text
    rows = [_groups(match) for match in pattern.finditer(text)]
    if not rows:
        raise InvalidInputError(f"nothing in {path} matches {pattern.pattern!r}.")
    return rows


_PARSERS: Mapping[str, _Reader] = MappingProxyType(
    {
        "csv": _csv,
        "tsv": _tsv,
        "json": _json,
        "jsonl": _json_lines,
        "parquet": _parquet,
        "numpy": _numpy,
        "text": _text,
    }
)
_BY_SUFFIX: Mapping[str, _Reader] = MappingProxyType(
    {
        ".csv": _csv,
        ".tsv": _tsv,
        ".json": _json,
        ".jsonl": _json_lines,
        ".ndjson": _json_lines,
        ".parquet": _parquet,
        ".pq": _parquet,
        ".npy": _numpy,
        ".npz": _numpy,
    }
)


# --- parts ------------------------------------------------------------------------------------
def _groups(match: re.Match[str]) -> dict[str, Any]:
    named = match.groupdict()
    if named:
        return {key: _number(text) for key, text in named.items()}
    plain = match.groups() or (match.group(),)
    if len(plain) == 1:
        return {"value": _number(plain[0])}
    return {f"value_{index}": _number(text) for index, text in enumerate(plain, start=1)}


def _number(text: str | None) -> Any:
    """Return a number where the text is one, Fortran's ``1.5D-3`` too."""
    if text is None or not _NUMBER.fullmatch(text.strip()):
        return text
    plain = text.strip()
    try:
        return int(plain)
    except ValueError:
        return float(re.sub("[dD]", "e", plain) if plain[-1].isdigit() else plain)


def _flat(value: Mapping[Any, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            found |= _flat(item, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = item
    return found


def _of_mapping(row: Mapping[str, Any]) -> Rows:
    lists = {key: list(item) for key, item in row.items() if _is_list(item)}
    lengths = {len(item) for item in lists.values()}
    if len(lengths) != 1:
        return [dict(row)]
    return [
        {key: lists[key][place] if key in lists else item for key, item in row.items()}
        for place in range(lengths.pop())
    ]


def _is_list(item: Any) -> bool:
    import numpy as np

    return isinstance(item, list | tuple) or (isinstance(item, np.ndarray) and item.ndim > 0)


def _of_array(array: Any, name: str) -> pd.DataFrame:
    import pandas as pd

    if array.dtype.names:
        return pd.DataFrame({field: array[field].ravel() for field in array.dtype.names})
    if array.ndim <= 1:
        return pd.DataFrame({name: array.reshape(-1)})
    if array.ndim == 2:
        return pd.DataFrame(array, columns=[f"{name}_{index}" for index in range(array.shape[1])])
    shape = " x ".join(map(str, array.shape))
    raise InvalidInputError(
        f"{name} is an array of {shape}: a table has two dimensions. A parser= can make rows of it.",
        field="path",
    )


def _text_columns(table: pd.DataFrame) -> pd.DataFrame:
    table.columns = [_column(label) for label in table.columns]
    return table


def _column(label: Any) -> str:
    return ".".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _stem(path: str) -> str:
    return PurePosixPath(path).stem or path


def _as(chosen: Callable[..., Any]) -> str:
    words = {_csv: "a table", _tsv: "a table", _json: "JSON", _json_lines: "lines of JSON"}
    more = {_parquet: "Parquet", _numpy: "an array of NumPy"}
    word = (words | more).get(chosen)
    return f" as {word}" if word else ""


def _reason(cause: Exception) -> str:
    said = " ".join(str(cause).split())[:200].rstrip(".")
    if isinstance(cause, ValueError) and said:
        return f"{said}."
    return f"{type(cause).__name__}: {said}." if said else f"{type(cause).__name__}."
