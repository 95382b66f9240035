"""A request with columns in it, rendered for each case."""

import shlex
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.arguments import expanded
from jupyter_tapis_jobs.model.case_template import CaseFunction, CaseTemplate, rendered
from jupyter_tapis_jobs.model.case_values import CaseError
from jupyter_tapis_jobs.model.errors import InvalidInputError

text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


def render(given, row, **options):
    return CaseTemplate(given, list(row), **options).render(row)


def test_columns_go_anywhere_and_the_rest_stays():
    given = {
        "name": "push-{{ k }}",
        "appId": "opensees",
        "nodeCount": "{{ nodes }}",
        "memoryMB": "{{ 1000 * nodes }}",
        "isMpi": "{{ mpi }}",
        "execSystemLogicalQueue": "{{ 'large' if nodes > 1 else 'normal' }}",
        "args": ["--k", "{{ k }}", "--file={{ record }}"],
        "env": {"K": "{{ k }}", "N": 3},
        "inputs": ["records/{{ record }}", ("a.txt", "{{ k }}.txt"), Path("in/{{ record }}")],
        "files": {"model_{{ k }}.tcl": "set k {{ k }}\nset half {{ k / 2 }}\n", "b.bin": b"{{ k }}"},
        "notes": {"k": "{{ k }}", "words": "k is {{ k }}"},
        "tags": ["{{ record }}"],
    }
    row = {"k": 2.5, "nodes": 2.0, "mpi": True, "record": "el centro.txt"}
    template = CaseTemplate(given, list(row))
    assert template.uses == ("k", "nodes", "mpi", "record")
    assert template.render(row) == {
        "name": "push-2.5",
        "appId": "opensees",
        "nodeCount": 2,
        "memoryMB": 2000,
        "isMpi": True,
        "execSystemLogicalQueue": "large",
        "args": ["--k", "2.5", "--file=el centro.txt"],
        "env": {"K": "2.5", "N": 3},
        "inputs": ["records/el centro.txt", ("a.txt", "2.5.txt"), Path("in/el centro.txt")],
        "files": {"model_2.5.tcl": "set k 2.5\nset half 1.25\n", "b.bin": b"{{ k }}"},
        "notes": {"k": 2.5, "words": "k is 2.5"},
        "tags": ["el centro.txt"],
    }
    assert given["args"][1] == "{{ k }}"


@given(
    text, st.sampled_from(["--in {{ p }} -v", "--in '{{ p }}' -v", '--in "{{ p }}" -v', "--in={{ p }} -v"])
)
def test_a_value_in_an_argument_stays_one_word_whatever_it_holds(value, form):
    given = {"parameterSet": {"appArgs": [{"arg": form}]}, "args": form}
    found = render(given, {"p": value})
    for argument in (found["parameterSet"]["appArgs"][0]["arg"], found["args"]):
        words = expanded(argument, {"HOME": "/home/ada"})
        if value:
            assert words == (["--in=" + value, "-v"] if "=" in form else ["--in", value, "-v"])
        else:
            assert words[-1] == "-v"


def test_a_list_of_arguments_is_quoted_later_and_named_arguments_too():
    found = render({"args": ["{{ p }}", {"arg": "{{ p }}"}]}, {"p": "a b"})
    assert found["args"] == ["a b", {"arg": shlex.quote("a b")}]
    assert render({"args": {"arg": "{{ p }}"}}, {"p": "a b"})["args"] == {"arg": "a b"}


@given(text)
def test_a_value_in_an_address_is_a_part_of_its_path(value):
    given = {"fileInputs": [{"sourceUrl": "tapis://host/data/{{ p }}.txt"}], "inputs": ["data:,{{ p }}"]}
    found = render(given, {"p": value})
    url = found["fileInputs"][0]["sourceUrl"]
    assert unquote(url) == f"tapis://host/data/{value}.txt"
    assert not set(url.removeprefix("tapis://")) & set(" ?#\"'")
    assert unquote(found["inputs"][0]) == f"data:,{value}"


