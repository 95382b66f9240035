"""How the server reads paths, queries and bodies."""

from __future__ import annotations

import pytest

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.server.body import read_json
from jupyter_tapis_jobs.server.paths import Matcher

OPS = Matcher("/v3/files/ops/{systemId}/{path}")


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/v3/files/ops/local/a/b", ("local", "a/b")),
        # tapipy pastes an absolute path behind the slash of its pattern
        ("/v3/files/ops/local//a/b", ("local", "a/b")),
        ("//v3//files/ops/local//", ("local", "")),
        ("/v3/files/ops/local", ("local", "")),
        ("/v3/files/ops/local/a%20b", ("local", "a b")),
        # once, never twice
        ("/v3/files/ops/local/a%2520b", ("local", "a%20b")),
        ("/v3/files/ops/local/%C3%A4%2Fx", ("local", "ä/x")),
        ("/v3/files/ops/local/%ff", ("local", "\udcff")),
        ("/v3/files/ops/local/a//b/", ("local", "a//b")),
        ("/v3/files/ops/lo%2Fcal/x", ("lo/cal", "x")),
    ],
)
def test_a_path_is_split_and_decoded_once(path, values):
    found = OPS.match(path)
    assert found is not None
    assert (found["systemId"], found["path"]) == values


@pytest.mark.parametrize(
    "path", ["/v3/files/ops", "/v3/files/opsx/local/a", "/v2/files/ops/local/a", "", "/"]
)
def test_another_path_does_not_match(path):
    assert OPS.match(path) is None


def test_a_literal_part_goes_before_a_parameter_and_a_parameter_before_the_rest():
    patterns = ["/v3/jobs/{jobUuid}", "/v3/jobs/list", "/v3/files/{path}", "/v3/files/{systemId}/x"]
    ordered = sorted(patterns, key=lambda pattern: Matcher(pattern).order)
    assert ordered.index("/v3/jobs/list") < ordered.index("/v3/jobs/{jobUuid}")
    assert ordered.index("/v3/files/{systemId}/x") < ordered.index("/v3/files/{path}")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"name": "a", "appId": ', "line 1, column 24 (character 23); it seems to be cut off"),
        (b'{"name": "a', "it seems to be cut off"),
        (b'{"name" "a"}', "character 8"),
        (b"{'name': 1}", "character 1"),
        (b'{"a": NaN}', "NaN is not a JSON value"),
        (b'{"a": -Infinity}', "-Infinity is not a JSON value"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b'{"\\uDC00": 1}', "half of a surrogate pair"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b"1" * 5000, "JSON"),
    ],
)
def test_a_body_that_is_not_json_names_the_place(body, words):
    with pytest.raises(InvalidInputError, match="body") as caught:
        read_json(body)
    assert words in caught.value.message


def test_a_whole_surrogate_pair_and_a_byte_order_mark_are_fine():
    assert read_json(b'\xef\xbb\xbf{"a": "\\ud83d\\ude80"}') == {"a": "🚀"}
