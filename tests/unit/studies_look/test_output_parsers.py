"""Files of all kinds become tables by the end of their name."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from jupyter_tapis_jobs.client.output_parsers import as_rows, rows_of
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.globs import names_matching


def table_of(*given, **more):
    return pd.DataFrame(rows_of(*given, **more))


def as_table(value, name):
    return pd.DataFrame(as_rows(value, name))


def numpy_file(array=None, **arrays):
    body = io.BytesIO()
    if arrays:
        np.savez(body, **arrays)
    else:
        np.save(body, array)
    return body.getvalue()


@pytest.mark.parametrize(
    ("path", "content", "rows"),
    [
        ("a.csv", b"t,u\n1,2.5\n", {"t": [1], "u": [2.5]}),
        ("a.TSV", b"t\tu\n1\t2\n", {"t": [1], "u": [2]}),
        ("a.json", b'{"peak": 1.5, "at": {"t": 2, "n": "x"}}', {"peak": [1.5], "at.t": [2], "at.n": ["x"]}),
        ("a.json", b'[{"t": 1}, {"t": 2}]', {"t": [1, 2]}),
        ("a.json", b'{"t": [1, 2], "name": "x"}', {"t": [1, 2], "name": ["x", "x"]}),
        ("modes.json", b"[3, 4]", {"modes": [3, 4]}),
        ("peak.json", b"2.5", {"peak": [2.5]}),
        ("a.jsonl", b'{"t": 1}\n\n{"t": 2}\n', {"t": [1, 2]}),
        ("u.npy", numpy_file(np.array([1.0, 2.0])), {"u": [1.0, 2.0]}),
        ("u.npy", numpy_file(np.array(7)), {"u": [7]}),
        ("u.npy", numpy_file(np.array([[1, 2], [3, 4]])), {"u_0": [1, 3], "u_1": [2, 4]}),
        ("u.npy", numpy_file(np.array([(1, 2.5)], dtype=[("n", "i4"), ("x", "f8")])), {"n": [1], "x": [2.5]}),
        ("u.npz", numpy_file(t=np.array([1, 2]), k=np.array(3)), {"t": [1, 2], "k": [3, 3]}),
        ("notes.txt", b"all fine\n", {"notes": ["all fine\n"]}),
        ("deep/er/peak.json", b"1", {"peak": [1]}),
    ],
)  # fmt: skip
def test_the_end_of_a_name_tells_how_it_is_read(path, content, rows):
    assert table_of(content, path).to_dict("list") == rows


def test_parquet_is_read_where_pyarrow_is():
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install '.[studies]'")
    body = io.BytesIO()
    pd.DataFrame({"t": [1, 2]}).to_parquet(body)
    assert table_of(body.getvalue(), "a.parquet").to_dict("list") == {"t": [1, 2]}


@pytest.mark.parametrize(
    ("pattern", "rows"),
    [
        (r"drift (?P<storey>\d+): (?P<drift>\S+)", {"storey": [1, 2], "drift": [0.5, 0.0015]}),
        (r"drift \d+: (\S+)", {"value": [0.5, 0.0015]}),
        (r"^drift (\d+): (\S+)$", {"value_1": [1, 2], "value_2": [0.5, 0.0015]}),
        (r"soil (\w+)", {"value": ["clay"]}),
    ],
)
def test_each_match_in_a_text_is_a_row_and_numbers_are_numbers(pattern, rows):
    text = b"drift 1: 0.5\ndrift 2: 1.5D-3\nsoil clay\n"
    assert table_of(text, "run.out", pattern=pattern).to_dict("list") == rows


def test_a_named_parser_overrides_the_name_and_options_reach_it():
    assert table_of(b"1;2\n", "run.dat", parser="csv", options={"sep": ";", "names": ["a", "b"]}).to_dict(
        "list"
    ) == {"a": [1], "b": [2]}


def test_a_parser_of_the_caller_takes_an_open_file_that_knows_its_name():
    found = table_of(b'{"a": 1}', "deep/a.txt", parser=lambda file: {**json.load(file), "of": file.name})
    assert found.to_dict("list") == {"a": [1], "of": ["deep/a.txt"]}


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("a.json", b"{", "a.json cannot be read as JSON: "),
        ("a.csv", b"", "a.csv cannot be read as a table: "),
        ("a.npy", b"x", "a.npy cannot be read as an array of NumPy: "),
        ("a.npy", numpy_file(np.array([{}], dtype=object)), "cannot be read as an array of NumPy"),
        ("a.npy", numpy_file(np.zeros((2, 2, 2))), "an array of 2 x 2 x 2: a table has two dimensions"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(path, content, words):
    with pytest.raises(InvalidInputError, match=words):
        table_of(content, path)


def test_frames_keep_an_index_that_has_a_name():
    indexed = pd.DataFrame({"u": [1]}, index=pd.Index([0.5], name="t"))
    assert as_table(indexed, "x").to_dict("list") == {"t": [0.5], "u": [1]}
    assert as_table(pd.Series({"a": 1, "b": 2}), "x").to_dict("list") == {"a": [1], "b": [2]}
    assert as_table({"a": [1, 2], "b": [1]}, "x").to_dict("list") == {"a": [[1, 2]], "b": [[1]]}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.csv", ["a.csv", "b[1].csv"]),
        ("**/*.csv", ["a.csv", "b[1].csv", "deep/er/c.csv"]),
        ("deep/**", ["deep/er/c.csv"]),
        ("?.csv", ["a.csv"]),
        ("[!a]*.csv", ["b[1].csv"]),
        ("b[[]1].csv", ["b[1].csv"]),
    ],
)
def test_a_star_stays_in_its_folder_and_two_go_below(pattern, names):
    assert names_matching(["b[1].csv", "a.csv", "deep/er/c.csv", "x.json"], pattern) == names