def test_an_address_or_path_that_is_a_value_is_taken_as_it_is():
    row = {"p": "https://host/a%20b?x=1"}
    assert render({"inputs": ["{{ p }}"]}, row)["inputs"] == ["https://host/a%20b?x=1"]


@pytest.mark.parametrize(
    "code",
    [
        "foreach {a b} {{1 2} {3 4}} {puts $a}\n",
        "x = '{{0}} {{}}'.format(1)\n",
        "$10^{{-3}}$ {% raw %} {# note #} ${#array[@]}\n",
        'd = {"a": {"b": 1}}; s = {{"a": 1}: 2}\n',
        "proc p {} {{\n}}\n",
    ],
)
def test_other_peoples_braces_stay_as_they_are(code):
    files = {"m": code + "{{ k }}\n" + code}
    assert render({"files": files}, {"k": 1})["files"]["m"] == code + "1\n" + code


def test_an_expression_inside_other_braces_is_found():
    assert render({"script": "foreach x {{1 2} {3 {{ k }}}} {}"}, {"k": 7})["script"] == (
        "foreach x {{1 2} {3 7}} {}"
    )
    assert render({"script": "{{ '{{' }} k }} {{ k }}"}, {"k": 7})["script"] == "{{ k }} 7"


def test_a_value_is_not_read_for_expressions_again():
    assert render({"script": "{{ k }}"}, {"k": "{{ k }}"})["script"] == "{{ k }}"


@pytest.mark.parametrize("name", ["peak drift", "peak-drift", "none", "result", "max", "drift [%]"])
def test_a_column_of_any_name_can_be_written_as_it_is_called(name):
    assert render({"script": f"{{{{ {name} }}}}"}, {name: 3})["script"] == "3"


def test_expressions_compute():
    row = {"k": 2, "x": 0.123456, "s": "a b"}
    cases = {
        "{{ k ** 2 }}": "4",
        "{{ x | round(2) }}": "0.12",
        "{{ '%.3e' % x }}": "1.235e-01",
        "{{ s.upper() }}": "A B",
        "{{ max(k, 3) }}": "3",
        "{{ 'hard' if k > 1 else 'soft' }}": "hard",
    }
    keep = "{{ k }}{{ x }}{{ s }}"
    for expression, wanted in cases.items():
        assert render({"script": expression, "name": keep}, row)["script"] == wanted


def test_a_name_that_is_no_column_is_refused_with_the_nearest():
    with pytest.raises(InvalidInputError) as refused:
        CaseTemplate({"files": {"m.tcl": "set k {{ k }}\nset d {{ dampng }}\n"}}, ["k", "damping"])
    assert "files['m.tcl'] line 2: there is no column 'dampng'. Did you mean 'damping'?" in str(refused.value)
    assert refused.value.field == "files['m.tcl'] line 2"


def test_a_column_that_is_used_nowhere_is_refused_unless_it_is_a_label():
    with pytest.raises(InvalidInputError, match=r"Column 'note' is used nowhere .* labels=\['note'\]"):
        CaseTemplate({"args": ["{{ k }}"]}, ["k", "note"])
    template = CaseTemplate({"args": ["{{ k }}"]}, ["k", "note"], labels=["note"])
    assert template.uses == ("k",)
    with pytest.raises(InvalidInputError, match=r"there is no column 'nte'\. Did you mean 'note'"):
        CaseTemplate({"args": ["{{ k }}"]}, ["k", "note"], labels=["nte"])


