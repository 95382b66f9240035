"""Where cases come from, and what is refused before anything is spent."""

import itertools
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jupyter_tapis_jobs as tj
from jupyter_tapis_jobs.client.cases import MOST, RESERVED, cases_of
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotFoundError


def refusal(source) -> str:
    with pytest.raises(InvalidInputError) as refused:
        cases_of(source)
    return refused.value.message


ROWS = [{"k": 1, "d": 0.5}, {"k": 2, "d": 1.0}]


# --- sources ----------------------------------------------------------------------------------
def test_a_frame_a_list_and_a_generator_give_the_same_rows():
    assert cases_of(pd.DataFrame(ROWS)) == cases_of(ROWS) == cases_of(dict(row) for row in ROWS) == ROWS


def test_a_frame_keeps_the_kind_and_order_of_its_columns_whatever_its_index():
    frame = pd.DataFrame({"s": ["a", "b"], "k": [1, 2], "x": [0.5, 1.5], "on": [True, False]}, index=[7, 3])
    rows = cases_of(frame)
    assert rows == [{"s": "a", "k": 1, "x": 0.5, "on": True}, {"s": "b", "k": 2, "x": 1.5, "on": False}]
    assert [list(map(type, row.values())) for row in rows] == [[str, int, float, bool]] * 2


def test_a_mapping_of_lists_is_their_grid():
    assert cases_of({"k": [1, 2], "s": ("a", "b"), "x": 0.5}) == [
        {"k": 1, "s": "a", "x": 0.5},
        {"k": 1, "s": "b", "x": 0.5},
        {"k": 2, "s": "a", "x": 0.5},
        {"k": 2, "s": "b", "x": 0.5},
    ]


def test_a_csv_file_is_read_beside_the_notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my cases.csv").write_text(
        "k, damping,record\n1,0.1,el centro.txt\n2,0.30000000000000004,kobe.txt\n"
    )
    rows = cases_of("my cases.csv")
    assert rows == cases_of(Path("my cases.csv"))
    assert rows[1] == {"k": 2, "damping": 0.30000000000000004, "record": "kobe.txt"}
    with pytest.raises((InvalidInputError, NotFoundError), match=r"my cases\.csv"):
        cases_of("mycases.csv")


def test_cells_of_a_csv_file_are_numbers_truths_or_text_by_column(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text(
        '\ufeffn;x;on;code;"a;b"\n1;1e-3;true;007;"x; y"\n\n-2;.5;False;12;1b\n', encoding="utf-8"
    )
    assert cases_of(str(path)) == [
        {"n": 1, "x": 0.001, "on": True, "code": "007", "a;b": "x; y"},
        {"n": -2, "x": 0.5, "on": False, "code": "12", "a;b": "1b"},
    ]


@pytest.mark.parametrize("source", [3, None, b"k", "k=3", np.zeros((2, 2)), pd.Series([1, 2])])
def test_what_cannot_be_cases_is_named_with_what_can(source):
    message = refusal(source)
    assert message.startswith("cases must be a DataFrame, a mapping of names to lists (their grid), a list")


def test_a_row_that_is_no_mapping_is_named():
    assert refusal([{"k": 1}, (2, 3)]).startswith("Row 1 of cases is (2, 3).")


# --- values -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(3), 3),
        (np.float64(0.5), 0.5),
        (np.float32(0.1), 0.1),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array(3), 3),
        (np.datetime64("2026-11-21"), "2026-11-21"),
        (pd.Timestamp("2026-11-21 04:05"), "2026-11-21T04:05:00"),
        (date(2026, 11, 21), "2026-11-21"),
        (datetime(2026, 11, 21, tzinfo=UTC), "2026-11-21T00:00:00+00:00"),
        (Decimal("0.10"), 0.1),
        (Decimal("2"), 2),
        (Path("a b/c.txt"), "a b/c.txt"),
        ("a b/c.txt", "a b/c.txt"),
        (True, True),
    ],
)
def test_values_of_numpy_pandas_and_python_become_plain(value, plain):
    (row,) = cases_of([{"k": value}])
    assert row == {"k": plain}
    assert type(row["k"]) is type(plain)


