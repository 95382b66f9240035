"""The id of a case: the same for the same work, another one for other work."""

import json
import math
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.case_identity import (
    app_identity,
    canonical,
    case_id,
    local_input,
    remote_input,
)
from jupyter_tapis_jobs.model.case_template import CaseTemplate

APP = {
    "id": "opensees",
    "version": "3.7",
    "runtime": "ZIP",
    "containerImage": "tapis://local/apps/opensees.zip",
    "jobAttributes": {"maxMinutes": 10, "parameterSet": {"appArgs": [{"name": "model", "arg": "model.tcl"}]}},
}

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
cells = (
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
rows = st.dictionaries(names, cells, max_size=5)


def an_id(row, uses=None, **more):
    return case_id(row, row if uses is None else uses, app_identity(APP), **more)


@given(rows)
def test_an_id_is_16_hexadecimal_digits_and_does_not_hang_on_the_order_of_columns(row):
    found = an_id(row)
    assert len(found) == 16
    assert set(found) <= set("0123456789abcdef")
    assert an_id(dict(reversed(row.items()))) == found


@given(rows, rows)
def test_ids_are_equal_exactly_when_the_values_are(one, other):
    def by_value(row):
        return {name: (isinstance(value, bool), value) for name, value in row.items()}

    assert (an_id(one) == an_id(other)) is (by_value(one) == by_value(other))


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (0, -0.0), (10**20, 1e20), (0.1, 0.1000)])
def test_numbers_count_by_value(one, other):
    assert an_id({"k": one}) == an_id({"k": other})


@pytest.mark.parametrize("other", [True, "1", 1.0000001, 2**53 + 1])
def test_what_is_not_the_same_number_is_another_case(other):
    assert an_id({"k": 1}) != an_id({"k": other})
    assert an_id({"k": float(2**53)}) != an_id({"k": 2**53 + 1})


def test_a_column_that_the_template_does_not_use_is_outside():
    assert an_id({"k": 1, "note": "a"}, ["k"]) == an_id({"k": 1, "note": "b"}, ["k"]) == an_id({"k": 1})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="JSON"):
        an_id({"k": value})
    with pytest.raises(ValueError, match="JSON"):
        canonical([value])


def test_a_parameter_at_its_default_is_as_if_it_were_not_there():
    assert an_id({"k": 1, "d": 0.05}, defaults={"d": 0.05}) == an_id({"k": 1})
    assert an_id({"k": 1, "d": 2.0}, defaults={"d": 2}) == an_id({"k": 1})
    assert an_id({"k": 1, "d": 0.06}, defaults={"d": 0.05}) != an_id({"k": 1})
    assert an_id({"k": 1, "d": True}, defaults={"d": 1}) != an_id({"k": 1})


def test_inputs_count_by_what_they_are_and_not_by_their_order():
    one = local_input("el centro.txt", "ab" * 32)
    other = remote_input("tapis://host/a b.txt", "b.txt", 17, "2026-11-21T00:00:00Z")
    assert an_id({}, inputs=[one, other]) == an_id({}, inputs=[other, one])
    differing = [
        [one],
        [other],
        [local_input("el centro.txt", "cd" * 32), other],
        [local_input("other.txt", "ab" * 32), other],
        [one, remote_input("tapis://host/a b.txt", "b.txt", 18, "2026-11-21T00:00:00Z")],
        [one, remote_input("tapis://host/a b.txt", "b.txt", 17, None)],
    ]
    ids = {an_id({}, inputs=inputs) for inputs in [*differing, [one, other]]}
    assert len(ids) == len(differing) + 1


def test_an_app_counts_by_version_and_definition_but_not_by_its_resources_and_words():
    same = {
        **APP,
        "uuid": "1234",
        "created": "2026-11-21T00:00:00Z",
        "description": "words",
        "runtimeVersion": None,
        "jobAttributes": {**APP["jobAttributes"], "maxMinutes": 99, "memoryMB": 1, "tags": ["x"]},
    }
    assert app_identity(same) == app_identity(APP)
    others = [{"version": "3.8"}, {"id": "other"}, {"containerImage": "x"}, {"jobAttributes": {}}]
    assert len({app_identity({**APP, **change}) for change in [{}, *others]}) == len(others) + 1