def test_a_template_without_columns_is_refused():
    with pytest.raises(InvalidInputError, match=r"No column is used .* Write {{ k }} .* Columns: k, d\."):
        CaseTemplate({"args": ["-v"]}, ["k", "d"])


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("{{ k + }}", "names column 'k' and cannot be read"),
        ("{{ k | nothing }}", "cannot be read: No filter named 'nothing'"),
        ("{{ [k, 1] | random }}", "random gives another value each time"),
        ("{{ lipsum() }} {{ k }}", "there is no column 'lipsum'"),
        ("{{ 'a'.b }} {{ k }}", "it has no value"),
    ],
)
def test_an_expression_that_cannot_work_is_refused_before_any_row(expression, words):
    with pytest.raises(InvalidInputError, match="in args\\[0\\]") as refused:
        CaseTemplate({"args": [expression]}, ["k"])
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"args": ["{{ 1 / k }}"]}, "{{ 1 / k }} in args[0]: ZeroDivisionError: division by zero."),
        ({"nodeCount": "{{ k + 0.5 }}"}, "nodeCount needs a whole number, not 0.5."),
        ({"nodeCount": "{{ k == 0 }}"}, "nodeCount needs a whole number, not True."),
        ({"isMpi": "{{ k + 7 }}"}, "isMpi needs true or false, not 7."),
        ({"args": ["{{ k.real.nothing }}"]}, "it has no value."),
        ({"args": ["{{ k.__class__ }}"]}, "{{ k.__class__ }} in args[0]: "),
    ],
)
def test_an_error_of_one_row_names_row_and_column(given, words):
    rows = [{"k": number} for number in range(1, 614)] + [{"k": 0}] if "1 / k" in str(given) else [{"k": 0}]
    requests, errors = rendered(CaseTemplate(given, ["k"]), rows)
    assert [error.row for error in errors] == [len(rows) - 1]
    assert str(errors[0]).startswith(f"Row {len(rows) - 1}, column 'k' (0): ")
    assert words in str(errors[0])
    assert requests[-1] is None
    assert None not in requests[:-1]


def test_a_row_without_a_column_is_named():
    with pytest.raises(CaseError, match=r"Row 4, column 'd': .* the row has no such column"):
        CaseTemplate({"args": ["{{ k }}", "{{ d }}"]}, ["k", "d"]).render({"k": 1}, 4)


def test_names_that_become_the_same_are_refused():
    template = CaseTemplate({"files": {"{{ a }}.txt": "", "{{ b }}.txt": ""}}, ["a", "b"])
    with pytest.raises(CaseError, match=r"Row 3 \(a=1, b=1\): files has the name '1.txt' twice"):
        template.render({"a": 1, "b": 1}, 3)


def test_rows_that_differ_in_a_label_only_are_the_same_case():
    template = CaseTemplate({"args": ["{{ k }}"]}, ["k", "note"], labels=["note"])
    rows = [{"k": 1, "note": "a"}, {"k": 2, "note": "a"}, {"k": 1.0, "note": "b"}]
    requests, errors = rendered(template, rows)
    assert [error.row for error in errors] == [2]
    assert "Row 2 is the same case as row 0: k=1." in str(errors[0])
    assert requests[2] is None


def test_a_default_stands_in_for_a_column_that_a_row_does_not_have():
    template = CaseTemplate({"args": ["{{ k }}", "{{ d }}"]}, ["k"], defaults={"d": 0.05})
    assert template.render({"k": 1})["args"] == ["1", "0.05"]
    assert template.render({"k": 1, "d": 2})["args"] == ["1", "2"]


@pytest.mark.parametrize(
    ("defaults", "words"),
    [
        ({"dampng": 0.05}, "column 'dampng' is used nowhere in the template. Did you mean 'damping'?"),
        ({"damping": float("nan")}, "The default of column 'damping' cannot be used: nan."),
        ({"damping": None}, "The default of column 'damping' cannot be used: None."),
    ],
)
def test_a_default_that_cannot_stand_in_is_refused(defaults, words):
    with pytest.raises(InvalidInputError) as refused:
        CaseTemplate({"args": ["{{ k }}", "{{ damping }}"]}, ["k", "damping"], defaults=defaults)
    assert words in refused.value.message


def test_variables_of_the_notebook_may_be_used_beside_columns():
    found = render({"args": ["{{ n }}", "{{ n * k }}", "{{ f(k) }}"]}, {"k": 3}, names={"n": 2, "f": abs})
    assert found["args"] == ["2", "6", "3"]
    assert render({"args": ["{{ k }}"]}, {"k": 3}, names={"k": 4})["args"] == ["3"]