def test_columns_of_any_dtype_become_plain():
    frame = pd.DataFrame(
        {
            "half": np.array([0.1, 0.2], dtype="float32"),
            "small": np.array([1, 2], dtype="int8"),
            "nullable": pd.array([1, 2], dtype="Int64"),
            "truth": pd.array([True, False], dtype="boolean"),
            "kind": pd.Categorical(["clay", "sand"]),
            "day": pd.date_range("2026-11-21", periods=2),
        }
    )
    assert cases_of(frame)[0] == {
        "half": 0.1,
        "small": 1,
        "nullable": 1,
        "truth": True,
        "kind": "clay",
        "day": "2026-11-21T00:00:00",
    }


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "has no value (None)"),
        (math.nan, "has no value (NaN)"),
        (np.float32("nan"), "has no value (NaN)"),
        (pd.NA, "has no value (NA)"),
        (pd.NaT, "has no value (NaT)"),
        (np.datetime64("NaT"), "has no value (NaT)"),
        (Decimal("NaN"), "has no value (NaN)"),
        (math.inf, "is infinite (inf)"),
        (np.float64("-inf"), "is infinite (-inf)"),
        ([1, 2], "holds a list ([1, 2])"),
        ({"a": 1}, "holds a dict ({'a': 1})"),
        (np.array([1, 2]), "holds a ndarray"),
        (1j, "holds a complex (1j)"),
        (b"a", "holds a bytes (b'a')"),
        (pd.Timedelta("1s"), "holds a Timedelta"),
        (np.timedelta64(1, "s"), "holds a timedelta64"),
        (object, "holds a type"),
        ("\ud800", "holds text that cannot be written as UTF-8"),
        ("text", "is text ('text') where most rows hold a number"),
        (True, "is true or false (True) where most rows hold a number"),
        (date(2026, 1, 1), "is a date (datetime.date(2026, 1, 1)) where most rows hold a number"),
    ],
)
def test_a_value_that_no_case_can_hold_is_named_by_row_and_column(value, words):
    rows = [{"k": number, "d": number} for number in range(620)]
    rows[613]["d"] = value
    message = refusal(rows)
    assert message.startswith("Row 613, column 'd' ")
    assert words in message
    assert (
        refusal(pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in "kd"}))
        == message
    )


def test_a_frame_with_nan_is_refused_with_the_number_of_rows():
    with pytest.raises(InvalidInputError) as refused:
        cases_of(pd.DataFrame({"k": [1.0, None, 3.0, None], "d": [1, 2, 3, 4]}))
    assert refused.value.message == (
        "Row 1, column 'k' has no value (NaN). Give it one, or drop the row: df.dropna(). "
        "One more row is wrong."
    )
    assert [(error["row"], error["field"]) for error in refused.value.errors] == [(1, "k"), (3, "k")]


def test_a_key_that_one_row_lacks_or_has_alone_is_named():
    assert refusal([{"k": 1, "d": 1}, {"k": 2}]).startswith("Row 1, column 'd' has no value")
    assert refusal([{"k": 1}, {"k": 2, "d": 1}]).startswith("Row 0, column 'd' has no value")


def test_a_slip_in_a_column_of_numbers_of_a_csv_file_is_found(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text("k,name\n" + "".join(f"{n},r{n}\n" for n in range(613)) + "1O,x\n")
    message = refusal(path)
    assert message.startswith("Row 613, column 'k' of ")
    assert "holds '1O' where other rows hold numbers" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "cases.csv is empty"),
        ("k,d\n", "There are no cases"),
        ("k,d\n1,2\n3\n", "Row 1 of"),
        ("k,d\n1,\n", "Row 0, column 'd' has no value"),
        ("k,d\n1,nan\n", "Row 0, column 'd' has no value (NaN)"),
        ("k,k\n1,2\n", "Two columns are called 'k'"),
        ("k\n\xff", "cannot be read as a table"),
    ],
)
def test_a_csv_file_that_is_no_table_of_cases_is_refused(tmp_path, content, words):
    path = tmp_path / "cases.csv"
    path.write_text(content, encoding="latin-1")
    assert words in refusal(path)


# --- rows -------------------------------------------------------------------------------------
@pytest.mark.parametrize("source", [[], pd.DataFrame(), pd.DataFrame({"k": []}), iter(())])
def test_nothing_at_all_is_refused(source):
    assert "no case" in refusal(source)


def test_rows_without_columns_are_refused():
    assert "no columns" in refusal([{}, {}])
    assert "no columns" in refusal(pd.DataFrame(index=[0, 1]))


def test_rows_that_are_there_twice_are_refused_by_value():
    rows = [{"k": number, "d": 0.5} for number in range(20)] + [{"k": 3.0, "d": 0.5}, {"k": 4, "d": 0.5}]
    message = refusal(rows)
    assert message.startswith("Row 20 is the same case as row 3 (k=3, d=0.5). Drop it: df.drop_duplicates()")
    assert message.endswith("One more row is wrong.")


def test_too_many_rows_are_refused_at_once():
    assert refusal(pd.DataFrame({"k": np.arange(1_000_000)})).startswith("1,000,000 cases are more than")
    assert refusal({"a": range(1000), "b": range(1000)}).startswith("The grid has 1,000 x 1,000 = 1,000,000")
    with pytest.raises(InvalidInputError, match=r"'a' has 1,000,000,000,000 values; a study takes 100,000"):
        tj.grid(a=range(10**12))
    with pytest.raises(InvalidInputError, match="more than a study takes"):
        tj.grid(a=itertools.count())
    assert "more than" in refusal({"k": 1} for _ in iter(int, 1))


