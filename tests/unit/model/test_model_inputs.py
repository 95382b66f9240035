"""Inputs of app and request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_samples import make_app

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.inputs import inputs_of
from jupyter_tapis_jobs.model.job import FileInput
from jupyter_tapis_jobs.model.request import parse_request

MESH = {"name": "mesh", "targetPath": "mesh.msh", "sourceUrl": "tapis://s/default.msh"}


def staged(
    app_inputs: list[dict[str, Any]] | None = None,
    inputs: list[dict[str, Any]] | None = None,
    *,
    app_arrays: list[dict[str, Any]] | None = None,
    arrays: list[dict[str, Any]] | None = None,
    strict: bool = False,
) -> tuple[tuple[FileInput, ...], list[tuple[str | None, str]]]:
    app = make_app({"fileInputs": app_inputs, "fileInputArrays": app_arrays}, strictFileInputs=strict)
    raw = {"name": "n", "appId": "a", "appVersion": "1", "fileInputs": inputs, "fileInputArrays": arrays}
    return inputs_of(parse_request(raw), app)


def targets(*args: Any, **kwargs: Any) -> dict[str, str]:
    return {item.target_path: item.source_url for item in staged(*args, **kwargs)[0]}


@pytest.mark.parametrize("target", [None, "", " ", "*"])
def test_a_blank_target_is_the_last_segment_of_the_source(target: str | None) -> None:
    assert targets(inputs=[{"sourceUrl": "tapis://s/d/a%20b.txt", "targetPath": target}]) == {
        "a b.txt": "tapis://s/d/a%20b.txt"
    }


@pytest.mark.parametrize("url", ["tapis://s/d/", "tapis://s/", "data:,x"])
def test_a_source_without_a_name_needs_a_target(url: str) -> None:
    with pytest.raises(InvalidInputError, match="Give it a targetPath"):
        staged(inputs=[{"sourceUrl": url}])
    assert targets(inputs=[{"sourceUrl": url, "targetPath": "d//x/"}]) == {"d/x": url}


def test_a_request_fills_what_the_app_leaves_open() -> None:
    app = [
        {"name": "mesh", "inputMode": "REQUIRED", "targetPath": "m.msh", "description": "a", "envKey": "MESH"}
    ]
    (merged,), keys = staged(app, [{"name": "mesh", "sourceUrl": "tapis://s/x", "description": "b"}])
    assert merged == FileInput(
        source_url="tapis://s/x", target_path="m.msh", name="mesh", description="a\n\nb", env_key="MESH"
    )
    assert keys == [("MESH", "m.msh")]


def test_a_required_input_without_a_source_is_missed_with_what_to_add() -> None:
    with pytest.raises(InvalidInputError, match=r'"name": "mesh", "sourceUrl": \.\.\.\} to fileInputs'):
        staged([{"name": "mesh", "inputMode": "REQUIRED", "targetPath": "m"}])


def test_an_optional_input_is_staged_by_default_when_it_is_complete() -> None:
    (item,), _ = staged([MESH])
    assert item.optional
    assert targets([{**MESH, "sourceUrl": None}]) == {}
    assert targets([{**MESH, "targetPath": None}]) == {}
    assert targets([{**MESH, "sourceUrl": None}], [{"name": "mesh"}]) == {}


def test_a_fixed_input_may_be_repeated_but_not_changed() -> None:
    app = [{**MESH, "inputMode": "FIXED"}]
    default = {"mesh.msh": "tapis://s/default.msh"}
    assert targets(app) == default
    assert targets(app, [{"name": "mesh", "sourceUrl": "", "autoMountLocal": True}]) == default
    for change in (
        {"sourceUrl": "tapis://s/y"},
        {"targetPath": "y"},
        {"envKey": "Y"},
        {"autoMountLocal": False},
    ):
        with pytest.raises(InvalidInputError, match="is fixed to"):
            staged(app, [{"name": "mesh", **change}])


def test_a_fixed_input_without_a_source_is_its_owners_to_mend() -> None:
    with pytest.raises(InvalidInputError, match="owner has to give it a sourceUrl"):
        staged([{**MESH, "sourceUrl": None, "inputMode": "FIXED"}])


def test_a_strict_app_takes_only_the_inputs_that_it_names() -> None:
    assert (
        len(targets([MESH], [{"name": "other", "sourceUrl": "tapis://s/o"}, {"sourceUrl": "tapis://s/p"}]))
        == 3
    )
    with pytest.raises(InvalidInputError, match=r"'mseh' is not one of them. Did you mean 'mesh'"):
        staged([MESH], [{"name": "mseh", "sourceUrl": "tapis://s/o"}], strict=True)
    with pytest.raises(InvalidInputError, match="an input without a name"):
        staged([MESH], [{"sourceUrl": "tapis://s/o"}], strict=True)


def test_a_name_given_twice_is_refused() -> None:
    item = {"name": "a", "sourceUrl": "tapis://s/o"}
    with pytest.raises(InvalidInputError, match="names 'a' twice"):
        staged(inputs=[item, item])


def test_names_with_spaces_and_inputs_without_names_work_as_in_real_apps() -> None:
    app = [
        {"name": "Input Directory", "inputMode": "REQUIRED", "targetPath": "in"},
        {"sourceUrl": "tapis://s/lib", "targetPath": "lib", "inputMode": "REQUIRED"},
    ]
    assert targets(app, [{"name": "Input Directory", "sourceUrl": "tapis://s/d"}]) == {
        "in": "tapis://s/d",
        "lib": "tapis://s/lib",
    }


def test_an_input_of_the_request_needs_a_source() -> None:
    with pytest.raises(InvalidInputError, match=r"fileInputs\[0\] has no sourceUrl. Give one, for example"):
        staged(inputs=[{"targetPath": "x"}])


@pytest.mark.parametrize("target", ["../x", "a/../../x", "a\nb"])
def test_a_target_never_leaves_the_input_directory(target: str) -> None:
    with pytest.raises(InvalidInputError, match="targetPath of fileInputs"):
        staged(inputs=[{"sourceUrl": "tapis://s/o", "targetPath": target}])


def test_a_name_in_a_source_cannot_smuggle_a_path() -> None:
    with pytest.raises(InvalidInputError):
        staged(inputs=[{"sourceUrl": "https://h/%2e%2e"}])
    with pytest.raises(InvalidInputError):
        staged(inputs=[{"sourceUrl": "https://h/a%2f..%2f..%2fb"}])


def test_an_array_becomes_numbered_inputs_of_one_directory() -> None:
    array = {
        "name": "parts",
        "sourceUrls": ["tapis://s/a", "https://h/b"],
        "targetDir": "/in//parts/",
        "envKey": "PARTS",
    }
    items, keys = staged(arrays=[array, {"sourceUrls": ["tapis://s/c"], "targetDir": "*"}])
    assert [(i.name, i.target_path, i.auto_mount_local) for i in items] == [
        ("parts_1.1", "in/parts/a", False),
        ("parts_1.2", "in/parts/b", False),
        ("unnamed_2.1", "c", False),
    ]
    assert keys == [("PARTS", "in/parts")]


def test_a_request_replaces_the_urls_of_an_array_as_a_whole() -> None:
    app = [{"name": "p", "sourceUrls": ["tapis://s/a", "tapis://s/b"], "targetDir": "d"}]
    assert targets(app_arrays=app) == {"d/a": "tapis://s/a", "d/b": "tapis://s/b"}
    assert targets(app_arrays=app, arrays=[{"name": "p", "sourceUrls": ["tapis://s/c"]}]) == {
        "d/c": "tapis://s/c"
    }


def test_arrays_follow_the_rules_of_single_inputs() -> None:
    required = [{"name": "p", "inputMode": "REQUIRED", "targetDir": "d"}]
    fixed = [{"name": "p", "inputMode": "FIXED", "targetDir": "d", "sourceUrls": ["tapis://s/a"]}]
    with pytest.raises(InvalidInputError, match="has no sourceUrls"):
        staged(app_arrays=required)
    with pytest.raises(InvalidInputError, match="is fixed to"):
        staged(app_arrays=fixed, arrays=[{"name": "p", "sourceUrls": ["tapis://s/b"]}])
    with pytest.raises(InvalidInputError, match=r"is empty. Give at least one URL"):
        staged(arrays=[{"name": "q", "sourceUrls": []}])
    with pytest.raises(InvalidInputError, match="has no place in an array"):
        staged(arrays=[{"sourceUrls": ["tapislocal://exec.tapis/a"]}])
    assert targets(app_arrays=[{"name": "p", "targetDir": "d"}]) == {}


@given(
    mode=st.sampled_from(["REQUIRED", "OPTIONAL", "FIXED", None]),
    url=st.sampled_from([None, "", "tapis://s/x", "tapis://s/default.msh"]),
    target=st.sampled_from([None, "", "*", "mesh.msh", "t/u"]),
)
def test_a_fixed_input_never_changes_and_merging_again_changes_nothing(
    mode: str | None, url: str | None, target: str | None
) -> None:
    app = [{**MESH, "inputMode": mode}]
    try:
        (merged,), _ = staged(app, [{"name": "mesh", "sourceUrl": url, "targetPath": target}])
    except InvalidInputError:
        assert mode == "FIXED"
        return
    if mode == "FIXED":
        assert (merged.source_url, merged.target_path) == (MESH["sourceUrl"], MESH["targetPath"])
    again = [{"name": "mesh", "sourceUrl": merged.source_url, "targetPath": merged.target_path}]
    assert staged(app, again)[0] == (merged,)