def test_what_is_the_same_for_all_cases_is_shared():
    template = CaseTemplate({"args": ["{{ k }}"], "env": {"A": "1"}}, ["k"])
    one, other = template.render({"k": 1}), template.render({"k": 2})
    assert one["env"] is other["env"]
    assert one["args"] is not other["args"]


# --- functions --------------------------------------------------------------------------------
def test_a_function_makes_requests_of_rows():
    def request(row):
        return {"args": ["--k", row["k"]], "maxMinutes": 5 if row["k"] < 2 else 10}

    template = CaseFunction(request, ["k"])
    requests, errors = rendered(template, [{"k": 1}, {"k": 2}])
    assert (requests, errors) == (
        [{"args": ["--k", 1], "maxMinutes": 5}, {"args": ["--k", 2], "maxMinutes": 10}],
        [],
    )
    assert template.work_of(requests[0]) != template.work_of(requests[1])
    assert template.work_of(requests[0]) == template.work_of({**requests[0], "maxMinutes": 99})


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda row: {"args": [row["dampng"]]}, "there is no column 'dampng'. Did you mean 'damping'?"),
        (lambda row: 1 / row["k"], "ZeroDivisionError: division by zero"),
        (lambda row: None, "must return a request such as {'args': ['--k', 3]}, not NoneType"),
        (lambda row: {}[3], "KeyError: 3"),
    ],
)
def test_what_goes_wrong_in_a_function_names_its_row(function, words):
    requests, errors = rendered(CaseFunction(function, ["k", "damping"]), [{"k": 0, "damping": 0.05}])
    assert requests == [None]
    assert str(errors[0]).startswith("Row 0 (k=0, damping=0.05): <lambda>")
    assert words in str(errors[0])


def test_a_request_may_hold_numbers_of_numpy_and_dates():
    import numpy as np

    given = {
        "args": np.arange(2),
        "nodeCount": np.int64(2),
        "env": {"X": np.float32(0.1), "D": date(2026, 1, 2)},
    }
    plain = {"args": [0, 1], "nodeCount": 2, "env": {"X": 0.1, "D": "2026-01-02"}}
    assert CaseFunction(lambda row: given, ["k"]).render({"k": 1}) == plain
    assert render({**given, "script": "{{ k }}"}, {"k": 1}) == {**plain, "script": "1"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "env.X has no value (NaN), which cannot be kept as JSON."),
        (object, "env.X holds a type"),
        ({1, 2}, "env.X holds a set ({1, 2})"),
    ],
)
def test_what_no_request_can_hold_is_refused_with_its_place(value, words):
    given = {"args": ["{{ k }}"], "env": {"X": value}}
    with pytest.raises(InvalidInputError) as refused:
        CaseTemplate(given, ["k"])
    assert refused.value.message.startswith(words)
    with pytest.raises(CaseError) as wrong:
        CaseFunction(lambda row: given, ["k"]).render({"k": 1}, 613)
    assert wrong.value.message.startswith("Row 613 (k=1): <lambda>: " + words)


def test_a_function_cannot_change_the_row():
    row = {"k": 1}
    CaseFunction(lambda row: row.clear() or {}, ["k"]).render(row)
    assert row == {"k": 1}


# --- columns that are no names ----------------------------------------------------------------
@pytest.mark.parametrize(
    ("column", "text", "better"),
    [
        ("my k", "{{ 2 * my k }}", "my_k"),
        ("a.b", "{{ a.b | round(1) }}", "a_b"),
        ("3d", "{{ 3d + 1 }}", "c_3d"),
    ],
)
def test_a_column_that_is_no_name_stands_alone_or_is_to_be_renamed(column, text, better):
    assert CaseTemplate({"script": f"echo {{{{ {column} }}}}"}, [column]).render({column: 7}) == {
        "script": "echo 7"
    }
    with pytest.raises(InvalidInputError) as refused:
        CaseTemplate({"script": f"echo {text}"}, [column])
    assert f"column '{column}' can only stand alone in braces" in refused.value.message
    assert f"df.rename(columns={{'{column}': '{better}'}})" in refused.value.message