def test_as_many_cases_as_a_study_takes_are_taken():
    assert len(cases_of({"k": range(MOST)})) == MOST


# --- names ------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", sorted({*RESERVED, "status", "attempt", "problem"}))
def test_a_name_of_the_results_is_refused_for_a_column(name):
    assert refusal([{name: 1}]).startswith(
        f"Column '{name}' would clash with the column '{name}' of study.frame()"
    )


@pytest.mark.parametrize("name", [0, ("a", "b"), "", "  ", None, math.nan])
def test_a_column_without_a_usable_name_is_refused(name):
    assert refusal(pd.DataFrame([[1, 2]], columns=pd.Index(["k", name], dtype=object))).startswith(
        "Column 1 is called "
    )


@pytest.mark.parametrize("name", [" k", "k ", "a}}", "{k", "a\nb"])
def test_a_name_that_braces_cannot_hold_is_refused(name):
    assert "has a name that no template can hold" in refusal([{name: 1}])


def test_two_columns_of_one_name_are_refused():
    frame = pd.DataFrame([[1, 2]], columns=["k", "k"])
    assert refusal(frame) == "Two columns are called 'k'. Rename one of them."


# --- grids ------------------------------------------------------------------------------------
def test_a_grid_has_every_combination_in_order():
    frame = tj.grid(k=range(2), damping=[0.02, 0.05], soil="clay")
    assert list(frame.columns) == ["k", "damping", "soil"]
    assert frame.to_dict("list") == {
        "k": [0, 0, 1, 1],
        "damping": [0.02, 0.05, 0.02, 0.05],
        "soil": ["clay"] * 4,
    }


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_a_grid_is_as_large_as_the_product_of_its_axes_and_holds_no_row_twice(sizes):
    frame = tj.grid({f"a{place}": range(size) for place, size in enumerate(sizes)})
    assert len(frame) == math.prod(sizes)
    assert len(cases_of(frame)) == len(frame)


def test_a_grid_takes_arrays_series_and_names_that_python_cannot_write():
    frame = tj.grid({"peak drift": np.linspace(0.1, 0.3, 3)}, k=pd.Series([1, 2]), t=np.float64(2))
    assert list(frame.columns) == ["peak drift", "k", "t"]
    assert len(cases_of(frame)) == 6


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({}, "A grid needs values"),
        ({"k": []}, "'k' has no values"),
        ({"k": [1, 2, 1.0]}, "'k' holds 1.0 twice"),
        ({"k": {1, 2}}, "'k' are a set, which has no order"),
        ({"k": np.zeros((2, 2))}, "'k' are an array of 2 dimensions"),
        ({"status": [1]}, "would clash"),
    ],
)
def test_a_grid_that_means_nothing_is_refused(axes, words):
    with pytest.raises(InvalidInputError) as refused:
        tj.grid(axes)
    assert words in refused.value.message


def test_a_name_given_twice_is_refused():
    with pytest.raises(InvalidInputError, match="'k' is given twice"):
        tj.grid({"k": [1]}, k=[2])


# --- numbers that lose something --------------------------------------------------------------
@pytest.mark.parametrize("column", [[10**5000], [1, 10**5000], [0.5, -(10**5000)], [Decimal("1e5000")]])
def test_a_whole_number_that_python_itself_does_not_write_is_refused(column):
    assert "holds a whole number of more than 1,000 digits. Give it as text." in refusal({"k": column})


def test_a_decimal_keeps_all_its_digits_or_is_refused():
    assert cases_of({"k": [Decimal("0.1"), Decimal("2.50"), Decimal("1e30")]}) == [
        {"k": 0.1},
        {"k": 2.5},
        {"k": 10**30},
    ]
    told = refusal({"k": [Decimal("0.1"), Decimal("0.1234567890123456789012")]})
    assert told.startswith(
        "Row 1, column 'k' has more digits than a number keeps (0.1234567890123456789012)."
    )


def test_numbers_with_a_decimal_comma_are_not_taken_as_text(tmp_path):
    table = tmp_path / "german.csv"
    table.write_text("k;damping\n1;0,02\n2;5\n", encoding="utf-8-sig")
    assert "Column 'damping' of" in (told := refusal(str(table)))
    assert f"cases=pd.read_csv({str(table)!r}, sep=';', decimal=',')." in told
    assert cases_of(pd.read_csv(table, sep=";", decimal=",")) == [
        {"k": 1, "damping": 0.02},
        {"k": 2, "damping": 5.0},
    ]
    table.write_text("k;damping\n1;0.02\n2;5\n", encoding="utf-8-sig")
    assert cases_of(str(table)) == [{"k": 1, "damping": 0.02}, {"k": 2, "damping": 5}]