def test_an_app_that_every_server_has_counts_the_same_whatever_folder_the_server_keeps_it_in():
    def kept_in(folder: str, **changes):
        image = f"tapis://local{folder}/apps/bash-1.0.zip"
        return app_identity({"id": "bash", "version": "1.0", "containerImage": image, **changes})

    here = kept_in("/home/ada/.local/share/jupyter/tapisjobs")
    assert kept_in("/srv/data/tapisjobs") == here
    others = [kept_in("/srv", id="mine"), kept_in("/srv", containerImage="tapis://local/srv/mine.zip")]
    assert len({here, *others}) == 3


def work(given, columns=("k",), **options):
    return CaseTemplate(given, columns, **options).work_of({})


def test_resources_names_and_places_are_outside():
    plain = {"args": ["{{ k }}"], "appId": "a"}
    beside = {
        "name": "p-{{ k }}",
        "memoryMB": 1000,
        "maxMinutes": "{{ 2 * k }}",
        "nodeCount": 2,
        "execSystemId": "frontera",
        "execSystemLogicalQueue": "normal",
        "tags": ["x"],
        "parameterSet": {"schedulerOptions": [{"arg": "-A me"}]},
    }
    assert work(plain) == work({**plain, **beside})


@pytest.mark.parametrize(
    "change",
    [
        {"args": ["{{ k }}", "-v"]},
        {"env": {"OMP": 2}},
        {"script": "echo {{ k }}"},
        {"files": {"a.txt": "{{ k }}"}},
        {"files": {"b.bin": b"\x00"}},
        {"parameterSet": {"appArgs": [{"arg": "-v"}]}},
        {"parameterSet": {"containerArgs": [{"arg": "--bind /x"}]}},
        {"parameterSet": {"envVariables": [{"key": "A", "value": "{{ k }}"}]}},
        {"fileInputs": [{"sourceUrl": "tapis://host/{{ k }}"}]},
    ],
)
def test_arguments_environment_and_inputs_are_inside(change):
    plain = {"args": ["{{ k }}"]}
    assert work(plain) != work({**plain, **change})


def test_blanks_inside_braces_do_not_matter_and_others_do():
    assert work({"args": ["{{k}}"]}) == work({"args": ["{{  k }}"]})
    assert work({"args": ["{{k}} "]}) != work({"args": ["{{k}}"]})
    assert work({"args": ["{{k}}"]}) != work({"args": ["{{k + 0}}"]})


def test_a_column_that_takes_the_place_of_a_constant_keeps_the_ids_of_the_cases_at_its_default():
    before = CaseTemplate({"files": {"m.tcl": "set k {{ k }}\nset d 0.05\n"}}, ["k"])
    after = CaseTemplate(
        {"files": {"m.tcl": "set k {{ k }}\nset d {{ d }}\n"}}, ["k", "d"], defaults={"d": 0.05}
    )

    def of(template, row):
        rendered = template.render(row)
        work = template.work_of(rendered)
        return case_id(row, template.uses, "app", work=work, defaults={"d": 0.05}), rendered

    assert of(before, {"k": 3}) == of(after, {"k": 3}) == of(after, {"k": 3, "d": 0.05})
    assert of(after, {"k": 3, "d": 0.1})[0] != of(before, {"k": 3})[0]


def test_a_variable_of_the_notebook_counts_with_its_value():
    def with_names(text, **names):
        return work({"args": ["{{ k }}", text]}, names=names)

    assert with_names("{{ n }}", n=2) == with_names("2")
    assert with_names("{{ n }}", n=2) != with_names("{{ n }}", n=3)
    assert with_names("{{ n * k }}", n=2) != with_names("{{ n * k }}", n=3)
    assert with_names("{{ f(k) }}", f=lambda k: k) == with_names("{{ f(k) }}", f=lambda k: k)


@given(st.recursive(cells, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=8))
def test_canonical_text_is_json_of_the_same_data(data):
    assert canonical(json.loads(canonical(data))) == canonical(data)


def test_canonical_text_takes_bytes_and_paths():
    assert canonical({"b": PurePosixPath("a b"), "a": (1.0, b"x")}).startswith('{"a":[1,{"sha256":"2d7116')
